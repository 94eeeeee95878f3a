"""Which translation directions a stage may see.

| set | directions | by default |
|---|---|---|
| `supervised` | from or to English (6) | asked for by every stage, with an answer or a reference |
| `parallel_only` | German - French (2) | raw text of continued pretraining, never asked for |
| `zero_shot` | German - Spanish, French - Spanish (4) | in no stage, in no form that has the right answer |
| `seen`, `all` | the first two, all three | |

A recipe may also list directions: `[en-de, de-en]`.
"""

from collections.abc import Sequence
from itertools import permutations

CODES = ("en", "de", "fr", "es")
PIVOT = "en"
Direction = tuple[str, str]
"""Source code, target code"""

ALL: tuple[Direction, ...] = tuple(permutations(CODES, 2))
SUPERVISED = tuple(pair for pair in ALL if PIVOT in pair)
PARALLEL_ONLY: tuple[Direction, ...] = (("de", "fr"), ("fr", "de"))
ZERO_SHOT = tuple(pair for pair in ALL if pair not in SUPERVISED + PARALLEL_ONLY)
SETS: dict[str, tuple[Direction, ...]] = {
    "supervised": SUPERVISED,
    "parallel_only": PARALLEL_ONLY,
    "zero_shot": ZERO_SHOT,
    "seen": SUPERVISED + PARALLEL_ONLY,
    "all": ALL,
}


def directions(choice: str | Sequence[str]) -> tuple[Direction, ...]:
    """The directions of a set's name, or of a list such as `["en-de"]`; ValueError names what is allowed."""
    if isinstance(choice, str):
        if choice not in SETS:
            raise ValueError(f"unknown set of directions {choice!r}: choose {', '.join(SETS)}, or list some like en-de")
        return SETS[choice]
    known = {"-".join(pair): pair for pair in ALL}
    wrong = [name for name in choice if name not in known]
    if wrong or not choice:
        raise ValueError(
            f"unknown direction {wrong[0]!r}" if wrong else f"list one direction or more of {', '.join(known)}"
        )
    return tuple(known[name] for name in dict.fromkeys(choice))
