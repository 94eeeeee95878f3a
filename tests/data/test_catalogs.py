"""The catalogs' data: rows that every reader takes, questions held out in every language, directions never shown."""

import dataclasses
import json
import sys
from pathlib import Path
from random import Random

import pytest
from pydantic import ValidationError

from dragoman.data.catalogs.catalog_files import nearest_code
from dragoman.data.catalogs.identity import question_of, words_of
from dragoman.data.catalogs.items import Item, is_paid
from dragoman.data.catalogs.reasoning import question_key
from dragoman.data.catalogs.settings import CatalogSizes, Shares
from dragoman.data.catalogs.sums import Sum, story, worked
from dragoman.data.rows import read_conversations, read_documents, read_prompts
from dragoman.data.settings import DataSettings, parsed_sizes
from dragoman.data.sources import SourceError, find_source
from dragoman.evaluation.suites import load_suites
from dragoman.files import read_lines
from dragoman.settings import result_values

sys.path.insert(0, str(Path(__file__).parent))
from catalog_samples import offer_wheel, strings

SIZES = {
    "languages": ["en", "de", "fr"], "zero_shot": ["de-fr", "fr-de"], "packages": ["homeassistant"],
    "human_eval": False, "algorithms": False,
    "mono": 60, "parallel": 200, "instructions": 40, "sft": 150, "lat": 40, "preference": 50, "rl": 60,
    "eval_per_direction": 5, "eval_general": 6, "development_per_direction": 3, "development_general": 4,
}  # fmt: skip
FILES = ("cpt_mono", "cpt_parallel", "cpt_instructions", "sft", "lat", "preference", "rl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("catalogs")
    with pytest.MonkeyPatch.context() as patch:
        (tmp / "index").mkdir()
        offer_wheel(tmp / "index", patch, tmp)
        for name in ("one", "two"):
            written(tmp / name)
        written(tmp / "read", read=["de-fr"], zero_shot=["fr-de"])
        written(tmp / "after", instruction="after")
        with pytest.raises(
            SourceError, match=r"no catalog of homeassistant is in 'cs'; known languages are de, en, fr"
        ):
            written(tmp / "czech", languages=["en", "de", "cs"], zero_shot=[])
        with pytest.raises(SourceError, match=r"asks for 900 rows of lat, and the catalogs have \d+: lower that size"):
            written(tmp / "large", pairs=100, lat=900)
    assert not (tmp / "czech").exists() and not (tmp / "large").exists()
    return tmp


def written(folder, **changes):
    settings = parsed_sizes(DataSettings(builder="catalogs", sizes=SIZES | changes))
    find_source("catalogs").write(folder, 0, settings)


def rows(path):
    return [row for _, row in read_lines(path)]


def every_row(folder):
    return {str(p.relative_to(folder))[:-6]: rows(p) for p in sorted(folder.rglob("*.jsonl"))}


def english_of(row):
    """English texts that a row shows or asks for, as words."""
    if "source" in row:
        return {words_of(row["source"] if row["source_language"] == "en" else row["reference"])}
    return {words_of(line) for line in row.get("text", "").split("\n")} if row.get("language") == "en" else set()


def test_every_file_is_there_and_every_reader_takes_it(folder):
    one = folder / "one"
    assert {name for name in every_row(one) if "/" not in name} == set(FILES)
    counts = {name: len(rows(one / f"{name}.jsonl")) for name in FILES}
    assert counts == {
        "cpt_mono": 60,
        "cpt_parallel": 200,
        "cpt_instructions": 40,
        "sft": 150,
        "lat": 40,
        "preference": 50,
        "rl": 60,
    }
    for name in FILES[:3]:
        assert read_documents(one / f"{name}.jsonl")
    assert read_conversations(one / "sft.jsonl") and read_conversations(one / "lat.jsonl", translations=True)
    assert read_prompts(one / "preference.jsonl") and read_prompts(one / "rl.jsonl")
    names = {suite.name for suite in load_suites(one / "eval")}
    assert names == {suite.name for suite in load_suites(one / "development")}
    assert {"translation_supervised", "translation_zero_shot", "mt_instructions", "math", "code", "constraints"} < names


def test_the_same_seed_gives_the_same_bytes(folder):
    for path in sorted((folder / "one").rglob("*.jsonl")):
        assert path.read_bytes() == (folder / "two" / path.relative_to(folder / "one")).read_bytes()


def test_every_row_says_where_it_comes_from(folder):
    for name, found in every_row(folder / "one").items():
        assert all(row["provenance"] and row["licence"] for row in found), name
        assert len({row["id"] for row in found}) == len(found)
    assert {row["licence"] for row in rows(folder / "one" / "cpt_mono.jsonl")} == {"Apache-2.0"}


def test_no_english_string_stands_in_two_splits(folder):
    found = every_row(folder / "one")
    split = {
        "train": ("cpt_mono", "cpt_parallel", "sft", "lat"), "preference": ("preference",), "rl": ("rl",),
        "eval": tuple(n for n in found if n.startswith("eval/")),
        "development": tuple(n for n in found if n.startswith("development/")),
    }  # fmt: skip
    shown = {
        name: {text for file in files for row in found[file] for text in english_of(row)}
        for name, files in split.items()
    }
    names = sorted(shown)
    assert all(shown.values())
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            assert not shown[one] & shown[other], (one, other)
    held_out = {words_of(row["reference"]) for n in split["eval"] for row in found[n] if row["task"] == "translation"}
    trained = "\n".join(json.dumps(row, ensure_ascii=False) for n in split["train"] for row in found[n])
    assert not [text for text in held_out if " ".join(text) in " ".join(words_of(trained))]


def test_tasks_of_reasoning_gym_are_sampled_and_held_out_by_their_words(folder, tmp_path):
    shares = {"translation": 0.5, "mt_instructions": 0, "math": 0.25, "constraints": 0, "code": 0,
              "preference_label": 0, "language": 0, "reasoning": 0.25}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        (tmp_path / "index").mkdir()
        offer_wheel(tmp_path / "index", patch, tmp_path)
        written(tmp_path / "data", sampled_shares=shares, reasoning_tasks=["chain_sum", "gcd"])
    found = {
        name: [row for row in some if row.get("task") == "reasoning"]
        for name, some in every_row(tmp_path / "data").items()
    }
    counts = {name: len(some) for name, some in found.items() if some}
    assert counts == {"preference": 12, "rl": 15, "eval/reasoning": 6, "development/reasoning": 4}
    words = {name: {tuple(sorted(row["messages"][0]["content"].split())) for row in found[name]} for name in counts}
    assert all(not words[a] & words[b] for a in words for b in words if a < b)
    sums = {row["cluster"] for row in rows(tmp_path / "data" / "eval" / "math.jsonl")}
    trained = {row["cluster"] for name in ("preference", "rl") for row in found[name]}
    assert not sums & trained and {key[:4] for key in trained} == {"math", "reas"}
    with pytest.raises(ValidationError, match=r"sft_shares\.reasoning must be 0"):
        CatalogSizes(sft_shares=Shares(reasoning=0.16, translation=0))
    with pytest.raises(ValidationError, match="'countdown' is no task of reasoning-gym that is admitted"):
        CatalogSizes(reasoning_tasks=("countdown",))


def test_two_orders_of_a_question_are_one():
    assert question_key("chain_sum", "What is 5 + 3 - 12 =") == question_key("chain_sum", "Work out: 5 - 12 + 3 =")
    assert question_key("chain_sum", "= 5 + 3 - 12 =") == Sum((5,), (("+", 3), ("-", 12))).key
    assert question_key("gcd", "of 4, 6") != question_key("gcd", "of 4, 9")
    assert question_key("gcd", "of 4 and 6") == question_key("gcd", "of 6 and 4")


def test_zero_shot_directions_are_shown_by_no_file(folder):
    for row in (r for name, found in every_row(folder / "one").items() if "zero_shot" not in name for r in found):
        assert "en" in row.get("languages", ["en"])
        assert "en" in (row.get("source_language", "en"), row.get("target_language"))
    asked = {
        (r["source_language"], r["target_language"]) for r in rows(folder / "one/eval/translation_zero_shot.jsonl")
    }
    assert asked == {("de", "fr"), ("fr", "de")}


def test_no_training_row_has_two_other_languages_side_by_side(folder):
    """A preference prompt, for instance, could show the German and the French text of one meaning."""
    texts = {code: strings(code)["config"]["step"] for code in ("de", "fr")}
    for name in FILES:
        for line in (folder / "one" / f"{name}.jsonl").read_text().splitlines():
            assert not [key for key, text in texts["de"].items() if text in line and texts["fr"][key] in line], line


def test_a_direction_may_be_read_only_when_a_key_says_so(folder):
    found = every_row(folder / "read")
    assert ["de", "fr"] in [row.get("languages") for row in found["cpt_parallel"]]
    assert ["fr", "de"] not in [row.get("languages") for row in found["cpt_parallel"]]
    assert all(
        "French: " not in r["text"].split("\n")[-1] or r["languages"] != ["fr", "de"] for r in found["cpt_parallel"]
    )
    pairs = {(r["source_language"], r["target_language"]) for r in found["eval/translation_parallel_only"]}
    assert pairs == {("de", "fr")}


def test_what_is_no_translation_is_left_out(folder):
    text = "".join(p.read_text() for p in (folder / "one").rglob("*.jsonl"))
    for kept_out in (
        "could not be opened",
        "never translated",
        "after all",
        "Three words",
        "%key",
        "Ganz anders",
        "should ever be",
    ):
        assert kept_out not in text


def test_right_answers_are_paid_and_wrong_ones_are_not(folder):
    for name in ("rl", "preference", "eval/mt_instructions", "eval/constraints", "eval/preference_label"):
        for row in rows(folder / "one" / f"{name}.jsonl"):
            columns = {k: row[k] for k in ("source", "source_language", "target_language", "reference") if k in row}
            item = Item(
                row["task"], "", row["messages"][0]["content"], row["gold_response"], tuple(row["rewards"]), columns
            )
            assert is_paid(item), row["id"]
            if row["task"] not in ("math", "code"):
                assert not is_paid(dataclasses.replace(item, answer="I am sorry, I cannot help with that.")), row["id"]


def test_shares_of_fine_tuning_are_kept(folder):
    tasks = [row["task"] for row in rows(folder / "one" / "sft.jsonl")]
    assert tasks.count("translation") + tasks.count("mt_instructions") == 33  # 22 % of 150
    with pytest.raises(ValidationError, match=r"add up to 1.1"):
        Shares(translation=0.26)


def test_names_numbers_and_placeholders_make_no_other_question():
    same = ("Set up your Philips Hue bridge.", "Set up your {name} bridge", "SET up your <b>Tado</b> Bridge 2!")
    assert {question_of(text) for text in same[:2]} == {"set up your bridge"}
    assert words_of(same[1]) == ("set", "up", "your", "bridge")
    assert question_of("Delete this room?") != question_of("Delete this event?")
    assert question_of("Home Assistant Cloud") == "home assistant cloud"  # too little would be left


def test_languages_are_found_under_the_codes_that_catalogs_use():
    codes = frozenset({"cs_CZ", "zh_Hans_CN", "pt_BR", "de", "en_GB"})
    assert [nearest_code(code, codes) for code in ("cs", "zh", "pt-BR", "de", "fr")] == [
        "cs_CZ", "zh_Hans_CN", "pt_BR", "de", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"languages": ["de", "fr"]}, "languages must hold en"),
        ({"languages": ["en", "qqq"]}, "unknown language code 'qqq'"),
        ({"languages": ["en", "pt-BR"]}, "write pt_BR: a hyphen stands between"),
        ({"zero_shot": ["de-it"]}, r"zero_shot names 'de-it'; write two different languages of de, fr, es, cs"),
        ({"zero_shot": ["en-de"]}, "none that is English"),
        ({"read": ["de-fr"]}, "de-fr stands in zero_shot and in read"),
        ({"packages": ["homeassistent"]}, "packages"),
        ({"bible_book": "Luke"}, "unknown key 'bible_book', did you mean 'bible'"),
    ],
)
def test_wrong_settings_are_told_with_the_recipe(changes, told):
    with pytest.raises(ValidationError, match=told):
        DataSettings(builder="catalogs", sizes=changes)


def test_a_sum_is_the_same_in_any_order():
    one, two = Sum((7,), (("+", 5), ("-", 3))), Sum((5,), (("-", 3), ("+", 7)))
    assert one.key == two.key != Sum((7,), (("+", 5), ("+", 3))).key
    assert worked(one) == r"7 + 5 = 12, 12 - 3 = \boxed{9}"
    assert worked(Sum((4, 9), (("-", 6),))) == r"4 * 9 = 36, 36 - 6 = \boxed{30}"
    assert Sum((4, 9), (("-", 6),)).written == "4 * 9 - 6"
    assert story(one, Random(0)).count("7") == 1


def test_accepting_a_licence_changes_no_result():
    assert result_values(CatalogSizes(accept_licences=("GPL-3.0",))) == result_values(CatalogSizes())


def test_plain_translations_have_the_text_first_where_that_is_asked_for(folder):
    def asks_first(name, file):
        found = rows(folder / name / f"{file}.jsonl")
        plain = [row for row in found if "source" in row and len(row.get("rewards", "12")) == 2]
        assert len(plain) > 10
        return {len(row["messages"][0]["content"].partition(row["source"])[0]) > len("Französisch: ") for row in plain}

    for file in ("lat", "eval/translation_supervised"):
        assert asks_first("one", file) == {True} and asks_first("after", file) == {False}
