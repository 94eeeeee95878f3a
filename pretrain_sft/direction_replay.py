"""Language-aware tuning's own objective beside another one.

Preference pairs and rollouts ask for the directions that a recipe's prompts have, and each update moves the others a
little: answers in the wrong language come back where no prompt asks. A few translations of `lat.jsonl` in every step,
each under its own and under a wrong instruction, hold what that stage taught.
"""

from pathlib import Path

from dragoman.data.mixtures import plan_examples
from dragoman.learner import Objective
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.language_aware import TranslationPairs, drawn_for
from pretrain_sft.settings import DirectionReplaySettings, LanguageAwareSettings


class DirectionReplay:
    """An `AuxiliarySource` of translations and wrong instructions, under the loss that the stage `lat` has."""

    def __init__(
        self, data: Path, replay: DirectionReplaySettings, tuned: LanguageAwareSettings, encoder: RowEncoder,
        steps: int, seed: int,
    ) -> None:  # fmt: skip
        self.weight, self.seed = replay.coefficient, seed
        self.pairs = TranslationPairs(data, tuned, encoder)
        self.plan = plan_examples(len(self.pairs), replay.batch_examples, steps, seed, "directions")

    def objective(self, step: int, part: int = 0, parts: int = 1) -> Objective:
        """See `AuxiliarySource`; its metrics are named `directions/…`."""
        places = list(enumerate(self.plan[step]))[part::parts]
        pairs = [self.pairs.sequences(index, drawn_for(self.seed, step, place)) for place, index in places]
        return self.pairs.objective(pairs, weight=self.weight, name="directions")
