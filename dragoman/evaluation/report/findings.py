"""What the metrics say, in plain sentences computed from them.

Each sentence names the stage, the figure before and after, and, where a paired test was made, whether the
change is beyond chance. Nothing is said about a stage that was not evaluated, and losses are told like gains.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.evaluation.comparison import (
    Comparison,
    all_suites,
    general_score,
    is_significant,
    suite_name,
    translation_score,
)
from dragoman.evaluation.outcomes import Evaluation

NOTABLE_SCORE = 1.0
"""A change of chrF worth a sentence."""
NOTABLE_SHARE = 0.02
"""A change of a fraction worth a sentence."""
NOTABLE_OFF_TARGET = 0.1
"""An off-target ratio worth telling what came instead."""


@dataclass(frozen=True)
class Finding:
    """One sentence about one stage."""

    stage: str
    text: str
    good: bool | None = None
    """None: neither good nor bad."""


def percent(value: float) -> str:
    """A fraction as a percentage."""
    return f"{100 * value:.1f} %"


def _moved(name: str, before: str, after: str, up: bool) -> str:
    return f"{name} {'rose' if up else 'fell'} from {before} to {after}"


def _translation_change(parent: Evaluation, child: Evaluation) -> list[Finding]:
    before, after = translation_score(parent), translation_score(child)
    if before is None or after is None or abs(after - before) < NOTABLE_SCORE:
        return []
    text = _moved("Mean chrF over the translation suites", f"{before:.1f}", f"{after:.1f}", after > before)
    return [Finding(child.stage, f"{text}.", after > before)]


def _general_change(parent: Evaluation, child: Evaluation) -> list[Finding]:
    before, after = general_score(parent), general_score(child)
    if before is None or after is None:
        return []
    if abs(after - before) < NOTABLE_SHARE:
        return [Finding(child.stage, f"The mean general score held at {percent(after)}.")]
    text = _moved("The mean general score", percent(before), percent(after), after > before)
    return [Finding(child.stage, f"{text}.", after > before)]


def _off_target_change(parent: Evaluation, child: Evaluation) -> list[Finding]:
    """Off-target ratio of every translation suite, where it moved."""
    found = []
    for suite in all_suites([child]):
        earlier = parent.suite(suite.name)
        before = earlier.metrics.get("off_target") if earlier else None
        after = suite.metrics.get("off_target")
        if before is None or after is None or abs(after - before) < NOTABLE_SHARE:
            continue
        moved = f"went from {percent(before)} to {percent(after)}"
        text = f"The off-target ratio in {suite_name(suite.name)} directions {moved}."
        found.append(Finding(child.stage, text, after < before))
    return found


def _off_target_note(evaluation: Evaluation) -> list[Finding]:
    """What comes instead of the target language, in the suite where it happens most."""
    worst = max(all_suites([evaluation]), key=lambda suite: suite.metrics.get("off_target") or 0.0)
    off, english, source = (worst.metrics.get(name) or 0.0 for name in ("off_target", "english_share", "source_share"))
    if off < NOTABLE_OFF_TARGET or not evaluation.shown.instructed:
        return []
    instead = [(english, "English"), (source, "the source's own language")]
    named = [f"{percent(share)} are in {language}" for share, language in instead if share >= 0.005]
    text = f"Of {suite_name(worst.name)} translations {', '.join(named)}."
    return [Finding(evaluation.stage, text)] if named else []


def stage_findings(parent: Evaluation | None, child: Evaluation) -> list[Finding]:
    """Sentences about one stage, against its parent."""
    if parent is None:
        start, general = translation_score(child), general_score(child)
        parts = [f"mean chrF {start:.1f}"] if start is not None else []
        parts += [f"mean general score {percent(general)}"] if general is not None else []
        return [Finding(child.stage, f"Starts at {' and '.join(parts)}.")] if parts else []
    return [
        *_off_target_change(parent, child),
        *_translation_change(parent, child),
        *_general_change(parent, child),
        *_off_target_note(child),
    ]


def _verdict(row: Comparison) -> str:
    if not is_significant(row):
        return "no change beyond chance"
    return "a gain beyond chance" if row.test.difference > 0 else "a loss beyond chance"


def _in_words(suite: str) -> str:
    return f"{suite} translation" if suite in ("supervised", "zero-shot") else suite


def significance_finding(child: Evaluation, rows: Sequence[Comparison]) -> list[Finding]:
    """One sentence that sorts the suites by whether their mean reward changed beyond chance."""
    preferred = "reward, sampled" if any(row.measure == "reward, sampled" for row in rows) else "reward, greedy"
    tested = [row for row in rows if row.measure == preferred and row.suite != "all translation"]
    if not tested:
        return []
    groups: dict[str, list[str]] = {}
    for row in tested:
        change = f"{_in_words(row.suite)} ({row.test.before:.2f} → {row.test.after:.2f})"
        groups.setdefault(_verdict(row), []).append(change)
    told = "; ".join(f"{verdict} in {', '.join(names)}" for verdict, names in groups.items())
    losses = any(verdict.startswith("a loss") for verdict in groups)
    gains = any(verdict.startswith("a gain") for verdict in groups)
    good = None if gains == losses else gains
    return [Finding(child.stage, f"Held-out mean reward ({preferred.split(', ')[1]}): {told}.", good)]


def findings(evaluations: Sequence[Evaluation], tests: Sequence[Comparison]) -> list[Finding]:
    """Every sentence of a run, stage by stage; `tests` are those of the last stage against its parent."""
    found: list[Finding] = []
    for parent, child in zip([None, *evaluations], evaluations, strict=False):
        found += stage_findings(parent, child)
    if evaluations and tests:
        found += significance_finding(evaluations[-1], tests)
    return found


def headline(evaluations: Sequence[Evaluation]) -> str:
    """What the run is, in one sentence."""
    if not evaluations:
        return "No stage has been evaluated yet; the curves below show what has been trained so far."
    if len(evaluations) == 1:
        return f"One stage evaluated so far: {evaluations[0].shown.title}."
    return " → ".join(evaluation.shown.title for evaluation in evaluations).capitalize() + "."
