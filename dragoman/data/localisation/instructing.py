"""A question of instructed localisation: what to translate, the rules in words, the reference and its judges."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from dragoman.data.catalogs.wordings import OWN_SHARE, translation_prompt
from dragoman.data.localisation import numbers, rules
from dragoman.data.localisation.documents import FEWEST, MOST, document, is_plain
from dragoman.data.localisation.rules import Asked, Rule, Task
from dragoman.data.localisation.terms import Term, Termbase
from dragoman.data.rows import ParallelPair
from dragoman.text.languages import base_code
from dragoman.text.tables import read_table

Terms = Literal["none", "proper", "random"]
WORDINGS: dict[str, dict[str, list[str]]] = read_table(__file__, "wordings")
RULES: tuple[Rule, ...] = (*rules.RULES, *numbers.RULES)
FEWEST_RULES, MOST_RULES = 2, 4
DOCUMENT_SHARE, DISTRACTED_SHARE = 0.35, 0.3
MOST_TERMS, MOST_OTHERS = 5, 3
TREES, COMMON = ("mt:json_tree", "mt:markup_tree"), ("mt:max_characters", "mt:no_commentary")


@dataclass(frozen=True)
class Instructed:
    """A question with its reference."""

    prompt: str
    task: Task
    rewards: tuple[dict[str, Any], ...]
    """Rules and quality in equal parts, behind the gate of the direction"""

    @property
    def answer(self) -> str:
        """The reference."""
        return self.task.target

    @property
    def rules(self) -> list[str]:
        """Ids of the rules."""
        return [item["id"] for item in self.rewards[0]["args"]["instructions"]]


def instructed(
    pairs: Sequence[ParallelPair], base: Termbase, random: Random, *, english_only: bool = False
) -> Instructed | None:
    """The first of some pairs of one direction under two to four rules, or a document of all; None where its reference
    shows too few.
    """
    plain = [pair for pair in pairs[:MOST] if is_plain(pair)]
    if len(plain) >= FEWEST and random.random() < DOCUMENT_SHARE:
        task, fewest = document(plain, random), 1
    else:
        first = pairs[0]
        task, fewest = Task(first.source, first.target, *first.direction, pairs=(first,)), FEWEST_RULES
    offered = [asked for rule in RULES for asked in rule(task, random)]
    offered += _glossary(task, base, random)
    chosen = _drawn(offered, random.randint(fewest, MOST_RULES), random)
    return _question(task, chosen, random, english_only) if len(chosen) >= fewest else None


def _drawn(offered: Sequence[Asked], count: int, random: Random) -> list[Asked]:
    """So many of the rules on offer: a document's tree, then what only this text asks for, then what any text may."""

    def rank(asked: Asked) -> int:
        return 0 if asked.id in TREES else 2 if asked.id in COMMON else 1

    return sorted(random.sample(offered, len(offered)), key=rank)[:count]


def term_questions(pair: ParallelPair, base: Termbase, random: Random) -> dict[Terms, Instructed] | None:
    """One text asked for with no terms, with its own and with strangers'; None where the base has none of these.

    All three are judged by the text's own terms, and by nothing else: what its own terms add over none is obedience,
    what strangers' change is distraction (the test of WMT25's terminology task).
    """
    task = Task(pair.source, pair.target, *pair.direction, pairs=(pair,))
    own = _own(task, base)
    others = base.others(pair.source, pair.direction, len(own), random)
    if not own or len(others) < len(own):
        return None
    judged = _asked_terms(own, [])
    shown = {"none": [], "proper": [judged], "random": [_asked_terms(own, others, True)]}
    return {name: _question(task, asked, random, True, judged) for name, asked in shown.items()}  # type: ignore[misc]


def _own(task: Task, base: Termbase) -> list[Term]:
    direction = (task.source_language, task.target_language)
    found = [term for pair in task.pairs for term in base.inside(pair.source, pair.target, direction)]
    return list(dict.fromkeys(found))[:MOST_TERMS]


def _glossary(task: Task, base: Termbase, random: Random) -> list[Asked]:
    """Terms of the task, sometimes with others that it does not need."""
    own = _own(task, base)
    if not own:
        return []
    more = random.randint(1, MOST_OTHERS) if random.random() < DISTRACTED_SHARE else 0
    return [_asked_terms(own, base.others(task.source, (task.source_language, task.target_language), more, random))]


def _asked_terms(own: Sequence[Term], others: Sequence[Term], only_others: bool = False) -> Asked:
    shown = sorted([*([] if only_others else own), *others])
    terms = [{"source": term.source, "target": term.target} for term in own]
    return Asked("mt:glossary", {"terms": terms}, "glossary", {"terms": "; ".join(term.shown for term in shown)})


def _question(
    task: Task, asked: Sequence[Asked], random: Random, english_only: bool, judged: Asked | None = None
) -> Instructed:
    own = base_code(task.target_language)
    language = own if own in WORDINGS and not english_only and random.random() < OWN_SHARE else "en"
    words = WORDINGS[language]
    told = [random.choice(words[one.wording]).format(**one.slots) for one in asked]
    direction = (task.source_language, task.target_language)
    request = translation_prompt(
        direction, task.source, random, english_only=language == "en", own_only=language != "en"
    )
    # a request that ends with "German:" is followed by the answer
    frame = random.choice([f for f in words["frame"] if f.endswith("{request}") or not request.endswith(":")])
    prompt = frame.format(request=request, rules="\n".join(f"- {rule}" for rule in told)) if told else request
    judges = [{"id": one.id, "kwargs": one.kwargs} for one in ([judged] if judged else asked)]
    gate = {"source": task.source_language, "target": task.target_language}
    return Instructed(prompt, task, (
        {"kind": "mt_instructions", "weight": 1, "args": {"instructions": judges}},
        {"kind": "chrf", "weight": 1, "args": {"reference": task.target}},
        {"kind": "direction", "weight": 1, "gate": True, "args": gate | ({"format": task.form} if task.form else {})},
    ))  # fmt: skip
