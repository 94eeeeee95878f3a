"""`ranking_judge`: a language model ranks all answers to one prompt against each other, asked over an endpoint.

Rating answers one by one saturates: good ones all get 95, and equal rewards teach nothing. A judge that sees the whole
group tells them apart (GRRM, arXiv 2602.14028: 70 % of hard pairs ordered rightly against 38 % by single scores).

    distinct answers -> labels in a shuffled order -> ranking      \\
                     -> the same in the opposite order -> ranking  -> mean place, from 0 (last) to 1 (first)

A judge prefers what it reads first or last; asked in both orders, such a preference cancels, and the share of pairs
that turned round with the order stands in `detail`. Equal answers are shown once and share their place; ties share the
mean of their places. With fewer than two distinct answers there is nothing to rank, and the reward does not apply.
The value is relative: it says nothing about how good the best answer is, so give it a reward of its own kind beside it.
"""

import asyncio
import random
import string
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from dragoman.text.tables import read_table
from rewards.errors import EndpointError
from rewards.models.endpoint import ChatClient, client_of
from rewards.models.judge import check_endpoint, endpoint_settings, prepare_judge
from rewards.models.verdicts import Question, ask
from rewards.records import RewardResult
from rewards.registry import each, reward
from rewards.translation.quality import References, as_list

_TEXTS: dict[str, str] = read_table(__file__)
RANKING_CRITERIA = _TEXTS["criteria"]
MOST_ANSWERS = len(string.ascii_uppercase)
Ranking = tuple[tuple[int, ...], ...]
"""Indices of answers, the best first; equals together"""


@reward("ranking_judge", timeout_s=300, group=True, batch_size=16, validate=check_endpoint, prepare=prepare_judge)
async def ranking_judge(
    response: list[str],
    source: list[str | None] = each(None),
    prompt: list[str | None] = each(None),
    reference: list[References | None] = each(None),
    endpoint: list[str | None] = each(None),
    judge_model: list[str | None] = each(None),
    criteria: list[str] = each(RANKING_CRITERIA),
    key_variable: list[str | None] = each(None),
    concurrency: list[int] = each(16),
    requests_per_minute: list[float | None] = each(None),
    request_timeout_s: list[float] = each(60.0),
    retries: list[int] = each(4),
    structured: list[bool] = each(True),
    max_tokens: list[int] = each(1024),
) -> list[RewardResult | None]:
    """The mean place of each answer in two rankings, 1 the best. Arguments as those of `judge`."""
    settings = endpoint_settings(
        "ranking_judge", endpoint[0], judge_model[0], key_variable[0], concurrency[0], requests_per_minute[0],
        request_timeout_s[0], retries[0],
    )  # fmt: skip
    answers = list(dict.fromkeys(response))
    if len(answers) < 2:
        return [None] * len(response)
    known = "\n".join(as_list(reference[0])) if reference[0] is not None else None
    told = {"source": source[0] if source[0] is not None else prompt[0], "reference": known}
    shown = {name: text for name, text in told.items() if text is not None}
    client, options = client_of(settings), {"temperature": 0, "max_tokens": max_tokens[0]}
    key = ("ranking_judge", criteria[0], structured[0], max_tokens[0], *shown.items(), *answers)
    first, second = await client.remember(
        key, lambda: both_orders(client, criteria[0], shown, answers, options, structured[0])
    )
    return [_result(answers.index(text), first, second) for text in response]


async def both_orders(
    client: ChatClient,
    criteria: str,
    shown: Mapping[str, str],
    answers: Sequence[str],
    options: Mapping[str, Any],
    structured: bool,
) -> tuple[Ranking, Ranking]:
    """The judge's rankings of the answers in a shuffled order, and in the opposite one; EndpointError for too many."""
    if len(answers) > MOST_ANSWERS:
        raise EndpointError(f"{len(answers)} distinct answers are too many to rank; keep rl.samples to {MOST_ANSWERS}")
    order = list(range(len(answers)))
    random.Random("\n".join(answers)).shuffle(order)

    async def ranked(order: Sequence[int]) -> Ranking:
        labels = string.ascii_uppercase[: len(order)]
        fields = {**shown, **{f"answer {label}": answers[i] for label, i in zip(labels, order, strict=True)}}
        question = Question(_system(criteria, labels), _schema(labels), lambda v: ranking_of(v, labels), structured)
        places = await ask(client, question, fields, options)
        return tuple(tuple(order[labels.index(label)] for label in equals) for equals in places)

    first, second = await asyncio.gather(ranked(order), ranked(order[::-1]))
    return first, second


def ranking_of(verdict: Mapping[str, Any], labels: str) -> list[list[str]]:
    """Labels, the best first; ValueError unless each stands exactly once in a list of lists."""
    ranking = verdict["ranking"]
    if not isinstance(ranking, list) or not all(isinstance(equals, list) and equals for equals in ranking):
        raise ValueError(f"the ranking is {ranking!r:.80}, no list of lists")
    named = [label for equals in ranking for label in equals]
    if not all(isinstance(label, str) for label in named) or sorted(named) != sorted(labels):
        raise ValueError(f"the ranking names {named!r:.80}, not each of {labels} once")
    return ranking


def places(ranking: Ranking) -> dict[int, float]:
    """For each answer 1 for the first place down to 0 for the last; equals share the mean of theirs."""
    count, above, found = sum(map(len, ranking)), 0, {}
    for equals in ranking:
        found.update(dict.fromkeys(equals, 1 - (above + (len(equals) - 1) / 2) / (count - 1)))
        above += len(equals)
    return found


def turned_pairs(first: Ranking, second: Ranking) -> tuple[int, int]:
    """How many pairs of answers the two rankings order oppositely, and of how many."""
    one, other = places(first), places(second)
    pairs = list(combinations(sorted(one), 2))
    return sum((one[a] - one[b]) * (other[a] - other[b]) < 0 for a, b in pairs), len(pairs)


def _result(index: int, first: Ranking, second: Ranking) -> RewardResult:
    turned, pairs = turned_pairs(first, second)
    value = (places(first)[index] + places(second)[index]) / 2
    return RewardResult("ranking_judge", value, "ok", f"{turned} of {pairs} pairs turned round with the order")


def _system(criteria: str, labels: str) -> Callable[[str], str]:
    return lambda mark: _TEXTS["system"].format(criteria=criteria, mark=mark, labels=", ".join(labels))


def _schema(labels: str) -> dict[str, Any]:
    label = {"type": "string", "enum": list(labels)}
    return {"ranking": {"type": "array", "items": {"type": "array", "items": label}}}
