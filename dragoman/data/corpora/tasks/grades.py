"""How badly a reference is damaged: from not at all to lost, drawn evenly."""

from collections.abc import Sequence
from random import Random

from dragoman.data.corpora.tasks.base import Material
from dragoman.data.corpora.tasks.damages import Damaged, damaged, is_damageable, shortened, words_for

GRADES = ("clean", "light", "middle", "heavy", "shortened", "lost")
COUNTS = {"light": (1, 1), "middle": (2, 3), "heavy": (4, 5)}
"""Fewest and most words damaged"""


def graded(material: Material, grades: Sequence[str], random: Random) -> Damaged | None:
    """The reference damaged by one of these grades; None where its text allows none, or not the one drawn."""
    grade = random.choice(grades)
    reference = material.segment.target
    if not is_damageable(reference):
        return None
    if grade == "clean":
        return Damaged(reference)
    if grade == "shortened":
        return shortened(reference, random)
    if grade == "lost":
        return _lost(material, random)
    others = [other.target for _, other in material.others]
    return damaged(
        reference, words_for(reference, material.segment.source, others), random.randint(*COUNTS[grade]), random
    )


def _lost(material: Material, random: Random) -> Damaged | None:
    """The source itself, or another sentence's translation."""
    others = [other.target for _, other in material.others]
    text = random.choice([material.segment.source, *others[:1]])
    same = text.casefold() == material.segment.target.casefold()
    return None if same else Damaged(text, unmarked=("critical",))
