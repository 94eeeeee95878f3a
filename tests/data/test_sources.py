"""A source is found by name, registered from anywhere, and its settings are checked with the recipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from dragoman.data.quickstart.settings import QuickstartSizes
from dragoman.data.rows import read_documents
from dragoman.data.settings import DataSettings, parsed_sizes
from dragoman.data.sources import Source, SourceError, find_source, parse_settings, register_source
from dragoman.files import write_lines
from dragoman.settings import Settings


class ProverbSettings(Settings):
    count: int = Field(2, ge=1, le=9)


class Proverbs(Source[ProverbSettings]):
    name = "proverbs"
    settings_type = ProverbSettings

    def write(self, folder: Path, seed: int, settings: ProverbSettings) -> None:
        rows = [{"id": f"{seed}-{n}", "text": "Still waters run deep."} for n in range(settings.count)]
        write_lines(folder / "cpt_mono.jsonl", rows)


PROVERBS = Proverbs()


def test_a_registered_source_is_used_by_its_name_and_its_settings_are_checked(tmp_path: Path) -> None:
    register_source(PROVERBS)
    data = DataSettings(builder="proverbs", sizes={"count": 3})
    find_source("proverbs").write(tmp_path, 7, parsed_sizes(data))
    assert [row.id for row in read_documents(tmp_path / "cpt_mono.jsonl")] == ["7-0", "7-1", "7-2"]
    with pytest.raises(ValidationError, match=r"data.sizes: count = 10 is not allowed: .* less than or equal to 9"):
        DataSettings(builder="proverbs", sizes={"count": 10})


def test_a_source_is_found_by_its_place() -> None:
    assert find_source("dragoman.data.quickstart.source:QUICKSTART") is find_source("quickstart")
    for place, reason in (("json:dumps", "is a function, not a"), ("no_such:X", "cannot be imported .*module:NAME")):
        with pytest.raises(SourceError, match=reason):
            find_source(place)


def test_an_unknown_name_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SourceError, match="unknown data source 'quikstart': did you mean 'quickstart'"):
        find_source("quikstart")
    with pytest.raises(ValidationError, match="unknown data source 'zzz': known are"):
        DataSettings(builder="zzz")


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"sft": {"maths": 3}}, r"unknown key 'sft.maths', did you mean 'sft.math'\?"),
        ({"paralel": 3}, r"unknown key 'paralel', did you mean 'parallel'\?"),
        ({"sft": {"math": -1}}, "sft.math = -1 is not allowed: .* greater than or equal to 0"),
        ({"flawed_share": 2}, "flawed_share = 2 is not allowed: .* less than or equal to 1"),
        ({"mono": "many"}, "mono = 'many' is not allowed: .* valid integer"),
    ],
)
def test_wrong_sizes_are_refused_with_the_recipe(sizes: dict[str, object], told: str) -> None:
    with pytest.raises(SourceError, match=told):
        parse_settings(find_source("quickstart"), sizes)
    with pytest.raises(ValidationError, match=f"data.sizes: {told}"):
        DataSettings(builder="quickstart", sizes=sizes)


def test_sizes_are_typed_and_have_defaults() -> None:
    sizes = parsed_sizes(DataSettings(builder="quickstart", sizes={"sft": {"math": 5}}))
    assert isinstance(sizes, QuickstartSizes)
    assert (sizes.sft.math, sizes.sft.code, sizes.mono) == (5, 0, 6000)


def test_a_folder_or_a_source_but_not_both() -> None:
    DataSettings(path="rows")
    for wrong in ({}, {"builder": "quickstart", "path": "rows"}):
        with pytest.raises(ValidationError, match=r"exactly one of data.builder and data.path"):
            DataSettings(**wrong)


def test_more_than_there_is_is_an_error_about_the_sizes(tmp_path: Path) -> None:
    wanted = QuickstartSizes.model_validate({"eval_general": {"code": 50_000}})
    with pytest.raises(SourceError, match=r"data.sizes: split 'eval' of code holds only \d+ prompts"):
        find_source("quickstart").write(tmp_path / "out", 0, wanted)
    assert not (tmp_path / "out").exists()


def test_reading_a_recipe_imports_neither_torch_nor_babel() -> None:
    code = (
        "import sys; from dragoman.data.settings import DataSettings; DataSettings(builder='quickstart');"
        "sys.exit(any(name in sys.modules for name in ('torch', 'babel', 'num2words')))"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
