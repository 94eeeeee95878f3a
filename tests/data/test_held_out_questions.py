"""Held out by question: read from the written files, by a reader that shares nothing with the writer's keys.

Sums are read from their words, programs are run, requests are read from their sentences and from the kwargs of their
rewards, translations from the sentences of any language; what is evaluated must be asked or shown nowhere else.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Hashable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dragoman.data.quickstart import slots
from dragoman.data.quickstart.build import build
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.settings import QuickstartSizes

Row = dict[str, Any]
Questions = dict[str, set[Hashable]]
"""Task -> questions in a form of their own"""
TASKS = ("translation", "math", "code", "constraints")
TRAINING = ("cpt_mono", "cpt_parallel", "cpt_instructions", "cpt_sums", "sft", "lat", "preference", "rl")
SMALL = {
    "mono": 1200, "parallel": 2000, "sums": 100, "lat": 400, "flawed_share": 0.2,
    "instructions": {"translation": 100, "math": 400, "code": 200, "constraints": 200},
    "sft": {"translation": 800, "math": 1500, "code": 800, "constraints": 800},
    "preference": {"translation": 100, "math": 200, "code": 150, "constraints": 200},
    "rl": {"translation": 150, "math": 300, "code": 300, "constraints": 300},
    "development_per_direction": 15, "development_general": {"math": 80, "code": 50, "constraints": 80},
    "eval_per_direction": 20, "eval_general": {"math": 200, "code": 100, "constraints": 150},
}  # fmt: skip


def sum_asked(text: str) -> Hashable:
    """The factors and the signed terms of a sum in words or symbols, in no order."""
    signs = {"each": "*", "buys": "+", "adds": "+", "gives": "-", "takes": "-"}
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    found = [signs.get(word, word) for word in re.findall(r"each|buys|adds|gives|takes|(?<= )[-+*](?= )", text)]
    assert len(found) == len(numbers) - 1 > 0, text
    if found[0] == "*":
        return tuple(sorted(numbers[:2])), tuple(sorted(zip(found[1:], numbers[2:], strict=True)))
    return (), tuple(sorted(zip(["+", *found], numbers, strict=True)))


def sum_worked(line: str) -> Hashable:
    """The sum of a working, `7 + 5 = 12, 12 - 3 = \\boxed{9}`: its first number, and what each step does to it."""
    steps = line.split(", ")
    return sum_asked(" ".join([steps[0].split(" = ")[0], *(s.split(" = ")[0].split(" ", 1)[1] for s in steps[1:])]))


@cache
def computed(source: str) -> Hashable:
    """What a function makes of many arguments of every kind: two with the same table are the same function."""
    space: dict[str, Any] = {}
    exec(source.replace("    print(", "    return ("), space)
    numbers, texts = range(-45, 46), ("", "sun", "Paris", "a B c", "Interpreter 2 goes on")
    lists = ([4, 9, 2], [7], [1, 2, 3, 4], [-5, 8], [6, -1, 0, 3, 9])
    given = [(x,) for x in (*numbers, *texts, *lists)] + list(product((-3, 2, 7, 10, 40), repeat=2))
    return tuple(_outcome(space["f"], arguments) for arguments in given)


def _outcome(function: Any, arguments: tuple[Any, ...]) -> str:
    try:
        return repr(function(*arguments))
    except (TypeError, IndexError, ValueError, AttributeError, ZeroDivisionError) as error:
        return type(error).__name__


def program_described(prompt: str) -> str:
    """The English of a program with its arguments numbered; "the word" is never an argument of that name."""
    match = re.search(r"f\(([^)]*)\)(?: that returns|\. It returns| which returns) (.*)\.$", prompt)
    assert match, prompt
    places = {name: f"${number}" for number, name in enumerate(match[1].split(", "))}
    return re.sub(r"(?<!the )\b\w+", lambda word: places.get(word[0], word[0]), match[2])


def request_asked(prompt: str) -> Hashable:
    """Topic and sentences of a request, the number of items left out."""
    asked, *sentences = re.split(r"(?<=[.>]) (?=[A-Z])", prompt)
    topic = re.fullmatch(r"(?:Name|List|Give me) \w+ (.*)\.", asked)
    assert topic, prompt
    return topic[1], frozenset(sentences)


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    return [
        (code, name, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(sentence))))
        for code, language in LANGUAGES.items()
        for name, sentence in language.sentences.items()
    ]


@cache
def _values(code: str, kind: str) -> dict[str, str]:
    """Text of a slot -> its value, over every value that a slot of the kind can have."""
    numbers = [str(n) for n in range(2, 100)]
    dates = product(range(2018, 2030), range(1, 13), range(1, 29))
    whole = {
        "name": slots.FIRST_NAMES, "country": slots.COUNTRIES, "language": slots.SPOKEN, "number": numbers,
        "count": numbers, "month": [str(n) for n in range(1, 13)], "weekday": [str(n) for n in range(7)],
        "date": [f"{y}-{m:02}-{d:02}" for y, m, d in dates],
        "amount": [f"{n}{cents} {money}" for n in numbers for cents in ("", ".50") for money in slots.CURRENCIES],
        "duration": [f"{n} {unit}" for n in numbers for unit in ("hour", "day", "week", "month")],
        "distance": [f"{n} length-{unit}" for n in numbers for unit in ("kilometer", "meter", "mile")],
        "weight": [f"{n} mass-{unit}" for n in numbers for unit in ("kilogram", "gram")],
    }  # fmt: skip
    return {slots.render_slot(kind, value, code): value for value in whole[kind]}


@cache
def meanings(text: str) -> frozenset[Hashable]:
    """What the lines of a text say, in whatever language: templates with the values of their slots."""
    return frozenset(found for line in text.splitlines() for found in _meanings_of_line(line))


@cache
def _meanings_of_line(line: str) -> list[Hashable]:
    found: list[Hashable] = []
    for code, template, pattern in _patterns():
        if match := pattern.fullmatch(re.sub(r"^[A-Z]\w+: ", "", line)):
            texts = match.groupdict()
            known = {slot: _values(code, slot.removesuffix("_2")).get(text) for slot, text in texts.items()}
            if None not in known.values():
                found.append((template, tuple(sorted(known.items()))))
    return found


def chats(name: str, row: Row) -> Iterator[tuple[str, str, str]]:
    """Task, prompt and answer of a row of conversations, prompts, or instructions as text."""
    if name == "cpt_instructions":
        prompt, answer = row["text"].removeprefix("Question: ").split("\nAnswer: ", 1)
        starts = {"def f(": "code", "1": "math"}
        task = next((task for start, task in starts.items() if answer.startswith(start)), "")
        task = "math" if re.match(r"\d+ [-+*] \d+ = ", answer) else task
        task = task or ("constraints" if re.match(r"(Name|List|Give me) \w+ ", prompt) else "translation")
        yield task, prompt, answer
    elif "messages" in row:
        answer = row["messages"][-1]["content"] if len(row["messages"]) > 1 else row.get("reference", "")
        yield row["task"], row["messages"][0]["content"], answer


def questions(name: str, rows: list[Row]) -> Questions:
    """Every question that a file asks or shows an answer to."""
    found: Questions = defaultdict(set)
    for row in rows:
        if name == "cpt_sums":
            found["math"] |= {sum_worked(line) for line in row["text"].splitlines()}
        elif name in ("cpt_mono", "cpt_parallel"):
            assert meanings(row["text"]), row
            found["translation"] |= meanings(row["text"])
        for task, prompt, answer in chats(name, row):
            arguments = row["rewards"][0]["args"] if "rewards" in row else {}
            if task == "math":
                found["math"].add(sum_asked(prompt))
            elif task == "code":
                found["code"].add(program_described(prompt))
                found["functions"] |= {computed(answer)} if answer else set()
                found["cases"] |= {json.dumps(arguments["cases"])} if arguments else set()
            elif task == "constraints":
                found["constraints"].add(request_asked(prompt))
                asked = {json.dumps(one, sort_keys=True) for one in arguments.get("instructions", [])}
                found["kwargs"] |= {(request_asked(prompt)[0], frozenset(asked))} if asked else set()  # type: ignore[index]
            else:
                assert meanings(f"{prompt}\n{answer}"), row
                found["translation"] |= meanings(f"{prompt}\n{answer}")
    return found


@pytest.fixture(scope="module", params=[0, 1, 2])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Questions]:
    """Questions of every file; the suites of one split together."""
    folder = tmp_path_factory.mktemp("quickstart")
    build(folder, seed=request.param, sizes=QuickstartSizes.model_validate(SMALL))
    found = {name: questions(name, read(folder / f"{name}.jsonl")) for name in TRAINING}
    for split in ("development", "eval"):
        rows = [row for path in sorted((folder / split).glob("*.jsonl")) for row in read(path)]
        found[split] = questions(split, rows)
    return found


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("split", ["development", "eval"])
def test_no_evaluated_question_is_asked_or_answered_in_training(files: dict[str, Questions], split: str) -> None:
    assert all(len(files[split][kind]) > 20 for kind in (*TASKS, "functions", "cases", "kwargs"))
    shared = {
        (name, kind): len(evaluated & files[name].get(kind, set()))
        for name in TRAINING
        for kind, evaluated in files[split].items()
    }
    assert not {where: count for where, count in shared.items() if count}


def test_development_and_evaluation_share_no_question(files: dict[str, Questions]) -> None:
    shared = {kind: len(found & files["development"][kind]) for kind, found in files["eval"].items()}
    assert not any(shared.values()), shared


def test_half_of_the_general_prompts_to_sample_from_ask_what_training_asked(files: dict[str, Questions]) -> None:
    for name in ("preference", "rl"):
        for kind in ("math", "code", "constraints"):
            assert files[name][kind] & files["sft"][kind], (name, kind)
        assert not files[name]["translation"] & files["sft"]["translation"]


def test_the_reader_sees_through_wordings() -> None:
    bags = "Paul has 4 bags with 2 coins each, buys 1 more and gives away 3. How many coins does Paul have now?"
    assert (
        sum_asked(bags) == sum_asked("What is 2 * 4 - 3 + 1?") == sum_worked("4 * 2 = 8, 8 + 1 = 9, 9 - 3 = \\boxed{6}")
    )
    assert sum_asked("What is 7 + 5 - 3?") != sum_asked("What is 7 + 3 - 5?")
    assert computed("def f(y, x):\n    return y - x") == computed("def f(a, b):\n    print(a - b)")
    assert computed("def f(x):\n    return x > 17") != computed("def f(x):\n    return x > 18")
    first = program_described("Write a Python function f(y, x) that returns y minus x.")
    assert first == program_described("I need a Python function f(a, b). It returns a minus b.") == "$0 minus $1"
    assert (
        meanings("Maria liest Seite zwölf des Buches.")
        == meanings("French: Maria lit la page douze du livre.")
        != frozenset()
    )
    assert request_asked("Name two months. Use only capital letters. Do not use commas.") == request_asked(
        "List four months. Do not use commas. Use only capital letters."
    )
