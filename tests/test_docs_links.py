"""Every relative link of the documentation leads somewhere, and every module and script that it names exists."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS = r"(?:dragoman|rewards|rl|pretrain_sft|cluster)"


def anchors(page):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ +(.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for path, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8")):
        if path.startswith("http"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_files_that_are_named_exist(page):
    text = page.read_text(encoding="utf-8")
    modules = re.findall(rf"(?:python -m|from|import) ({OURS}(?:\.\w+)*)", text)
    files = re.findall(rf"`((?:{OURS}|bench|tests|recipes|requirements)/[\w./-]+\.(?:py|yaml|txt|sh))`", text)
    assert not [name for name in modules if find_spec(name) is None]
    assert not [name for name in files if not (ROOT / name).exists()]
