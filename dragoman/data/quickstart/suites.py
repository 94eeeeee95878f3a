"""The suites: eval/*.jsonl, which figures are reported on, and development/*.jsonl, which settings are chosen by."""

from dragoman.data.quickstart.draws import GENERAL_TASKS, MOST_WORDINGS, Draws
from dragoman.data.quickstart.examples import Example
from dragoman.data.quickstart.file_rows import SuiteRow
from dragoman.data.quickstart.settings import QuickstartSizes
from dragoman.data.quickstart.templates import HELD_OUT_TEMPLATES


def evaluation_files(draws: Draws, sizes: QuickstartSizes) -> dict[str, list[SuiteRow]]:
    """Held-out rows, the same number for every direction; a share of them have templates that training never saw."""
    files: dict[str, list[SuiteRow]] = {}
    by_template = round(sizes.eval_per_direction * sizes.heldout_template_share)
    by_slots = sizes.eval_per_direction - by_template
    for suite, pairs in sizes.directions.suites().items():
        slots = draws.translations("eval", by_slots * len(pairs), pairs, suite)
        template = draws.translations("eval", by_template * len(pairs), pairs, f"{suite}|template", HELD_OUT_TEMPLATES)
        files[f"eval/{suite}"] = _suite_rows(suite, suite, slots, template)
    for task in GENERAL_TASKS:
        count = sizes.eval_general.of(task)
        by_template = round(count * sizes.heldout_template_share)
        slots = draws.general(task, "eval", count - by_template, "eval", wordings=MOST_WORDINGS)
        template = draws.general(task, "eval", by_template, "eval", held_out=True, wordings=MOST_WORDINGS)
        files[f"eval/{task}"] = _suite_rows(task, task, slots, template)
    return files


def development_files(draws: Draws, sizes: QuickstartSizes) -> dict[str, list[SuiteRow]]:
    """Suites to choose settings by: a split of their own, and none of evaluation's templates and wordings."""
    files: dict[str, list[SuiteRow]] = {}
    for suite, pairs in sizes.directions.suites().items():
        count = sizes.development_per_direction * len(pairs)
        examples = draws.translations("development", count, pairs, f"development|{suite}")
        files[f"development/{suite}"] = _suite_rows(suite, f"development-{suite}", examples, [])
    for task in GENERAL_TASKS:
        count = sizes.development_general.of(task)
        examples = draws.general(task, "development", count, "development", wordings=MOST_WORDINGS)
        files[f"development/{task}"] = _suite_rows(task, f"development-{task}", examples, [])
    return files


def _suite_rows(suite: str, prefix: str, slots: list[Example], template: list[Example]) -> list[SuiteRow]:
    labelled = [(example, "slots") for example in slots] + [(example, "template") for example in template]
    return [SuiteRow(f"{prefix}-{n:06}", e, suite, heldout) for n, (e, heldout) in enumerate(labelled)]
