"""`judge`: a language model rates the response, asked over an OpenAI-compatible endpoint.

    criteria + quoted texts -> {"mark": ..., "reason": ..., "score": 0..100} -> score / 100

The verdict comes in one strict form (verdicts.py). That stops forged verdicts; it does not stop a judge from being
persuaded: watch `samples.jsonl`.

The default criteria are in judge.yaml, after GEMBA-DA (Kocmi and Federmann 2023).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from dragoman.text.tables import read_table
from rewards.errors import EndpointError
from rewards.models.endpoint import EndpointSettings, check_key, client_of
from rewards.models.verdicts import Question, ask, read_object
from rewards.records import RewardResult
from rewards.registry import reward
from rewards.translation.quality import References, as_list

_TEXTS: dict[str, str] = read_table(__file__)
TRANSLATION_CRITERIA = _TEXTS["criteria"]
BEST_SCORE = 100
SCORE = {"score": {"type": "integer", "minimum": 0, "maximum": BEST_SCORE}}


def check_endpoint(args: Mapping[str, Any]) -> None:
    """ValueError when the endpoint's settings are malformed (missing ones may come from the pool)."""
    for name in ("endpoint", "judge_model", "criteria", "key_variable"):
        if args.get(name) is not None and (not isinstance(args[name], str) or not args[name].strip()):
            raise ValueError(f"argument {name!r} is {args[name]!r:.80}; it must be a text")


def prepare_judge(key_variable: str | None = None) -> None:
    """See that the key is there before compute is spent."""
    check_key(key_variable)


@reward("judge", timeout_s=300, batch_size=64, validate=check_endpoint, prepare=prepare_judge)
async def judge(
    response: str,
    source: str | None = None,
    prompt: str | None = None,
    reference: References | None = None,
    endpoint: str | None = None,
    judge_model: str | None = None,
    criteria: str = TRANSLATION_CRITERIA,
    key_variable: str | None = None,
    concurrency: int = 16,
    requests_per_minute: float | None = None,
    request_timeout_s: float = 60.0,
    retries: int = 4,
    structured: bool = True,
    max_tokens: int = 512,
) -> RewardResult:
    """The judge's score / 100. `structured: false` for servers that do not know `response_format`."""
    settings = endpoint_settings(
        "judge", endpoint, judge_model, key_variable, concurrency, requests_per_minute, request_timeout_s, retries
    )
    known = "\n".join(as_list(reference)) if reference is not None else None
    fields = {"source": source if source is not None else prompt, "reference": known, "response": response}
    shown = {name: text for name, text in fields.items() if text is not None}
    client = client_of(settings)
    options: dict[str, Any] = {"temperature": 0, "max_tokens": max_tokens}
    key = ("judge", criteria, structured, max_tokens, *shown.items())
    question = Question(_system(criteria), SCORE, _score_and_reason, structured)
    score, reason = await client.remember(key, lambda: ask(client, question, shown, options))
    return RewardResult("judge", score / BEST_SCORE, "ok", reason)


def _system(criteria: str) -> Callable[[str], str]:
    return lambda mark: _TEXTS["system"].format(criteria=criteria, mark=mark, best=BEST_SCORE)


def endpoint_settings(kind: str, endpoint: str | None, model: str | None, *rest: Any) -> EndpointSettings:
    """Settings of the endpoint; EndpointError, which says what to do, when it or the model was not given."""
    if not endpoint or not model:
        name = "endpoint" if not endpoint else "judge_model" if "judge" in kind else "model"
        raise EndpointError(
            f"reward {kind!r} needs {name!r}: set it in rewards.pools.{kind}.arguments of the recipe, or in the "
            "reward's args"
        )
    return EndpointSettings(endpoint, model, *rest)


def verdict_of(text: str, mark: str) -> tuple[int, str]:
    """Score and reason from the judge's answer; ValueError when it is anything but the object asked for."""
    return _score_and_reason(read_object(text, mark, SCORE))


def _score_and_reason(verdict: Mapping[str, Any]) -> tuple[int, str]:
    score = verdict["score"]
    whole = isinstance(score, (int, float)) and not isinstance(score, bool) and math.isfinite(score)
    if not whole or score != int(score):
        raise ValueError(f"the score is {score!r}, no integer")
    if not 0 <= score <= BEST_SCORE:
        raise ValueError(f"the score {score!r} lies outside 0..{BEST_SCORE}")
    return int(score), verdict["reason"]
