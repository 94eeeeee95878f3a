"""Which translation directions a stage has seen, in which form, counted in the very files it reads.

"Zero-shot" is a claim about every stage: a direction is zero-shot when none saw it with a right answer. Forms:

    parallel text          a document of two languages
    answered instruction   a conversation that translates
    rewarded prompt        a prompt whose reward knows the reference
    prompt                 a prompt whose reward does not
    wrong instruction      an instruction under which language-aware tuning makes an answer unlikely (no right answer)
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dragoman.files import read_lines
from dragoman.text.languages import same_language

Directions = dict[str, dict[str, int]]
"""Form -> direction such as `de-fr` -> rows"""
WRONG_INSTRUCTION = "wrong instruction"


def directions_seen(data: Path, files: Iterable[str]) -> Directions:
    """Directions with a right answer, over all rows of some data files."""
    seen: dict[str, Counter[str]] = {}
    for form, direction in (found for file in files for found in _of_file(data / file)):
        seen.setdefault(form, Counter())[direction] += 1
    return {form: dict(sorted(counts.items())) for form, counts in sorted(seen.items())}


def wrong_directions(pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Directions that language-aware tuning may ask for in vain: each source with every other target of the rows."""
    targets = {code for pair in pairs for code in pair}
    counts = Counter(
        f"{source}-{wrong}"
        for source, target in pairs
        for wrong in targets
        if not same_language(wrong, source) and not same_language(wrong, target)
    )
    return dict(sorted(counts.items()))


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    for _, row in read_lines(path):
        languages = row.get("languages", ())
        if "text" in row and len(languages) == 2:
            yield "parallel text", "-".join(languages)
        elif "source_language" in row and "target_language" in row:
            yield _form(row), f"{row['source_language']}-{row['target_language']}"


def _form(row: Mapping[str, object]) -> str:
    if "rewards" not in row:
        return "answered instruction"
    rewards = row["rewards"]
    knows = isinstance(rewards, list) and any("reference" in (spec.get("args") or {}) for spec in rewards)
    return "rewarded prompt" if knows else "prompt"
