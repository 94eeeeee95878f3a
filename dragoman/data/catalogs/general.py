"""Tasks that are no translation, drawn from one split: sums, programs, constraints.

Programs and list questions are the quickstart's, with their own splits by question; sums are of a real size (sums.py);
and half of the constraints are about the catalogs' texts, which are to come back under another form.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from dragoman.data.catalogs.identity import Split, split_of
from dragoman.data.catalogs.items import Item, item_of
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.sums import draw_sum, sum_item
from dragoman.data.quickstart.draws import Draws
from dragoman.data.quickstart.examples import Example, Task

Form = tuple[str, str, dict[str, str], Callable[[str], str]]
FORMS: tuple[Form, ...] = (
    ("Write it in lowercase letters only.", "change_case:english_lowercase", {}, str.lower),
    ("Write it in capital letters only.", "change_case:english_capital", {}, str.upper),
    ("Leave out every comma.", "punctuation:no_comma", {}, lambda text: text.replace(",", "")),
    ("Put the whole answer into double quotation marks.", "startend:quotation", {}, lambda text: f'"{text}"'),
    ("End with the words: That is all.", "startend:end_checker", {"end_phrase": "That is all."},
     lambda text: f"{text} That is all."),
)  # fmt: skip


def sums(split: Split, languages: tuple[str, ...], seed: int, random: Random) -> Iterator[Item]:
    """Different prompts without end."""
    seen: set[str] = set()
    while True:
        drawn = draw_sum(random)
        if split_of(drawn.key, seed) == split:
            item = sum_item(drawn, languages, random)
            if item.prompt not in seen:
                seen.add(item.prompt)
                yield item


def quickstart_items(task: Task, split: Split, count: int, purpose: str, seed: int) -> list[Item]:
    """Programs or list questions; ValueError when the split holds fewer."""
    return [of_example(example) for example in Draws(seed).general(task, split, count, purpose)]


def of_example(example: Example) -> Item:
    """A quickstart's example as an item."""
    return Item(example.task, example.key, example.prompt, example.answer, example.rewards, example.extra)


def rewritten(meanings: Sequence[Meaning], random: Random) -> Iterator[Item]:
    """English texts that are to come back under another form; chrF pays for the text, the constraint for the form."""
    for meaning in random.sample(meanings, len(meanings)):
        told, identifier, kwargs, change = random.choice(FORMS)
        answer = change(meaning.english)
        if answer != meaning.english:
            rewards = (
                {"kind": "constraints", "weight": 1, "args": {"instructions": [{"id": identifier, "kwargs": kwargs}]}},
                {"kind": "chrf", "weight": 1, "args": {"reference": answer}},
            )
            prompt = f"Repeat this message. {told}\n{meaning.english}"
            yield item_of(meaning, "constraints", prompt, answer, rewards)
