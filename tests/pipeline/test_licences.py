"""The ledger of a stage, and what `licences: commercial` refuses."""

import json

import pytest

from dragoman.pipeline.licences import Holding, check, holdings, model_licence, recorded
from dragoman.recipes import RecipeError, load_recipe


def card(folder, licence):
    folder.mkdir()
    (folder / "README.md").write_text(f"---\nlanguage: de\nlicense: {licence}\n---\n# A model\nlicense: none\n")
    return folder


def test_a_model_says_its_licence_in_its_package_its_card_or_its_name(tmp_path):
    assert model_licence(card(tmp_path / "a", "apache-2.0")) == "apache-2.0"
    assert model_licence(tmp_path / "models" / "wmt22-cometkiwi-da") == "CC-BY-NC-SA-4.0"
    assert model_licence(card(tmp_path / "cometkiwi-own", "mit")) == "mit"  # what it says itself comes first
    assert model_licence(tmp_path / "something") == "unknown"
    packed = card(tmp_path / "p", "mit")
    (packed / "PROVENANCE.json").write_text(json.dumps({"packages": [{"licence": "Gemma"}, {"licence": "Gemma"}]}))
    assert model_licence(packed) == "Gemma"


def test_the_ledger_counts_rows_by_licence_and_names_places(tmp_path):
    rows = [{"text": "a", "licence": "CC0-1.0", "provenance": f"book {n}"} for n in range(7)] + [{"text": "b"}]
    (tmp_path / "cpt_mono.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = load_recipe(None, [f"rewards.pools={{xcomet: {{arguments: {{model: {tmp_path}/XCOMET-XL}}}}}}"])
    model, reward, free, silent = recorded(holdings(recipe, tmp_path, tmp_path, ["cpt_mono.jsonl"]))
    assert (model["name"], model["licence"]) == ("made here", "own")
    assert reward["name"].startswith("xcomet: ") and reward["licence"] == "CC-BY-NC-SA-4.0"
    assert (free["licence"], free["rows"], free["provenances"]) == ("CC0-1.0", 7, [f"book {n}" for n in range(5)])
    assert (silent["licence"], silent["rows"], silent["provenances"]) == ("unknown", 1, ["unknown"])


@pytest.mark.parametrize(
    "licence", ["CC-BY-NC-4.0", "cc-by-nc-sa-4.0", "Non-Commercial Research", "research only", "noncommercial"]
)
def test_commercial_refuses_what_forbids_it_and_names_a_substitute(licence, capsys):
    commercial = load_recipe(None, ["licences=commercial"])
    with pytest.raises(
        RecipeError, match=r"the reward xcomet: X is under .* forbids it; take comet with wmt22-comet-da"
    ):
        check(commercial, [Holding("model", "m", "MIT"), Holding("reward", "xcomet: X", licence)])
    with pytest.raises(RecipeError, match=r"the data sft\.jsonl is under .*; leave it out"):
        check(commercial, [Holding("data", "sft.jsonl", licence, 3)])
    check(load_recipe(None, []), [Holding("data", "sft.jsonl", licence, 3)])
    assert not capsys.readouterr().out


@pytest.mark.parametrize("licence", ["MIT", "CC-BY-4.0", "Apache-2.0", "Gemma", "CC0-1.0", "LicenseRef-ncurses", "own"])
def test_commercial_lets_the_others_pass_and_tells_of_silence(licence, capsys):
    commercial = load_recipe(None, ["licences=commercial"])
    check(commercial, [Holding("data", "sft.jsonl", licence), Holding("data", "rl.jsonl", "unknown")])
    assert "nothing says the licence of data rl.jsonl" in capsys.readouterr().out
