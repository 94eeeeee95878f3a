"""`pairwise_judge`: a language model says whether the response or a baseline's answer is better, asked in both orders.

    response, baseline -> a ranking of the two -> the same in the opposite order -> 1, 0.5 or 0

A win or a loss counts only where both orders say so; a tie or two different verdicts are half (Zheng et al. 2023, arXiv
2306.05685). Quotation and verdicts are those of `ranking_judge`, the client that of `judge`. Equal texts are half,
unasked.
"""

from typing import Any

from dragoman.text.tables import read_table
from rewards.models.endpoint import client_of
from rewards.models.judge import check_endpoint, endpoint_settings, prepare_judge
from rewards.models.ranking_judge import Ranking, both_orders, places
from rewards.records import RewardResult
from rewards.registry import reward
from rewards.translation.quality import References, as_list

CHAT_CRITERIA: str = read_table(__file__)["criteria"]


@reward("pairwise_judge", timeout_s=300, batch_size=32, validate=check_endpoint, prepare=prepare_judge)
async def pairwise_judge(
    response: str,
    baseline: str,
    prompt: str | None = None,
    source: str | None = None,
    reference: References | None = None,
    endpoint: str | None = None,
    judge_model: str | None = None,
    criteria: str = CHAT_CRITERIA,
    key_variable: str | None = None,
    concurrency: int = 16,
    requests_per_minute: float | None = None,
    request_timeout_s: float = 60.0,
    retries: int = 4,
    structured: bool = True,
    max_tokens: int = 512,
) -> RewardResult:
    """1 where the response wins in both orders, 0 where it loses in both, else 0.5. Arguments as those of `judge`."""
    settings = endpoint_settings(
        "pairwise_judge", endpoint, judge_model, key_variable, concurrency, requests_per_minute, request_timeout_s,
        retries,
    )  # fmt: skip
    if response == baseline:
        return RewardResult("pairwise_judge", 0.5, "ok", "both answers are the same text")
    known = "\n".join(as_list(reference)) if reference is not None else None
    told = {"prompt": prompt, "source": source, "reference": known}
    shown = {name: text for name, text in told.items() if text is not None}
    client, options = client_of(settings), dict[str, Any](temperature=0, max_tokens=max_tokens)
    key = ("pairwise_judge", criteria, structured, max_tokens, *shown.items(), response, baseline)
    answers = [response, baseline]
    first, second = await client.remember(
        key, lambda: both_orders(client, criteria, shown, answers, options, structured)
    )
    return RewardResult("pairwise_judge", win_of(first, second), "ok", f"{_said(first)}, {_said(second)}")


def win_of(first: Ranking, second: Ranking) -> float:
    """1 where answer 0 is first in both rankings, 0 where it is last in both, else 0.5."""
    won = {places(first)[0], places(second)[0]}
    return won.pop() if len(won) == 1 else 0.5


def _said(ranking: Ranking) -> str:
    return {1.0: "better", 0.0: "worse"}.get(places(ranking)[0], "equal")
