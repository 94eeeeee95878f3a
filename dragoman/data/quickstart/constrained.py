"""List questions under verifiable constraints, in IFEval's vocabulary, with answers that keep them.

A `Request` is a topic, the items of its reference answer and one or two constraints (ids and kwargs exactly
as in IFEval, arXiv 2311.07911). The reference answer is built from an `Outline` that each constraint
changes a little: two constraints that would contradict each other, or make a correct answer unnatural, are
in `CONFLICTS`. Pairs in `HELD_OUT_PAIRS` occur in evaluation only.

Flow: `draw_request(random)` -> `prompt(request, wording)`, `answer(request)`, and the reward's
instructions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from random import Random
from typing import Any

from babel.lists import format_list

from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.slots import COUNTRIES, SPOKEN, render_slot, spell
from dragoman.text.tables import read_table

_TABLE = read_table(__file__)
TOPICS: dict[str, tuple[str, ...]] = {
    "country": COUNTRIES,
    "language": SPOKEN,
    "month": tuple(map(str, range(1, 13))),
    "weekday": tuple(map(str, range(7))),
    **{topic: tuple(items) for topic, items in _TABLE["topics"].items()},
}
KEYWORDS, END_PHRASES, WORDINGS = (tuple(_TABLE[name]) for name in ("keywords", "end_phrases", "wordings"))
TRANSLATED_TOPICS = ("country", "language", "month", "weekday")
FILLER = "I hope that this short list is useful to you."


@dataclass(frozen=True)
class Constraint:
    """One verifiable constraint."""

    id: str
    """IFEval's id."""
    kwargs: tuple[tuple[str, Any], ...]
    """IFEval's keyword arguments, as sorted pairs (hashable)."""
    text: str
    """How the prompt states it."""

    def as_instruction(self) -> dict[str, Any]:
        """The form rewards take: {"id", "kwargs"}."""
        return {"id": self.id, "kwargs": {name: _thawed(value) for name, value in self.kwargs}}


@dataclass(frozen=True)
class Request:
    """One list question with its constraints."""

    topic: str
    items: tuple[str, ...]
    """Abstract values of the reference answer's items."""
    constraints: tuple[Constraint, ...]

    @property
    def key(self) -> str:
        """What is asked: the topic and the set of constraints with their values, however many items."""
        return "|".join(["constraints", self.topic, *sorted(f"{c.id}{c.kwargs}" for c in self.constraints)])


@dataclass(frozen=True)
class Outline:
    """A reference answer before it is written down."""

    language: str = "en"
    commas: bool = True
    bullets: bool = False
    opening: bool = True
    title: str = ""
    additions: tuple[str, ...] = ()
    closing: str = ""
    case: Callable[[str], str] = str
    quoted: bool = False


def _thawed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _constraint(identifier: str, text: str, **kwargs: Any) -> Constraint:
    return Constraint(identifier, tuple(sorted(kwargs.items())), text)


def _draw_existence(random: Random, request: Request) -> Constraint:
    word = random.choice(KEYWORDS)
    return _constraint("keywords:existence", f"Include the word {word}.", keywords=(word,))


def _draw_frequency(random: Random, request: Request) -> Constraint:
    word, times = random.choice(KEYWORDS), random.choice((2, 3))
    text = f"Use the word {word} at least {spell(times, 'en')} times."
    return _constraint("keywords:frequency", text, keyword=word, frequency=times, relation="at least")


def _draw_forbidden(random: Random, request: Request) -> Constraint:
    others = [value for value in TOPICS[request.topic] if value not in request.items]
    word = _item(request.topic, random.choice(others), "en")
    return _constraint("keywords:forbidden_words", f"Do not use the word {word}.", forbidden_words=(word,))


def _draw_words(random: Random, request: Request) -> Constraint:
    if random.random() < 0.5:
        relation, limit = "less than", random.randint(2 * len(request.items), 2 * len(request.items) + 3)
    else:
        relation, limit = "at least", random.randint(10, 14)
    text = f"Use {relation} {spell(limit, 'en')} words."
    return _constraint("length_constraints:number_words", text, num_words=limit, relation=relation)


def _draw_language(random: Random, request: Request) -> Constraint:
    language = random.choice([code for code in LANGUAGES if code != "en"])
    return _constraint("language:response_language", f"Answer in {LANGUAGES[language].name}.", language=language)


def _draw_ending(random: Random, request: Request) -> Constraint:
    phrase = random.choice(END_PHRASES)
    return _constraint("startend:end_checker", f"Finish with the words: {phrase}", end_phrase=phrase)


def _draw_bullets(random: Random, request: Request) -> Constraint:
    count = len(request.items)
    text = f"Write exactly {spell(count, 'en')} bullet points, each starting with a star."
    return _constraint("detectable_format:number_bullet_lists", text, num_bullets=count)


def _draw_fixed(id: str, random: Random, request: Request) -> Constraint:
    return _constraint(id, _TABLE["fixed"][id])


DRAWS: dict[str, Callable[[Random, Request], Constraint]] = {
    **{id: partial(_draw_fixed, id) for id in _TABLE["fixed"]},
    "startend:end_checker": _draw_ending,
    "detectable_format:number_bullet_lists": _draw_bullets,
    "keywords:existence": _draw_existence,
    "keywords:frequency": _draw_frequency,
    "keywords:forbidden_words": _draw_forbidden,
    "length_constraints:number_words": _draw_words,
    "language:response_language": _draw_language,
}
_CASES = ("change_case:english_lowercase", "change_case:english_capital")
_ENGLISH_TEXT = (
    *_CASES,
    "keywords:existence",
    "keywords:frequency",
    "keywords:forbidden_words",
    "startend:end_checker",
    "detectable_format:title",
    "length_constraints:number_words",
)
CONFLICTS: frozenset[frozenset[str]] = frozenset(
    {frozenset(_CASES), frozenset({"keywords:existence", "keywords:frequency"})}
    | {frozenset({"language:response_language", other}) for other in _ENGLISH_TEXT}
    | {
        frozenset({"length_constraints:number_words", other})
        for other in DRAWS
        if other not in ("punctuation:no_comma", "startend:quotation")
    }
)
"""Pairs never asked for together: they contradict each other, or mix languages, or make a list unreadable."""
HELD_OUT_PAIRS: frozenset[frozenset[str]] = frozenset(
    {
        frozenset({"change_case:english_lowercase", "startend:quotation"}),
        frozenset({"punctuation:no_comma", "startend:end_checker"}),
        frozenset({"detectable_format:title", "startend:end_checker"}),
    }
)


def allowed_pairs() -> list[tuple[str, str]]:
    """Pairs of constraint ids that training may ask for."""
    return [pair for pair in combinations(DRAWS, 2) if frozenset(pair) not in CONFLICTS | HELD_OUT_PAIRS]


def _draw_items(topic: str, count: int, random: Random) -> tuple[str, ...]:
    """A run of neighbours in the topic's list: easy to say, never a repetition."""
    start = random.randrange(len(TOPICS[topic]))
    return tuple(TOPICS[topic][(start + step) % len(TOPICS[topic])] for step in range(count))


def draw_request(random: Random, ids: tuple[str, ...] | None = None) -> Request:
    """A random request; `ids` fixes its constraints, otherwise one or two allowed ones are drawn."""
    chosen = ids or (random.choice(allowed_pairs()) if random.random() < 0.5 else (random.choice(tuple(DRAWS)),))
    topics = TRANSLATED_TOPICS if "language:response_language" in chosen else tuple(TOPICS)
    topic = random.choice(topics)
    request = Request(topic, _draw_items(topic, random.randint(2, 4), random), ())
    return replace(request, constraints=tuple(DRAWS[name](random, request) for name in chosen))


def prompt(request: Request, wording: str) -> str:
    """The user's message."""
    asked = wording.format(count=spell(len(request.items), "en"), noun=LANGUAGES["en"].nouns[request.topic])
    return " ".join([asked, *(constraint.text for constraint in request.constraints)])


def _item(topic: str, value: str, language: str) -> str:
    return render_slot(topic, value, language) if topic in TRANSLATED_TOPICS else value


def _shape(outline: Outline, request: Request, constraint: Constraint) -> Outline:
    """The outline after one constraint."""
    kwargs = dict(constraint.kwargs)
    changes: dict[str, Callable[[], dict[str, Any]]] = {
        "change_case:english_lowercase": lambda: {"case": str.lower},
        "change_case:english_capital": lambda: {"case": str.upper},
        "punctuation:no_comma": lambda: {"commas": False},
        "startend:quotation": lambda: {"quoted": True},
        "detectable_format:title": lambda: {"title": LANGUAGES["en"].nouns[request.topic]},
        "startend:end_checker": lambda: {"closing": kwargs["end_phrase"]},
        "detectable_format:number_bullet_lists": lambda: {"bullets": True},
        "keywords:existence": lambda: {"additions": (f"I like the word {kwargs['keywords'][0]}.",)},
        "keywords:frequency": lambda: {
            "additions": (f"I say {' and '.join([kwargs['keyword']] * kwargs['frequency'])}.",)
        },
        "keywords:forbidden_words": dict,
        "length_constraints:number_words": lambda: (
            {"opening": False} if kwargs["relation"] == "less than" else {"additions": (FILLER,)}
        ),
        "language:response_language": lambda: {"language": kwargs["language"]},
    }
    return replace(outline, **changes[constraint.id]())


def _body(outline: Outline, request: Request) -> str:
    """The list itself, as bullets or as a sentence."""
    language = LANGUAGES[outline.language]
    items = [_item(request.topic, value, outline.language) for value in request.items]
    opening = language.listing.format(count=spell(len(items), language.code), noun=language.nouns[request.topic])
    if outline.bullets:
        return "\n".join([opening, *(f"* {item}" for item in items)])
    conjunction = format_list(["", ""], locale=language.code)
    joined = format_list(items, locale=language.code) if outline.commas else conjunction.join(items)
    return f"{opening} {joined}." if outline.opening else f"{joined}."


def answer(request: Request) -> str:
    """The reference answer: it keeps every constraint of the request."""
    outline = Outline()
    for constraint in request.constraints:
        outline = _shape(outline, request, constraint)
    tail = " ".join([*outline.additions, *([outline.closing] if outline.closing else [])])
    body = _body(outline, request)
    text = "\n".join([body, tail]) if outline.bullets and tail else f"{body} {tail}".strip()
    titled = f"<<{outline.title}>>\n{text}" if outline.title else text
    cased = outline.case(titled)
    return f'"{cased}"' if outline.quoted else cased
