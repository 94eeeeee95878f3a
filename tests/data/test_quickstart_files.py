"""The quickstart's files: complete, deterministic, without leakage, and every reference answer right.

References are checked independently of the code that wrote them: arithmetic by Python's own evaluation of the
question's numbers, programs in a separate interpreter, constraints by the IFEval paper's rules restated here,
languages by py3langid.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import py3langid
import pytest

from dragoman.data.quickstart.build import build
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.settings import QuickstartSizes, TaskCounts
from dragoman.data.quickstart.templates import HELD_OUT_TEMPLATES, split_of
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

Row = dict[str, Any]
FILES = ("cpt_mono", "cpt_parallel", "cpt_instructions", "cpt_sums", "sft", "lat", "preference", "rl")
SUITES = ("translation_supervised", "translation_parallel_only", "translation_zero_shot", "math", "code", "constraints")


def counts(translation: int, math: int, code: int, constraints: int) -> TaskCounts:
    return TaskCounts(translation=translation, math=math, code=code, constraints=constraints)


SMALL = QuickstartSizes(
    mono=40,
    parallel=60,
    instructions=counts(4, 4, 4, 4),
    sft=counts(30, 20, 20, 20),
    lat=12,
    preference=counts(24, 8, 8, 8),
    rl=counts(24, 8, 8, 8),
    development_per_direction=2,
    development_general=counts(0, 4, 4, 4),
    eval_per_direction=5,
    eval_general=counts(0, 10, 10, 10),
)


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """All files at their default sizes, by name."""
    folder = tmp_path_factory.mktemp("quickstart")
    build(folder)
    names = [*FILES, *(f"{split}/{suite}" for split in ("eval", "development") for suite in SUITES)]
    return {name: read(folder / f"{name}.jsonl") for name in names}


def evaluation_rows(data: dict[str, list[Row]], split: str = "eval") -> list[Row]:
    return [row for suite in SUITES for row in data[f"{split}/{suite}"]]


def prompt(row: Row) -> str:
    return str(row["messages"][0]["content"])


def test_files_have_the_sizes_asked_for(data: dict[str, list[Row]]) -> None:
    sizes = {name: len(rows) for name, rows in data.items()}
    assert sizes == {
        "cpt_mono": 6000,
        "cpt_parallel": 14000,
        "cpt_instructions": 1500,
        "cpt_sums": 300,
        "sft": 9300,
        "lat": 2400,
        "preference": 910,
        "rl": 1700,
        "eval/translation_supervised": 180,
        "eval/translation_parallel_only": 60,
        "eval/translation_zero_shot": 120,
        "eval/math": 150,
        "eval/code": 120,
        "eval/constraints": 150,
        "development/translation_supervised": 120,
        "development/translation_parallel_only": 40,
        "development/translation_zero_shot": 80,
        "development/math": 100,
        "development/code": 50,
        "development/constraints": 150,
    }


def test_ids_are_unique_within_a_file(data: dict[str, list[Row]]) -> None:
    for name, rows in data.items():
        assert len({row["id"] for row in rows}) == len(rows), name


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    build(tmp_path / "a", seed=3, sizes=SMALL)
    build(tmp_path / "b", seed=3, sizes=SMALL)
    build(tmp_path / "c", seed=4, sizes=SMALL)
    for path in sorted((tmp_path / "a").rglob("*.jsonl")):
        name = path.relative_to(tmp_path / "a")
        assert path.read_bytes() == (tmp_path / "b" / name).read_bytes(), name
        assert path.read_bytes() != (tmp_path / "c" / name).read_bytes(), name
    assert not [path for path in tmp_path.rglob("*.partial")]


def test_parallel_text_is_laid_out_as_it_is_found_and_comes_back_in_one_layout(data: dict[str, list[Row]]) -> None:
    found = [parallel_text("en", "A b.", "de", "C d.", layout) for layout in range(len(PARALLEL_LAYOUTS))]
    assert found == [
        "English: A b.\nGerman: C d.",
        "From English to German.\nA b.\nC d.",
        "English text in German:\nA b.\nC d.",
        "English: A b.\nGerman: C d.\nEnglish: A b.",
    ]
    lines = [row["text"].splitlines() for row in data["cpt_parallel"]]
    returning = [line for line in lines if len(line) == 3 and line[0] == line[2]]
    assert 0.1 < len(returning) / len(lines) < 0.4  # one layout of four


def sentences(rows: list[Row]) -> set[str]:
    """Every sentence in any language that rows contain."""
    found: set[str] = set()
    for row in rows:
        if "languages" in row:
            lines = row["text"].splitlines()  # two labelled lines, or a heading and two lines
            found |= {line.split(": ", 1)[1] for line in lines} if len(lines) == 2 else set(lines[1:])
        elif "language" in row:
            found.add(row["text"])
        elif row.get("task") == "translation":
            found |= {row["source"], row["reference"]}
    return found


def test_no_held_out_sentence_occurs_in_training_in_any_language(data: dict[str, list[Row]]) -> None:
    """A meaning is held out as a whole: neither source nor reference is trained on in any direction."""
    trained = sentences([row for name in ("cpt_mono", "cpt_parallel", "sft", "lat") for row in data[name]])
    for name in ("preference", "rl"):
        assert not sentences(data[name]) & trained, name
    seen = trained | sentences([row for name in ("preference", "rl") for row in data[name]])
    for split in ("eval", "development"):
        assert not sentences(evaluation_rows(data, split)) & seen, split
    assert not sentences(evaluation_rows(data)) & sentences(evaluation_rows(data, "development"))
    text = "\n".join(row["text"] for row in data["cpt_instructions"])
    assert not [sentence for sentence in sentences(evaluation_rows(data)) if sentence in text]


def test_held_out_templates_occur_in_evaluation_only(data: dict[str, list[Row]]) -> None:
    for name in ("sft", "lat", "preference", "rl"):
        assert not {row.get("template") for row in data[name]} & set(HELD_OUT_TEMPLATES), name
    assert not {row.get("template") for row in evaluation_rows(data, "development")} & set(HELD_OUT_TEMPLATES)
    for suite in ("supervised", "parallel_only", "zero_shot"):
        rows = data[f"eval/translation_{suite}"]
        assert {row["template"] for row in rows if row["heldout"] == "template"} == set(HELD_OUT_TEMPLATES)
        assert not {row["template"] for row in rows if row["heldout"] == "slots"} & set(HELD_OUT_TEMPLATES)
        directions = len({(row["source_language"], row["target_language"]) for row in rows})
        assert Counter(row["heldout"] for row in rows) == {"slots": 24 * directions, "template": 6 * directions}


def test_general_prompts_are_disjoint_between_files(data: dict[str, list[Row]]) -> None:
    prompts = {name: {prompt(row) for row in data[name]} for name in ("sft", "preference", "rl")}
    prompts |= {split: {prompt(row) for row in evaluation_rows(data, split)} for split in ("eval", "development")}
    names = list(prompts)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            assert not prompts[first] & prompts[second], (first, second)


def sum_of(text: str) -> str:
    """The sum behind a question, from its words alone, as Python would write it."""
    numbers = re.findall(r"\d+", text)
    signs = {"each": "*", "buys": "+", "adds": "+", "gives": "-", "takes": "-"}
    found = [signs.get(word, word) for word in re.findall(r"each|buys|adds|gives|takes|(?<= )[-+*](?= )", text)]
    assert len(found) == len(numbers) - 1, text
    return numbers[0] + "".join(f" {sign} {number}" for sign, number in zip(found, numbers[1:], strict=True))


def test_new_prompts_ask_for_the_same_thing_twice_at_most(data: dict[str, list[Row]]) -> None:
    for name in [f"{split}/{task}" for split in ("development", "eval") for task in ("math", "code", "constraints")]:
        assert max(Counter((row["heldout"], row["cluster"]) for row in data[name]).values()) == 2, name
    for name in ("preference", "rl"):
        rows = [row for row in data[name] if row["task"] == "math"]
        longer = [row["cluster"] for row in rows if len(re.findall(r"\d+", row["cluster"])) > 2]  # single sums: trained
        new = Counter(key for key in longer if split_of(key, 0) == name)
        assert new.total() == len(rows) / 2
        assert max(new.values()) == 2, name


def test_every_step_of_an_evaluated_sum_is_trained_as_a_step(data: dict[str, list[Row]]) -> None:
    def steps(text: str) -> set[str]:
        return set(re.findall(r"\d+ [-+*] \d+ = ", text))

    trained = steps(" ".join(row["messages"][1]["content"] for row in data["sft"] if row["task"] == "math"))
    asked = [step for row in data["eval/math"] for step in steps(row["reference"])]
    assert sum(step in trained for step in asked) > 0.95 * len(asked)


def test_math_references_and_golds_are_right(data: dict[str, list[Row]]) -> None:
    for row in data["eval/math"] + [r for r in data["rl"] if r["task"] == "math"]:
        result = eval(sum_of(prompt(row)))
        assert 0 <= result <= 12 and str(result) != re.findall(r"\d+", prompt(row))[-1], (
            "repeating the question is paid"
        )
        assert row["rewards"][0]["args"] == {"gold": str(result)}, prompt(row)
        if "reference" in row:
            *worked, last = row["reference"].split(", ")
            assert last.endswith(f"\\boxed{{{result}}}")
            assert all(eval(step.replace("=", "==")) for step in worked), row["reference"]
            assert " ".join(s.split(" = ")[0].split(" ", 1)[1] for s in [*worked, last]) in sum_of(prompt(row))


def test_a_fifth_of_the_longer_sums_shown_stops_early_and_a_fifth_of_the_programs_prints(
    data: dict[str, list[Row]],
) -> None:
    def shown(name: str, task: str) -> list[tuple[str, str]]:
        return [(prompt(row), row["messages"][1]["content"]) for row in data[name] if row["task"] == task]

    longer = [(asked, told) for asked, told in shown("sft", "math") if len(re.findall(r"\d+", asked)) > 2]
    short = [(asked, told) for asked, told in shown("sft", "math") if len(re.findall(r"\d+", asked)) == 2]
    early = [asked for asked, told in longer if not told.endswith(f"\\boxed{{{eval(sum_of(asked))}}}")]
    assert len(early) == round(0.2 * len(longer)) > 100
    for asked, told in shown("sft", "math"):
        sums = re.sub(r"\\boxed\{(\d+)\}", r"\1", told).split(", ")
        assert all(eval(step.replace("=", "==")) for step in sums)  # what is shown of a sum is right
        steps = len(re.findall(r"\d+", asked)) - 1
        assert len(sums) == steps - (asked in early)
    assert all(told.endswith(f"\\boxed{{{eval(sum_of(asked))}}}") for asked, told in short)
    programs = [told for _, told in shown("sft", "code")]
    printing = [told for told in programs if "    print(" in told]
    assert len(printing) == round(0.2 * len(programs)) > 100
    assert not [told for told in printing if "return" in told]
    for told in printing:
        compile(told, "<shown>", "exec")
    everywhere_else = json.dumps([rows for name, rows in data.items() if name != "sft"])
    assert "print(" not in everywhere_else


def test_code_references_pass_their_cases_in_another_interpreter(data: dict[str, list[Row]]) -> None:
    rows = data["eval/code"]
    runner = (
        "import json,sys\n"
        "for row in json.load(sys.stdin):\n"
        "    space = {}\n"
        "    exec(row['reference'], space)\n"
        "    asked = row['rewards'][0]['args']\n"
        "    for case in asked['cases']:\n"
        "        assert space[asked['entry']](*case['args']) == case['expected'], row['id']\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", runner],
        input=json.dumps(rows),
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_code_cases_tell_the_families_apart(data: dict[str, list[Row]]) -> None:
    """A function that returns its first argument, or a constant, passes no evaluated program's cases."""
    for row in data["eval/code"]:
        cases = row["rewards"][0]["args"]["cases"]
        for place in range(len(cases[0]["args"])):
            assert any(case["args"][place] != case["expected"] for case in cases), prompt(row)
        assert len({json.dumps(case["expected"]) for case in cases}) > 1, prompt(row)


def keeps(identifier: str, kwargs: dict[str, Any], text: str) -> bool:
    """IFEval's rules (arXiv 2311.07911, table 4) for the ids the quickstart uses, restated."""
    bare = text.strip().strip('"').lower()
    words = re.findall(r"\w+", text)
    checks = {
        "change_case:english_lowercase": lambda: text.islower(),
        "change_case:english_capital": lambda: text.isupper(),
        "punctuation:no_comma": lambda: "," not in text,
        "startend:quotation": lambda: len(text) > 1 and text[0] == text[-1] == '"',
        "startend:end_checker": lambda: bare.endswith(kwargs["end_phrase"].lower()),
        "detectable_format:title": lambda: bool(re.search(r"<<[^\n]+>>", text)),
        "detectable_format:number_bullet_lists": lambda: (
            len(re.findall(r"^\s*\*[^\*].*$", text, re.M) + re.findall(r"^\s*-.*$", text, re.M))
            == kwargs["num_bullets"]
        ),
        "keywords:existence": lambda: all(word in text.lower() for word in kwargs["keywords"]),
        "keywords:frequency": lambda: text.lower().count(kwargs["keyword"]) >= kwargs["frequency"],
        "keywords:forbidden_words": lambda: (
            not any(re.search(rf"\b{word}\b", text, re.I) for word in kwargs["forbidden_words"])
        ),
        "length_constraints:number_words": lambda: (
            len(words) >= kwargs["num_words"] if kwargs["relation"] == "at least" else len(words) < kwargs["num_words"]
        ),
        "language:response_language": lambda: identify(text) == kwargs["language"],
    }
    return bool(checks[identifier]())


@pytest.fixture(scope="module", autouse=True)
def only_these_languages() -> Iterator[None]:
    """py3langid chooses among the quickstart's languages."""
    py3langid.set_languages(list(LANGUAGES))
    yield
    py3langid.set_languages(None)


def identify(text: str) -> str:
    return str(py3langid.classify(text)[0])


def test_constraint_references_keep_every_constraint(data: dict[str, list[Row]]) -> None:
    for row in data["eval/constraints"]:
        for asked in row["rewards"][0]["args"]["instructions"]:
            assert keeps(asked["id"], asked["kwargs"], row["reference"]), (asked, row["reference"])


def test_constraints_have_the_items_they_ask_for_and_twelve_kinds(data: dict[str, list[Row]]) -> None:
    kinds = {
        asked["id"]
        for row in data["rl"]
        if row["task"] == "constraints"
        for asked in row["rewards"][0]["args"]["instructions"]
    }
    assert len(kinds) == 12
    counts = Counter(len(row["rewards"][0]["args"]["instructions"]) for row in data["eval/constraints"])
    assert set(counts) == {1, 2}


def test_an_unconstrained_answer_mostly_fails(data: dict[str, list[Row]]) -> None:
    """The constraints bite: less than a third of the rows accept another row's answer."""
    rows = data["eval/constraints"]
    kept = 0
    for position, row in enumerate(rows):
        other = rows[(position + 37) % len(rows)]["reference"]
        kept += all(keeps(a["id"], a["kwargs"], other) for a in row["rewards"][0]["args"]["instructions"])
    assert kept / len(rows) < 1 / 3


def test_references_are_identified_as_their_language(data: dict[str, list[Row]]) -> None:
    rows = [
        row
        for name in ("eval/translation_supervised", "eval/translation_zero_shot", "rl", "lat")
        for row in data[name]
        if row["task"] == "translation"
    ]
    right = sum(identify(row["reference"]) == row["target_language"] for row in rows)
    assert right / len(rows) >= 0.98


def test_sentences_are_short_but_not_too_short(data: dict[str, list[Row]]) -> None:
    lengths = [len(row["text"].split()) for row in data["cpt_mono"]]
    assert max(lengths) <= 16
    assert sum(length >= 5 for length in lengths) / len(lengths) > 0.95


def test_translation_rewards_gate_on_the_direction(data: dict[str, list[Row]]) -> None:
    for row in data["rl"]:
        if row["task"] == "translation":
            chrf, direction = row["rewards"]
            assert chrf == {"kind": "chrf", "weight": 1, "args": {"reference": row["reference"]}}
            expected = {"source": row["source_language"], "target": row["target_language"]}
            assert direction == {"kind": "direction", "weight": 1, "gate": True, "args": expected}


def test_a_size_beyond_the_slots_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    sizes = SMALL.model_copy(update={"eval_general": counts(0, 1, 5_000, 1)})
    with pytest.raises(ValueError, match=r"split 'eval' of code holds only \d+ prompts.*lower that size"):
        build(tmp_path / "out", sizes=sizes)
    assert not (tmp_path / "out").exists()


def test_rows_of_one_cluster_are_rewarded_for_the_same(data: dict[str, list[Row]]) -> None:
    for name in ("preference", "rl", "eval/math", "eval/constraints", "eval/translation_supervised"):
        assert all(row["cluster"] for row in data[name]), name
        paid: dict[str, set[str]] = {}
        for row in data[name]:
            if row["task"] in ("math", "constraints"):
                asked = sorted(json.dumps(one, sort_keys=True) for one in row["rewards"][0]["args"].items())
                paid.setdefault(row["cluster"], set()).add(str(asked))
        assert all(len(kinds) == 1 for kinds in paid.values()), name
