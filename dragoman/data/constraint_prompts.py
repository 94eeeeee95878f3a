"""Prompts with one to six verifiable constraints that go together, in seven languages.

    python -m dragoman.data.constraint_prompts --count 1000 --languages de,zh --seed 0 --out constraints.jsonl

`draw_rows` takes the languages in turn. Each row is a request from constraint_wordings.py, with constraints
from different `ASPECTS` of an answer (length, words, layout, ...), so that at most one speaks about each; the
few combinations that still do not go together are in `_APART`. Ids and kwargs are those of IFEval and IFBench,
the rows are prompts to sample from, with one reward of kind `constraints`. The same seed, count and languages
give the same rows.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from dragoman.data.constraint_wordings import WORDINGS, Wording
from dragoman.files import write_lines

MOST = 6
PATIENCE = 2000
"""So many draws in a row that only repeat known prompts mean that there are no more."""


@dataclass(frozen=True)
class Asked:
    """One constraint of a prompt."""

    name: str
    id: str
    kwargs: dict[str, Any]
    text: str


_MARKS = {"de": ("„", "“"), "fr": ("« ", " »"), "es": ("«", "»"), "ru": ("«", "»"), "ja": ("「", "」")}
Row = dict[str, Any]
Draw = Callable[[Random, str, Wording], Asked]


def _quoted(language: str, words: Sequence[str]) -> str:
    """Words in the language's quotation marks, side by side."""
    first, last = _MARKS.get(language, ("“", "”"))
    shown = [f"{first}{word}{last}" for word in words]
    return {"zh": "、", "ja": ""}.get(language, ", ").join(shown)


def _asked(name: str, id: str, text: str, **kwargs: Any) -> Asked:
    return Asked(name, id, kwargs, text)


def _words(random: Random, language: str, wording: Wording) -> Asked:
    form = random.choice(("at_least_words", "less_words", "word_range"))
    low = random.randrange(40, 121, 10) * (2 if language in ("zh", "ja") else 1)
    if form == "word_range":
        text = wording.texts[form].format(low=low, high=low + 40)
        return _asked("words", "count:word_count_range", text, min_words=low, max_words=low + 40)
    relation, bound = ("at least", low) if form == "at_least_words" else ("less than", low + 60)
    text = wording.texts[form].format(n=bound)
    return _asked("words", "length_constraints:number_words", text, num_words=bound, relation=relation)


def _sentences(random: Random, language: str, wording: Wording) -> Asked:
    more = random.random() < 0.5
    form, relation = ("at_least_sentences", "at least") if more else ("less_sentences", "less than")
    bound = random.randint(3, 6) if more else random.randint(7, 10)
    text = wording.texts[form].format(n=bound)
    return _asked("sentences", "length_constraints:number_sentences", text, num_sentences=bound, relation=relation)


def _existence(random: Random, language: str, wording: Wording) -> Asked:
    words = random.sample(wording.keywords, 2)
    text = wording.texts["existence"].format(words=_quoted(language, words))
    return _asked("existence", "keywords:existence", text, keywords=words)


def _frequency(random: Random, language: str, wording: Wording) -> Asked:
    word, times = random.choice(wording.keywords), random.choice((2, 3))
    text = wording.texts["frequency"].format(words=_quoted(language, [word]), n=times)
    return _asked("frequency", "keywords:frequency", text, keyword=word, frequency=times, relation="at least")


def _forbidden(random: Random, language: str, wording: Wording) -> Asked:
    words = random.sample(wording.forbidden, 2)
    text = wording.texts["forbidden"].format(words=_quoted(language, words))
    return _asked("forbidden", "keywords:forbidden_words", text, forbidden_words=words)


def _sections(random: Random, language: str, wording: Wording) -> Asked:
    count = random.choice((2, 3))
    text = wording.texts["sections"].format(n=count, splitter=wording.splitter)
    id = "detectable_format:multiple_sections"
    return _asked("sections", id, text, section_spliter=wording.splitter, num_sections=count)


def _ending(random: Random, language: str, wording: Wording) -> Asked:
    phrase = random.choice(wording.endings)
    return _asked("ending", "startend:end_checker", wording.texts["ending"].format(ending=phrase), end_phrase=phrase)


def _postscript(random: Random, language: str, wording: Wording) -> Asked:
    id = "detectable_content:postscript"
    return _asked("postscript", id, wording.texts["postscript"], postscript_marker="P.S.")


def _language(random: Random, language: str, wording: Wording) -> Asked:
    return _asked("language", "language:response_language", wording.texts["language"], language=language)


def _plain(name: str, id: str) -> Draw:
    return lambda random, language, wording: _asked(name, id, wording.texts[name])


def _counted(name: str, id: str, kwarg: str, low: int, high: int) -> Draw:
    def draw(random: Random, language: str, wording: Wording) -> Asked:
        count = random.randint(low, high)
        return _asked(name, id, wording.texts[name].format(n=count), **{kwarg: count})

    return draw


ASPECTS: tuple[tuple[Draw, ...], ...] = (
    (_words, _sentences),
    (_existence, _frequency),
    (_forbidden,),
    (_plain("no_comma", "punctuation:no_comma"),),
    (
        _counted("bullets", "detectable_format:number_bullet_lists", "num_bullets", 2, 5),
        _counted("paragraphs", "length_constraints:number_paragraphs", "num_paragraphs", 2, 3),
        _sections,
        _plain("json", "detectable_format:json_format"),
    ),
    (_plain("title", "detectable_format:title"),),
    (_counted("highlights", "detectable_format:number_highlighted_sections", "num_highlights", 2, 3),),
    (_counted("placeholders", "detectable_content:number_placeholders", "num_placeholders", 2, 3),),
    (_ending, _postscript),
    (_plain("quotation", "startend:quotation"),),
    (_language,),
    (_counted("numbers", "count:numbers", "N", 2, 4),),
)
"""What an answer is asked about; a prompt takes at most one constraint from each."""
_MARKUP = ("title", "highlights", "placeholders", "ending", "postscript", "quotation", "no_comma", "sentences")
_APART: frozenset[frozenset[str]] = frozenset(
    {frozenset({"json", name}) for name in _MARKUP}
    | {
        frozenset({"sections", "numbers"}),
        frozenset({"bullets", "sentences"}),
        frozenset({"bullets", "highlights"}),
        frozenset({"paragraphs", "highlights"}),
    }
)
"""Pairs never asked for together: section headings hold numbers, bullets and dividers are asterisks too, JSON
leaves no room for markup.
"""


def draw_constraints(random: Random, language: str, count: int) -> list[Asked]:
    """`count` constraints about different aspects of an answer, in random order."""
    while True:
        aspects = random.sample(ASPECTS, count)
        asked = [random.choice(aspect)(random, language, WORDINGS[language]) for aspect in aspects]
        names = {one.name for one in asked}
        if not any(pair <= names for pair in _APART):
            return asked


def draw_prompt(random: Random, language: str) -> tuple[str, list[Asked]]:
    """A prompt and its constraints; half of the prompts list them, the others go on in sentences."""
    wording = WORDINGS[language]
    task = random.choice(wording.tasks).format(topic=random.choice(wording.topics))
    asked = draw_constraints(random, language, random.randint(1, MOST))
    if random.random() < 0.5:
        return wording.joint.join([task, *(one.text for one in asked)]), asked
    return "\n".join([f"{task}{wording.joint}{wording.heading}", *(f"- {one.text}" for one in asked)]), asked


def draw_rows(count: int, languages: Sequence[str] = tuple(WORDINGS), seed: int = 0) -> list[Row]:
    """`count` rows with different prompts, the languages in turn.

    Raises ValueError for a language without wordings, and when there are no more different prompts.
    """
    unknown = [code for code in languages if code not in WORDINGS]
    if unknown or not languages:
        raise ValueError(f"no constraint wordings in {unknown or 'no language'}: choose from {', '.join(WORDINGS)}")
    randoms = {code: Random(f"{seed}|constraint_prompts|{code}") for code in languages}
    rows: dict[str, Row] = {}
    for number in range(count):
        language = languages[number % len(languages)]
        prompt, asked = _new_prompt(randoms[language], language, rows)
        instructions = [{"id": one.id, "kwargs": one.kwargs} for one in asked]
        rows[prompt] = {
            "id": f"constraints-{language}-{number:06}",
            "task": "constraints",
            "language": language,
            "messages": [{"role": "user", "content": prompt}],
            "rewards": [{"kind": "constraints", "weight": 1, "args": {"instructions": instructions}}],
        }
    return list(rows.values())


def _new_prompt(random: Random, language: str, known: dict[str, Row]) -> tuple[str, list[Asked]]:
    for _ in range(PATIENCE):
        prompt, asked = draw_prompt(random, language)
        if prompt not in known:
            return prompt, asked
    raise ValueError(f"no new prompt in {language} after {PATIENCE} draws: ask for fewer rows")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, required=True, help="how many rows")
    parser.add_argument("--languages", default=",".join(WORDINGS), help="codes divided by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the JSONL file to write")
    options = parser.parse_args(arguments)
    try:
        rows = draw_rows(options.count, options.languages.split(","), options.seed)
    except ValueError as error:
        parser.error(str(error))
    write_lines(options.out, rows)
    print(f"{len(rows)} rows in {options.out}")


if __name__ == "__main__":
    main()
