"""The report in a real browser: folding, finding, heat maps of one stage, and axe-core's rules for accessible pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from dragoman.evaluation.report import write_report, write_side_by_side
from tests.evaluation.large_record import LANGUAGES, SQUARE, WIDE, chrf_of, write_large_run

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
SCREENS = {"desktop": {"width": 1200, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def browser(whole_run: Path) -> Iterator[Browser]:
    """Made after `whole_run`, which runs an event loop of its own: Playwright keeps one in this thread."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, f"no browser; `bash requirements/browser.sh` installs one of {', '.join(BROWSERS)}"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(write_large_run(tmp_path_factory.mktemp("runs") / "large"))


@pytest.fixture
def page(browser: Browser, large: Path) -> Iterator[Page]:
    yield from opened(browser, large)


def opened(browser: Browser, path: Path, **options: Any) -> Iterator[Page]:
    """A page, closed afterwards; whatever it wrote to the console as an error fails the test."""
    context = browser.new_context(**options)
    shown = context.new_page()
    errors: list[str] = []
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    shown.goto(path.as_uri())
    yield shown
    context.close()
    assert errors == []


def metric_rows(page: Page) -> int:
    """Rows of the metrics table that are seen."""
    return page.locator("table.metrics tbody tr:visible").count()


def test_thirty_suites_fold_to_a_line_each(page: Page) -> None:
    suites = page.locator("table.metrics tbody")
    assert suites.count() == 31, "30 suites and the mean of general skill"
    assert metric_rows(page) == 31, "many suites begin folded"
    wide = page.get_by_role("button", name="wide")
    assert wide.get_attribute("aria-expanded") == "false"
    wide.focus()
    page.keyboard.press("Enter")
    assert wide.get_attribute("aria-expanded") == "true"
    assert metric_rows(page) == 37, "six further metrics of one translation suite: its own six beside gated chrF"
    page.get_by_role("button", name="fold all").click()
    assert metric_rows(page) == 31
    page.get_by_role("button", name="unfold all").click()
    assert metric_rows(page) == 31 + 6 + 5


def test_rows_are_found_by_suite_metric_and_language(page: Page) -> None:
    field = page.get_by_role("searchbox", name="find suites, metrics and directions in the tables")
    field.fill("sums_07".replace("_", " "))
    assert page.locator("table.metrics tbody:visible").count() == 1
    field.fill("German")
    heat = page.locator("details.directions table.heat tbody tr:visible")
    german = sum("de" in pair for pair in (*WIDE, *SQUARE))
    assert heat.count() == 2 * german, "each under chrF and off-target; blocks with a hit are opened"
    assert metric_rows(page) == 0 and page.locator("#found").inner_text().endswith("rows")
    field.fill("wide adequacy")
    assert metric_rows(page) == 1, "folded rows that match are shown"
    field.fill("")
    assert metric_rows(page) == 31


def test_one_stage_is_shown_from_language_to_language(page: Page) -> None:
    page.get_by_label("metric of the heat maps").select_option("chrf")
    page.get_by_label("heat maps through the stages, or one stage").select_option(label="rl: from × into")
    shown = page.locator("details:has(summary:has-text('square')) table[data-matrix]:visible")
    assert shown.count() == 1, "one metric of one suite"
    head = shown.locator("thead th").all_inner_texts()
    assert head == ["into ↓ from →", "de", "en", "fr", "ja", "pt-BR", "zh"]
    cells = shown.locator("tbody tr", has=page.locator("th:text-is('fr')")).locator("td").all_inner_texts()
    expected = [
        "" if source == "fr" else f"{chrf_of(2, SQUARE.index((source, 'fr'))):.0f}" for source in head[1:]
    ]  # fmt: skip
    assert cells == expected
    wide = page.locator("details:has(summary:has-text('wide')) table[data-matrix]:visible")
    assert wide.locator("tbody tr").count() == len(LANGUAGES) == 55, "languages go down where they are many"
    page.get_by_label("heat maps through the stages, or one stage").select_option("")
    assert page.locator("table[data-matrix]").count() == 0


def test_the_viewer_filters_and_marks_words_that_changed(page: Page) -> None:
    page.locator("#controls").get_by_label("direction", exact=True).select_option("en-sw")
    assert page.locator("#list article").count() == 1
    assert page.locator("#list mark.fault").first.inner_text().startswith("eins"[:3])
    page.locator("#controls").get_by_label("differences").select_option("words")
    assert page.locator("#list del").first.inner_text().strip() == "eins"
    assert page.locator("#list ins").first.inner_text().strip() == "uno"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_no_fault(
    browser: Browser, large: Path, whole_run: Path, tmp_path: Path, screen: str, theme: str
) -> None:
    other = shutil.copytree(whole_run, tmp_path / "other")
    small = write_report(shutil.copytree(whole_run, tmp_path / "small"))
    for path in (large, small, write_side_by_side([tmp_path / "small", other], tmp_path / "both.html")):
        for page in opened(browser, path, viewport=SCREENS[screen], color_scheme=theme):
            found = Axe().run(page).response["violations"]
            assert [(v["id"], v["impact"], v["nodes"][0]["html"][:200], len(v["nodes"])) for v in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
                "the page itself scrolls sideways"
            )


def test_what_is_printed_is_unfolded_and_has_no_tools(page: Page) -> None:
    page.emulate_media(media="print")
    assert metric_rows(page) == 31 + 6 + 5
    assert not page.locator("#find").is_visible() and not page.locator("#controls").is_visible()


def test_without_javascript_everything_is_there(browser: Browser, large: Path) -> None:
    for page in opened(browser, large, java_script_enabled=False):
        assert metric_rows(page) == 31 + 6 + 5
        assert not page.locator("#find").is_visible()
