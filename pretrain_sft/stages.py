"""The batch sources of continued pretraining, fine-tuning and language-aware tuning.

Each reads its rows and encodes them once, plans all steps in advance (`mixture`), and then answers
`batch(step)`. What they share is short enough to read side by side; what makes them different is what
carries loss.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from dragoman.data.mixtures import plan_examples, plan_mixture
from dragoman.data.rows import DataError, Row, read_rows
from dragoman.learner import Objective, TokenSequence
from dragoman.learner.encoding import encode_chat, encode_chats, encode_documents, loss_tokens
from dragoman.learner.packing import check_fits
from dragoman.text.wordings import TRANSLATION_WORDINGS, language_name, translation_instruction
from pretrain_sft.loop import BatchSource


class PretrainingSource:
    """Next-token prediction on documents, mixed by token quotas."""

    def __init__(self, data: Path, section: Mapping[str, Any], tokenizer: Any, row_tokens: int, seed: int) -> None:
        self.documents = {
            name: encode_texts(read_rows(data / f"{name}.jsonl", needs=("id", "text")), tokenizer, row_tokens)
            for name, share in section["mixture"].items()
            if share > 0
        }
        lengths = {name: [len(d.token_ids) for d in documents] for name, documents in self.documents.items()}
        self.plan = plan_mixture(lengths, section["mixture"], section["batch_tokens"], section["steps"], seed)

    def batch(self, step: int) -> list[Objective]:
        """Documents of one step."""
        return [likelihood([self.documents[name][index] for name, index in self.plan[step]])]


class FineTuningSource:
    """Answers to instructions, and pretraining text when the mixture names some; prompts carry no loss."""

    def __init__(self, data: Path, section: Mapping[str, Any], tokenizer: Any, row_tokens: int, seed: int) -> None:
        shares = {name: share for name, share in section["mixture"].items() if share > 0}
        self.examples = {name: encode_rows(data / f"{name}.jsonl", tokenizer, row_tokens) for name in shares}
        lengths = {name: [len(one.token_ids) for one in found] for name, found in self.examples.items()}
        self.plan = plan_mixture(lengths, shares, section["batch_tokens"], section["steps"], seed)

    def batch(self, step: int) -> list[Objective]:
        """Examples of one step."""
        return [likelihood([self.examples[name][index] for name, index in self.plan[step]])]


class LanguageAwareSource:
    """Right instruction: likelihood. Wrong direction, same answer: unlikelihood (arXiv 2403.14399).

    Every translation example comes twice, once under a wrong instruction that is drawn anew each time; shares
    of the batch replay what earlier stages taught: fine-tuning data of all tasks, pretraining text.
    """

    def __init__(self, data: Path, section: Mapping[str, Any], tokenizer: Any, row_tokens: int, seed: int) -> None:
        needs = ("id", "messages", "source_language", "target_language", "source")
        self.rows = read_rows(data / "lat.jsonl", needs=needs)
        self.tokenizer, self.section, self.seed = tokenizer, section, seed
        self.languages = sorted({r[k] for r in self.rows for k in ("source_language", "target_language")})
        self._check_negatives(data / "lat.jsonl")
        labels = [f"lat.jsonl: row {row['id']}" for row in self.rows]
        encoded = encode_chats(tokenizer, [row["messages"] for row in self.rows], labels)
        for row, sequence in zip(self.rows, encoded, strict=True):
            # before any compute is spent: each fits, and each names its target language
            check_fits(sequence, row_tokens)
            redirect(row, row["target_language"])
        counts = {n: round(section["batch_examples"] * share) for n, share in section["replay"].items() if share > 0}
        tuned = section["batch_examples"] - sum(counts.values())
        self.plan = plan_examples(len(self.rows), tuned, section["steps"], seed, "lat")
        self.replay = {name: encode_rows(data / f"{name}.jsonl", tokenizer, row_tokens) for name in counts}
        self.replay_plan = {
            name: plan_examples(len(self.replay[name]), count, section["steps"], seed, f"replay/{name}")
            for name, count in counts.items()
        }

    def batch(self, step: int) -> list[Objective]:
        """Examples of one step, each with its negative."""
        replayed = [(self.replay[name], plan[step]) for name, plan in self.replay_plan.items()]
        sequences = [_with_unlikelihood(rows[i], 0.0) for rows, chosen in replayed for i in chosen]
        negatives = 0.0
        for position, index in enumerate(self.plan[step]):
            row = self.rows[index]
            random = Random(f"{self.seed}/{step}/{position}")
            right = encode_chat(self.tokenizer, row["messages"], row["id"])
            wrong = encode_chat(self.tokenizer, self._negative(row, random), row["id"])
            wrong = _with_unlikelihood(wrong, 1.0, self._spared(row), self.section["decision_tokens"])
            sequences += [_with_unlikelihood(right, 0.0), wrong]
            negatives += float(wrong.channels["unlikelihood"].sum())
        tokens = sum(loss_tokens(s) for s in sequences if not s.channels["unlikelihood"].any())
        counts = {"tokens": tokens, "unlikelihood_tokens": negatives}
        units = [(sequence,) for sequence in sequences]
        return [Objective(units, "language_aware", counts, {"alpha": self.section["alpha"]})]

    def _spared(self, row: Row) -> set[int]:
        """Tokens that the source has too, in the middle of a line or at its start."""
        if not self.section["spare_copied"]:
            return set()
        texts = (row["source"], " " + row["source"])
        return {token for text in texts for token in self.tokenizer(text, add_special_tokens=False)["input_ids"]}

    def _check_negatives(self, file: Path) -> None:
        directions = {(row["source_language"], row["target_language"]) for row in self.rows}
        targets = {target for _, target in directions}
        rule = self.section["negatives"]
        enough = {
            "keep_source": len(self.languages) > 2,
            "target_differs": len(targets) > 1,
            "any": len(directions) > 1,
        }
        if not enough[rule]:
            raise DataError(
                f"{file}: lat.negatives={rule} finds no wrong direction among {len(self.languages)} languages and "
                f"{len(directions)} directions; add rows of another language or leave the lat stage out"
            )

    def _negative(self, row: Row, random: Random) -> list[dict[str, str]]:
        answer = row["messages"][-1]
        rule = self.section["negatives"]
        if rule == "keep_source":
            wrong = [c for c in self.languages if c not in (row["source_language"], row["target_language"])]
            text = redirect(row, random.choice(wrong))
        else:
            text = self._other_instruction(row, random, target_differs=rule == "target_differs")
        return [*row["messages"][:-2], {"role": "user", "content": text}, answer]

    def _other_instruction(self, row: Row, random: Random, target_differs: bool) -> str:
        """The direction of another row around this row's text (the published code's rule)."""
        while True:
            other = random.choice(self.rows)
            pair = (other["source_language"], other["target_language"])
            same = pair == (row["source_language"], row["target_language"])
            if not same and not (target_differs and pair[1] == row["target_language"]):
                return redirect(row, pair[1], pair[0])


SOURCES: dict[str, Callable[..., BatchSource]] = {
    "cpt": PretrainingSource,
    "sft": FineTuningSource,
    "lat": LanguageAwareSource,
}


def encode_rows(path: Path, tokenizer: Any, row_tokens: int) -> list[TokenSequence]:
    """All chats of a file, or all its texts (cut at `row_tokens`, every token carries loss).

    Raises `SequenceTooLong` naming the first chat that fits no packed row.
    """
    rows = read_rows(path, needs=("id",))
    if rows and "text" in rows[0]:
        return encode_texts(read_rows(path, needs=("id", "text")), tokenizer, row_tokens)
    rows = read_rows(path, needs=("id", "messages"))
    found = encode_chats(tokenizer, [r["messages"] for r in rows], [f"{path.name}: row {r['id']}" for r in rows])
    for sequence in found:
        check_fits(sequence, row_tokens)
    return found


def encode_texts(rows: Sequence[Row], tokenizer: Any, row_tokens: int) -> list[TokenSequence]:
    """Texts as documents, cut at `row_tokens`."""
    return encode_documents(tokenizer, [row["text"] for row in rows], row_tokens, [row["id"] for row in rows])


def likelihood(sequences: Sequence[TokenSequence], weight: float = 1.0, name: str = "") -> Objective:
    """Cross-entropy over sequences, averaged over the tokens that carry loss."""
    counts = {"tokens": sum(loss_tokens(sequence) for sequence in sequences)}
    units = [(sequence,) for sequence in sequences]
    return Objective(units, "cross_entropy", counts, weight=weight, name=name)


def redirect(row: Row, target: str, source: str | None = None) -> str:
    """The row's instruction with another target (and source) language, in the same words.

    Known wordings are rendered again; in others the language names are replaced. Raises `DataError` when
    the instruction does not name its target language.
    """
    content = row["messages"][-2]["content"]
    old = (row["source_language"], row["target_language"])
    new = (source or old[0], target)
    for index in range(len(TRANSLATION_WORDINGS)):
        if content == translation_instruction(*old, row["source"], index):
            return translation_instruction(*new, row["source"], index)
    head, found, tail = content.partition(row["source"])
    names = {language_name(a): language_name(b) for a, b in zip(old, new, strict=True)}
    changed = "".join(_replace_names(part, names) for part in (head, "\0" if found else "", tail))
    if language_name(old[1]) not in head + tail:
        raise DataError(f"row {row['id']}: the instruction does not name its target language {old[1]!r}")
    return changed.replace("\0", row["source"])


def _replace_names(text: str, names: Mapping[str, str]) -> str:
    marks = {name: f"\1{number}\1" for number, name in enumerate(names)}
    for name, mark in marks.items():
        text = text.replace(name, mark)
    for name, mark in marks.items():
        text = text.replace(mark, names[name])
    return text


def _with_unlikelihood(
    sequence: TokenSequence, value: float, spared: Collection[int] = (), first: int | None = None
) -> TokenSequence:
    """Every token with loss takes part (value 1) or none (0).

    `spared` tokens, and those after the `first` others, carry no loss then.
    """
    mask = sequence.channels["loss_mask"]
    if spared:
        mask = np.where(np.isin(sequence.token_ids, list(spared)), np.float32(0), mask)
    if first is not None:
        mask = np.where(np.cumsum(mask > 0) <= first, mask, np.float32(0))
    channel = np.asarray(mask * value, np.float32)
    return TokenSequence(sequence.token_ids, {"loss_mask": mask, "unlikelihood": channel}, sequence.label)
