"""Learned translation metrics through unbabel-comet: `comet`, `comet_kiwi`, `xcomet`.

| kind | what it sees | models |
|---|---|---|
| `comet` | source, response, reference | Unbabel/wmt22-comet-da and its like |
| `comet_kiwi` | source, response | Unbabel/wmt22-cometkiwi-da and its like |
| `xcomet` | source, response, reference if there is one | Unbabel/XCOMET-XL, -XXL; marks error spans |

The value is the model's own figure, unchanged (about 0 to 1, higher is better). The workers run in the environment
`comet`, keep the model in memory, take many checks at once and remember scores. A learned metric alone is easily
cheated (copies, wrong language, hub strings): add the gates of guards.py. A span of XCOMET's is worth what its severity
weighs in MQM (`rewards.spans.SEVERITY`); it stands where the model's tokenizer says, less white space at its ends.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.models.comet_models import import_comet, load_model, predict, resolve
from rewards.models.score_cache import ScoreCache
from rewards.records import RewardResult, Span
from rewards.registry import Function, each, reward
from rewards.spans import SEVERITY
from rewards.translation.quality import References, as_list, check_texts

TIMEOUT_S = 300.0
"""Of one batch. The first batch of a model named by a row loads it."""
_SPECIAL = re.compile(r"</?s>")
"""XLM-R's, around every text"""
_NO_REFERENCE: Sequence[str | None] = (None,)


@dataclass(frozen=True)
class _Scored:
    """What a model says of a response."""

    value: float
    detail: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class _Question:
    """What one score depends on."""

    model: str
    source: str
    response: str
    reference: str | None


_CACHE: ScoreCache[_Question, _Scored] = ScoreCache()


def prepare_model(model: str | None = None) -> None:
    """Load the pool's model before the first check; without one, see that the library is there."""
    import_comet()
    if model:
        load_model(model)


def learned(name: str) -> Callable[[Function], Function]:
    """Register a kind that is scored in the environment `comet`."""
    return reward(
        name, timeout_s=TIMEOUT_S, batched=True, batch_size=64, environment="comet", validate=check_texts,
        prepare=prepare_model,
    )  # fmt: skip


@learned("comet")
def comet(
    response: list[str], source: list[str], reference: list[References], model: list[str | None] = each(None)
) -> list[RewardResult]:
    """The model's score against the reference; of several references the one that scores highest counts."""
    return _score("comet", response, source, [as_list(one) for one in reference], model)


@learned("comet_kiwi")
def comet_kiwi(response: list[str], source: list[str], model: list[str | None] = each(None)) -> list[RewardResult]:
    """The score of a model that needs no reference (quality estimation)."""
    return _score("comet_kiwi", response, source, [[] for _ in response], model)


@learned("xcomet")
def xcomet(
    response: list[str],
    source: list[str],
    reference: list[References | None] = each(None),
    model: list[str | None] = each(None),
) -> list[RewardResult]:
    """XCOMET's score, with or without a reference, and the errors it marks."""
    references = [as_list(one) if one is not None else [] for one in reference]
    return _score("xcomet", response, source, references, model)


def _score(
    kind: str,
    responses: Sequence[str],
    sources: Sequence[str],
    references: Sequence[Sequence[str]],
    models: Sequence[str | None],
) -> list[RewardResult]:
    asked = [
        [_Question(resolve(model, kind), source, response, one) for one in (given or _NO_REFERENCE)]
        for model, source, response, given in zip(models, sources, responses, references, strict=True)
    ]
    for name in dict.fromkeys(question.model for group in asked for question in group):
        _refuse_unfit(kind, name)
    flat = [question for group in asked for question in group]
    scored = dict(zip(flat, _CACHE.fill(flat, _compute), strict=True))
    best = [max((scored[question] for question in group), key=lambda found: found.value) for group in asked]
    return [RewardResult(kind, found.value, "ok", found.detail, spans=found.spans) for found in best]


def _compute(questions: Sequence[_Question]) -> list[_Scored]:
    """Scores by unbabel-comet, one forward pass for each model and each set of inputs."""
    groups: dict[tuple[str, bool], list[_Question]] = defaultdict(list)
    for question in questions:
        groups[question.model, question.reference is None].append(question)
    found: dict[_Question, _Scored] = {}
    for (name, _), members in groups.items():
        for question, (value, spans) in zip(
            members, predict(load_model(name), list(map(_sample, members))), strict=True
        ):
            found[question] = _Scored(value, _describe(spans), error_spans(question.response, spans))
    return [found[question] for question in questions]


def _sample(question: _Question) -> dict[str, str]:
    sample = {"src": question.source, "mt": question.response}
    return sample if question.reference is None else {**sample, "ref": question.reference}


def _refuse_unfit(kind: str, name: str) -> None:
    if kind == "comet_kiwi" and load_model(name).requires_references():
        raise ValueError(f"model {name!r} needs references and cannot serve 'comet_kiwi'; use kind 'comet'")


def error_spans(response: str, found: Sequence[Mapping[str, Any]]) -> tuple[Span, ...]:
    """unbabel-comet's error spans in characters of the response.

    A special token's place is given as 0 to 0, also where it ends a span: that is then looked for by its text, from its
    start on. A span without a character of the response is left out.
    """
    spans = []
    for error in found:
        start, end = int(error["start"]), int(error["end"])
        if end <= start:
            text = _SPECIAL.sub("", error["text"]).strip()
            start = response.find(text, start)
            end = start + len(text)
        piece = response[max(start, 0) : end]
        start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        if 0 <= start < end:
            value = SEVERITY.get(error["severity"], SEVERITY["major"])
            spans.append(Span(start, end, value, f"{error['severity']} ({error['confidence']:.2f})"))
    return tuple(spans)


def _describe(spans: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{span['severity']} {span['text'].strip()!r} ({span['confidence']:.2f})" for span in spans)
