"""Language-aware tuning (arXiv 2403.14399). Right instruction: likelihood. Wrong direction, same answer: unlikelihood.

Every translation comes twice, once under a wrong instruction that is drawn anew each time; shares of the batch replay
what earlier stages taught: fine-tuning data of all tasks, pretraining text.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random

import numpy as np

from dragoman.data.mixtures import plan_examples
from dragoman.data.rows import Conversation, DataError, Message, ParallelPair, read_conversations
from dragoman.learner import Objective, TokenSequence
from dragoman.learner.encoding import encode_chat, loss_tokens
from dragoman.learner.losses import LanguageAware
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import RowLimit, encode_conversations, fitting
from pretrain_sft.instructions import WrongInstructions, pair_of
from pretrain_sft.settings import LanguageAwareSettings


class TranslationPairs:
    """The translations of `lat.jsonl`, each under its own instruction and under a wrong one."""

    def __init__(self, data: Path, settings: LanguageAwareSettings, encoder: RowEncoder) -> None:
        rows = read_conversations(data / "lat.jsonl", translations=True)
        # half a translation is a wrong one: what would be cut is left out
        tokenizer, limit = encoder.tokenizer, encoder.limit
        whole = limit if limit.longer == "refuse" else RowLimit(limit.tokens, "drop")
        encoded = fitting(encode_conversations(rows, "lat.jsonl", tokenizer), "lat.jsonl", whole)
        fit = {sequence.label for sequence in encoded}
        self.rows = [row for row in rows if f"lat.jsonl: row {row.id}" in fit]
        self.tokenizer, self.settings = tokenizer, settings
        self.loss = LanguageAware(settings.alpha)
        check_negatives(data / "lat.jsonl", settings.negatives, [pair_of(row) for row in self.rows])
        self.wrong = WrongInstructions(self.rows, settings.negatives)

    def __len__(self) -> int:
        return len(self.rows)

    def sequences(self, index: int, random: Random) -> tuple[TokenSequence, TokenSequence]:
        """A translation under its own instruction, and the same under a wrong one that is drawn anew."""
        row = self.rows[index]
        right = encode_chat(self.tokenizer, row.messages, row.id)
        wrong = encode_chat(self.tokenizer, self._negative(row, random), row.id)
        wrong = with_unlikelihood(wrong, 1.0, self._spared(row), self.settings.decision_tokens)
        return with_unlikelihood(right, 0.0), wrong

    def objective(
        self, pairs: Sequence[tuple[TokenSequence, TokenSequence]], replayed: Sequence[TokenSequence] = (),
        weight: float = 1.0, name: str = "",
    ) -> Objective:  # fmt: skip
        """The loss on pairs of `sequences`, and on what is replayed beside them."""
        likely = [*(with_unlikelihood(one, 0.0) for one in replayed), *(right for right, _ in pairs)]
        negatives = sum(float(wrong.channels["unlikelihood"].sum()) for _, wrong in pairs)
        counts = {"tokens": float(sum(map(loss_tokens, likely))), "unlikelihood_tokens": negatives}
        units = [(one,) for one in (*likely[: len(replayed)], *(one for pair in pairs for one in pair))]
        return Objective(units, self.loss, counts, weight=weight, name=name)

    def _spared(self, row: Conversation) -> set[int]:
        """Tokens that the source has too, in the middle of a line or at its start."""
        if not self.settings.spare_copied:
            return set()
        source = pair_of(row).source
        return {
            token
            for text in (source, " " + source)
            for token in self.tokenizer(text, add_special_tokens=False)["input_ids"]
        }

    def _negative(self, row: Conversation, random: Random) -> list[Message]:
        text = self.wrong.draw(row, random)
        return [*row.messages[:-2], {"role": "user", "content": text}, row.messages[-1]]


class LanguageAwareSource:
    """Translations with their negatives, and replayed examples."""

    def __init__(self, data: Path, settings: LanguageAwareSettings, encoder: RowEncoder, seed: int) -> None:
        self.pairs, self.seed = TranslationPairs(data, settings, encoder), seed
        counts = settings.replay_counts
        tuned = settings.batch_examples - sum(counts.values())
        self.plan = plan_examples(len(self.pairs), tuned, settings.steps, seed, "lat")
        self.replay = encoder.files(data, settings.replay)
        self.replay_plan = {
            name: plan_examples(len(self.replay[name]), count, settings.steps, seed, f"replay/{name}")
            for name, count in counts.items()
        }

    def batch(self, step: int) -> list[Objective]:
        """Examples of one step, each translation with its negative."""
        replayed = [self.replay[name][i] for name, plan in self.replay_plan.items() for i in plan[step]]
        drawn = [
            self.pairs.sequences(index, drawn_for(self.seed, step, place))
            for place, index in enumerate(self.plan[step])
        ]
        return [self.pairs.objective(drawn, replayed)]


def drawn_for(seed: int, step: int, place: int) -> Random:
    """What draws the wrong instruction of an example: the same for the same place of the same step."""
    return Random(f"{seed}/{step}/{place}")


def check_negatives(file: Path, rule: str, pairs: Sequence[ParallelPair]) -> None:
    """Raise `DataError` when the rows have no wrong direction by this rule."""
    directions = {pair.direction for pair in pairs}
    languages = {code for direction in directions for code in direction}
    enough = {
        "keep_source": len(languages) > 2,
        "target_differs": len({target for _, target in directions}) > 1,
        "any": len(directions) > 1,
        "other_instruction": len(directions) > 1,
    }
    if not enough[rule]:
        raise DataError(
            f"{file}: lat.negatives={rule} finds no wrong direction among {len(languages)} languages and "
            f"{len(directions)} directions; add rows of another language or leave the lat stage out"
        )


def with_unlikelihood(
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
