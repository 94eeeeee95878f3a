"""`regression_head`: any Hugging Face model that ends in one number (reward models, MetricX-style metrics).

What the model reads is made from the row by `template`; what it says becomes the value by `worst` and `best`, which
are mapped to 0 and 1 (values beyond are cut off). MetricX counts errors, so its worst is 25 and its best 0. Without
the two the value is the model's own number.
"""

import math
import string
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.errors import ModelUnavailable
from rewards.models.regression_models import METRICX_WORST, RegressionModel, Text, load_regression_model
from rewards.models.score_cache import ScoreCache
from rewards.records import RewardResult
from rewards.registry import each, reward
from rewards.translation.quality import References, as_list

Template = str | Sequence[str]
METRICX_TEMPLATE = "source: {source} candidate: {response} reference: {reference}"
METRICX_TEMPLATE_NO_REFERENCE = "source: {source} candidate: {response}"
METRICX_TOKENS = 1536
_FIELDS = ("prompt", "source", "reference", "response")


@dataclass(frozen=True)
class _Question:
    """What one score depends on."""

    model: str
    tokenizer: str | None
    max_length: int | None
    text: Text


_CACHE: ScoreCache[_Question, float] = ScoreCache()


def prepare_model(model: str | None = None, tokenizer: str | None = None) -> None:
    """Load the pool's model before the first check."""
    if model:
        load_regression_model(model, tokenizer)


def check_template(args: Mapping[str, Any]) -> None:
    """ValueError when the template or the scale cannot work."""
    template = args.get("template")
    if template is not None:
        parts = list(template) if isinstance(template, (list, tuple)) else [template]
        if not 1 <= len(parts) <= 2 or not all(isinstance(part, str) for part in parts):
            raise ValueError("argument 'template' must be a text, or a list of two texts that the tokenizer joins")
        names = {name for part in parts for _, name, _, _ in string.Formatter().parse(part) if name is not None}
        if not names <= set(_FIELDS) or "response" not in names:
            raise ValueError(f"template {template!r} must contain {{response}} and may contain {_FIELDS}, nothing else")
    worst, best = args.get("worst"), args.get("best")
    if (worst is None) != (best is None) or (worst is not None and worst == best):
        raise ValueError(f"worst is {worst!r} and best is {best!r}; give both, and different, or neither")


@reward("regression_head", timeout_s=300, batched=True, batch_size=64, validate=check_template, prepare=prepare_model)
def regression_head(
    response: list[str],
    model: list[str | None] = each(None),
    tokenizer: list[str | None] = each(None),
    template: list[Template | None] = each(None),
    prompt: list[str | None] = each(None),
    source: list[str | None] = each(None),
    reference: list[References | None] = each(None),
    worst: list[float | None] = each(None),
    best: list[float | None] = each(None),
    max_length: list[int | None] = each(None),
) -> list[RewardResult]:
    """The model's number for each response; of several references the one that scores highest counts."""
    asked, scales = [], []
    for index, text in enumerate(response):
        head = load_regression_model(_named(model[index]), tokenizer[index])
        fields = {"response": text, "prompt": prompt[index], "source": source[index]}
        references = as_list(given) if (given := reference[index]) is not None else [None]
        limit = max_length[index] or (METRICX_TOKENS if head.is_metricx else None)
        inputs = [_input(head, template[index], {**fields, "reference": one}) for one in references]
        asked.append([_Question(head.name, tokenizer[index], limit, one) for one in inputs])
        scales.append(_scale(head, worst[index], best[index]))
    flat = [question for group in asked for question in group]
    found = dict(zip(flat, _CACHE.fill(flat, _compute), strict=True))
    return [_result([found[question] for question in group], scale) for group, scale in zip(asked, scales, strict=True)]


def rescale(raw: float, worst: float, best: float) -> float:
    """0 at `worst`, 1 at `best`, linear between, cut off beyond; `worst` may be the larger."""
    return min(1.0, max(0.0, (raw - worst) / (best - worst)))


def _named(model: str | None) -> str:
    if not model:
        raise ModelUnavailable(
            "reward 'regression_head' needs a model: set rewards.pools.regression_head.arguments.model in the recipe, "
            "or 'model' in the reward's args, to a folder or to a name on the Hugging Face Hub"
        )
    return model


def _input(head: RegressionModel, template: Template | None, fields: Mapping[str, str | None]) -> Text:
    if template is None and not head.is_metricx:
        if head.tokenizer.chat_template is None:
            raise ValueError(
                f"model {head.name!r} has no chat template; say with 'template' what it reads, "
                "for instance '{source} {response}'"
            )
        return head.chat(_present(fields, "prompt"), _present(fields, "response"))
    if template is None:
        template = METRICX_TEMPLATE_NO_REFERENCE if fields["reference"] is None else METRICX_TEMPLATE
    if isinstance(template, str):
        return _filled(template, fields)
    first, *rest = (_filled(part, fields) for part in template)
    return (first, rest[0]) if rest else first


def _filled(template: str, fields: Mapping[str, str | None]) -> str:
    parts = string.Formatter().parse(template)
    return "".join(before + (_present(fields, name) if name else "") for before, name, _, _ in parts)


def _present(fields: Mapping[str, str | None], name: str) -> str:
    value = fields[name]
    if value is None:
        raise ValueError(f"the model's input needs {name!r}; add it to the reward's args or as a column")
    return value


def _scale(head: RegressionModel, worst: float | None, best: float | None) -> tuple[float, float] | None:
    if worst is not None and best is not None:
        return worst, best
    return (METRICX_WORST, 0.0) if head.is_metricx else None


def _compute(questions: Sequence[_Question]) -> list[float]:
    groups: dict[tuple[str, str | None, int | None], list[_Question]] = defaultdict(list)
    for question in questions:
        groups[question.model, question.tokenizer, question.max_length].append(question)
    found: dict[_Question, float] = {}
    for (name, tokenizer, limit), members in groups.items():
        scores = load_regression_model(name, tokenizer).score([member.text for member in members], limit)
        found.update(zip(members, scores, strict=True))
    return [found[question] for question in questions]


def _result(raw: Sequence[float], scale: tuple[float, float] | None) -> RewardResult:
    values = [one if scale is None or not math.isfinite(one) else rescale(one, *scale) for one in raw]
    best = max(range(len(values)), key=lambda index: values[index])
    return RewardResult("regression_head", values[best], "ok", f"the model said {raw[best]:.4f}")
