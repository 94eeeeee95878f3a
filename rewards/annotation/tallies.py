"""Counts of which precision, recall and F are made: of one answer, and summed over a corpus."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    """How much of what an answer gives is right, and how much was wanted."""

    right: float
    given: float
    wanted: float

    def f(self, beta: float = 1.0) -> float:
        """(1 + b²) P R / (b² P + R) = (1 + b²) right / (given + b² wanted); 1 where nothing was wanted and given."""
        denominator = self.given + beta**2 * self.wanted
        return (1 + beta**2) * self.right / denominator if denominator else 1.0

    def in_words(self, what: str) -> str:
        """For the detail of a reward."""
        return f"{self.right:g} of {self.given:g} {what} right, {self.wanted:g} wanted"
