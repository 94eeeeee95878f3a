"""From a suite's prompts to questions: the chat or the plain text, the examples shown, the draws wanted."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from dragoman.data.rows import Conversation, Prompt
from dragoman.evaluation.answering.records import Answerer, AnsweringError, Decoding, Question
from dragoman.evaluation.few_shot import few_shot_text
from dragoman.evaluation.suite_files import LoadedSuite
from dragoman.evaluation.suite_files.forms import Form
from dragoman.evaluation.suite_files.rows import choice_form


def questions_of(
    loaded: LoadedSuite, answerer: Answerer, decoding: Decoding, shots: int = 0, examples: Sequence[Conversation] = ()
) -> list[Question]:
    """Every question of a suite. With `shots` a plain text with so many examples takes the place of the prompt;
    AnsweringError when there are none to show."""
    shown = [*loaded.examples, *examples]
    if shots and not shown:
        raise AnsweringError(
            f"suite {loaded.name} has no examples for --shots {shots}: add examples: to its file, or give --examples "
            "FILE with rows as of sft.jsonl"
        )
    if loaded.settings is not None and loaded.settings.max_tokens is not None:
        decoding = decoding.model_copy(update={"max_tokens": loaded.settings.max_tokens})
    found = []
    for prompt in loaded.suite.prompts:
        first = _asked(loaded, prompt, answerer, decoding, shots, shown)
        found += [first] if first.choices else draws(replace(first, beams=decoding.beams), decoding)
    return found


def _asked(
    loaded: LoadedSuite,
    prompt: Prompt,
    answerer: Answerer,
    decoding: Decoding,
    shots: int,
    examples: Sequence[Conversation],
) -> Question:
    """The greedy question of a row; of a text to be read no question at all."""
    if prompt.task == "perplexity":
        return Question(prompt.id, 0, choices=(prompt.reference,))
    choices = tuple(prompt.columns["choices"]) if prompt.task == "choice" else ()
    if shots and not choices:
        own = [
            row for row in examples if row.pair is None or prompt.pair is None or row.pair.source != prompt.pair.source
        ]
        text, end = few_shot_text(prompt, own, shots, decoding.seed, lambda t: answerer.fits(t, decoding.max_tokens))
        return Question(prompt.id, 0, text=text, stop=(end,), max_tokens=decoding.max_tokens)
    form = _form(loaded, bool(choices))
    if form.raw:
        return Question(prompt.id, 0, (), prompt.question, form.stop, choices, decoding.max_tokens)
    return Question(prompt.id, 0, prompt.messages, "", form.stop, choices, decoding.max_tokens)


def _form(loaded: LoadedSuite, choice: bool) -> Form:
    if loaded.settings is None:
        return Form("")
    return choice_form(loaded.settings) if choice else loaded.settings.prompt.resolved


def draws(first: Question, decoding: Decoding) -> list[Question]:
    """The greedy question, and one for each sample with a seed of its own."""
    drawn = [
        Question(
            first.id, number, first.messages, first.text, first.stop, (), first.max_tokens, decoding.temperature,
            decoding.top_p, sample_seed(decoding.seed, first.id, number),
        )
        for number in range(1, decoding.samples + 1)
    ]  # fmt: skip
    return [first, *drawn] if decoding.greedy else drawn


def sample_seed(seed: int, row: str, sample: int) -> int:
    """31 bits that depend on what is drawn alone, so that a repeated run draws the same."""
    digest = hashlib.blake2b(f"{seed}/{row}/{sample}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
