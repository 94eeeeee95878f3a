"""What a constraint asks of any response that follows it, as plain facts that can be compared.

`demands_of(id, kwargs)` says which texts must occur, in which language the response must be, which counts are
bounded, and, where the constraint leaves no choice, the only possible answers. conflicts.py compares them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rewards.constraints.layout import TEMPLATE_PARTS, option_texts
from rewards.constraints.tasks import CAPITALS, SIMPLE_SENTENCE

Kwargs = Mapping[str, Any]


@dataclass(frozen=True)
class Bounds:
    """A count that must lie in [low, high]."""

    what: str
    low: float = 0
    high: float = math.inf


@dataclass(frozen=True)
class Demands:
    """What one constraint requires; a field left at its default requires nothing."""

    texts: tuple[str, ...] = ()
    """Texts that must occur, in any case."""
    exact: tuple[str, ...] = ()
    """Texts that must occur in exactly this case."""
    start: str = ""
    end: str = ""
    language: str = ""
    bounds: tuple[Bounds, ...] = ()
    answers: tuple[str, ...] = ()
    """The only responses that follow the constraint; empty when there is a choice."""


def related(what: str, relation: str, bound: float) -> Bounds:
    """Bounds of a count from IFEval's `less than` (strict) or `at least`."""
    return Bounds(what, high=bound - 1) if relation == "less than" else Bounds(what, low=bound)


def _cased(text: str) -> tuple[str, ...]:
    return (text, text.lower(), text.upper())


def _frequency(k: Kwargs) -> Demands:
    bounds = related(f"occurrences of {k['keyword'].strip().lower()!r}", k["relation"], k["frequency"])
    return Demands(texts=(k["keyword"].strip(),) if bounds.low >= 1 else (), bounds=(bounds,))


def _letters(k: Kwargs) -> Demands:
    return Demands(bounds=(related(f"letters {k['letter'].lower()!r}", k["let_relation"], k["let_frequency"]),))


def _keywords_multiple(k: Kwargs) -> Demands:
    words = [k[f"keyword{number}"].strip() for number in range(1, 6)]
    counts = zip(words, (1, 2, 3, 5, 7), strict=True)
    return Demands(texts=tuple(words), bounds=tuple(_exactly(f"occurrences of {w.lower()!r}", n) for w, n in counts))


def _exactly(what: str, count: float) -> Bounds:
    return Bounds(what, count, count)


def _first_word(k: Kwargs) -> Demands:
    return Demands(
        texts=(k["first_word"].strip(),), bounds=(_exactly("blocks divided by blank lines", k["num_paragraphs"]),)
    )


def _span(k: Kwargs) -> Demands:
    words = k["prompt_to_repeat"].split()[int(k["n_start"]) : int(k["n_end"])]
    return Demands(answers=_cased(" ".join(words)))


_DEMANDS: dict[str, Callable[[Kwargs], Demands]] = {
    "keywords:existence": lambda k: Demands(texts=tuple(word.strip() for word in k["keywords"])),
    "keywords:frequency": _frequency,
    "keywords:letter_frequency": _letters,
    "length_constraints:number_words": lambda k: Demands(bounds=(related("words", k["relation"], k["num_words"]),)),
    "length_constraints:number_sentences": lambda k: Demands(
        bounds=(related("sentences", k["relation"], k["num_sentences"]),)
    ),
    "length_constraints:number_paragraphs": lambda k: Demands(
        bounds=(_exactly("paragraphs divided by ***", k["num_paragraphs"]),)
    ),
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_format:number_bullet_lists": lambda k: Demands(bounds=(_exactly("bullets", k["num_bullets"]),)),
    "detectable_format:multiple_sections": lambda k: Demands(exact=(k["section_spliter"].strip(),)),
    "detectable_content:postscript": lambda k: Demands(texts=(k["postscript_marker"].strip(),)),
    "combination:repeat_prompt": lambda k: Demands(
        texts=(k["prompt_to_repeat"].strip(),), start=k["prompt_to_repeat"].strip()
    ),
    "startend:end_checker": lambda k: Demands(texts=(k["end_phrase"].strip(),), end=k["end_phrase"].strip()),
    "change_case:english_lowercase": lambda k: Demands(language="en"),
    "change_case:english_capital": lambda k: Demands(language="en"),
    "change_case:capital_word_frequency": lambda k: Demands(
        bounds=(related("words in capitals", k["capital_relation"], k["capital_frequency"]),)
    ),
    "language:response_language": lambda k: Demands(language=k["language"]),
    "count:word_count_range": lambda k: Demands(bounds=(Bounds("words", k["min_words"], k["max_words"]),)),
    "count:numbers": lambda k: Demands(bounds=(_exactly("numbers", k["N"]),)),
    "count:keywords_multiple": _keywords_multiple,
    "custom:multiples": lambda k: Demands(bounds=(_exactly("numbers", 6),)),
    "custom:european_capitals_sort": lambda k: Demands(answers=(CAPITALS,)),
    "custom:csv_city": lambda k: Demands(exact=("Country",)),
    "custom:csv_special_character": lambda k: Demands(exact=("Category",)),
    "custom:csv_quotes": lambda k: Demands(exact=("Subject",)),
    "custom:mcq_count_length": lambda k: Demands(exact=("Question",), start="Question"),
    "custom:reverse_newline": lambda k: Demands(exact=("Zimbabwe",)),
    "custom:word_reverse": lambda k: Demands(texts=("eagle bald",)),
    "custom:character_reverse": lambda k: Demands(texts=("elgae dlab",)),
    "custom:sentence_alphabet": lambda k: Demands(bounds=(_exactly("sentences", 26),)),
    "ratio:sentence_words": lambda k: Demands(bounds=(_exactly("sentences", 3),)),
    "sentence:keyword": lambda k: Demands(texts=(k["word"].strip(),), bounds=(Bounds("sentences", k["N"]),)),
    "words:keywords_specific_position": lambda k: Demands(
        exact=(k["keyword"].strip(),), bounds=(Bounds("sentences", k["n"]),)
    ),
    "words:words_position": lambda k: Demands(exact=(k["keyword"].strip(),)),
    "format:options": lambda k: Demands(answers=tuple(a for text in option_texts(k["options"]) for a in _cased(text))),
    "format:list": lambda k: Demands(exact=(k["sep"],)),
    "format:output_template": lambda k: Demands(exact=TEMPLATE_PARTS),
    "repeat:repeat_change": lambda k: Demands(exact=(" ".join(k["prompt_to_repeat"].split()[1:]),)),
    "repeat:repeat_simple": lambda k: Demands(answers=_cased(SIMPLE_SENTENCE)),
    "repeat:repeat_span": _span,
}


def demands_of(id: str, kwargs: Kwargs) -> Demands:
    """What the constraint asks of every response; nothing for the ids that are not listed."""
    return _DEMANDS[id](kwargs) if id in _DEMANDS else Demands()
