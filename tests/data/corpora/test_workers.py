"""Work in processes: the same segments, funnel and rows as in one, a worker that dies."""

import os
from dataclasses import asdict

import pytest

from dragoman.data.corpora import workers
from dragoman.data.corpora.filters import FILTERS, Filter
from dragoman.data.corpora.funnel import Funnel
from dragoman.data.corpora.instructed import termbase
from dragoman.data.corpora.ordinary import Ordinary
from dragoman.data.corpora.segments import InputError, Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.settings import result_values


def segments():
    """300: of every ten, one without a target, one copied, one that repeats, one with another number, one French."""
    for n in range(300):
        source, target = f"There are {n} old houses near the river.", f"Am Fluss stehen {n} alte Häuser und Scheunen."
        changed = {
            1: (source, ""), 3: (source, source), 5: (f"There are {n - 1} old houses near the river.",
            f"Am Fluss stehen {n - 1} alte Häuser und Scheunen."), 7: (source, target.replace(str(n), str(n + 1000))),
            9: (source, f"Il y a {n} vieilles maisons près de la rivière."),
        }  # fmt: skip
        yield Segment(*changed.get(n % 10, (source, target)), "en", "de", f"f:{n}")


ORDER = ("empty", "copy", "duplicates", "numbers", "near_duplicates", "language")


def run(processes, filters=ORDER, limits=None):
    funnel = Funnel(CorpusSizes(filters=filters, processes=processes, limits=limits or {"near": 1.0}))
    return list(funnel.run(segments())), [asdict(passage) for passage in funnel.passages]


def test_two_processes_give_the_segments_and_the_funnel_of_one_in_their_order(monkeypatch):
    monkeypatch.setattr(workers, "PIECE", 7)
    monkeypatch.setattr(workers.judged, "__defaults__", (10,))  # the start of workers pays from 20,000 segments on
    two, one = run(2), run(1)
    assert two == one
    assert [segment.place for segment in two[0]] == [f"f:{n}" for n in range(300) if n % 2 == 0]
    counts = {passage["name"]: (passage["came"], passage["went"]) for passage in two[1]}
    assert counts == {
        "empty": (300, 30), "copy": (270, 30), "duplicates": (240, 30), "numbers": (210, 30),
        "near_duplicates": (180, 0), "language": (180, 30),
    }  # fmt: skip


def test_a_filter_with_a_memory_and_an_unknown_one_stay_in_one_process():
    assert {name for name, kind in FILTERS.items() if not kind.alone} >= {
        "duplicates", "near_duplicates", "contamination", "quality",
    }  # fmt: skip
    assert Filter.alone is False


def test_the_number_of_processes_makes_no_data_out_of_date():
    values = [result_values(CorpusSizes(processes=processes)) for processes in (1, 7)]
    assert values[0] == values[1] and "processes" not in values[0]


class Dies(Filter):
    """Ends the process that it runs in."""

    alone = True

    def fault(self, segment):
        if segment.place == "f:12":
            os._exit(1)


def test_a_worker_that_dies_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(workers, "PIECE", 5)
    filters = {"dies": Dies(CorpusSizes())}
    with pytest.raises(InputError, match=r"died before it was done with f:\d+ .*lower data\.sizes\.processes"):
        list(workers.judged(segments(), filters, 2, few=10))


def test_rows_under_rules_are_the_same_from_two_processes(monkeypatch):
    monkeypatch.setattr(workers, "PIECE", 7)
    monkeypatch.setattr(workers.worked, "__defaults__", (10,))
    asked = [(f"q{n}", segment) for n, segment in enumerate(segments()) if segment.target]
    ordinary = Ordinary(termbase([], [Segment("river", "Fluss", "en", "de", "g:1")]), 0.5, "before")
    one, two = (list(ordinary.items(asked, "7|rows", processes)) for processes in (1, 2))
    assert two == one and [item.cluster for item in one] == [question for question, _ in asked]
    tasks = [item.task for item in one]
    assert set(tasks) == {"translation", "mt_instructions"} and len(tasks) == 270
    assert list(ordinary.items(asked, "8|rows"))[:20] != one[:20]
