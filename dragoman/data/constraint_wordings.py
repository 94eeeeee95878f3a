"""How each language asks for text under constraints: tasks, topics, words to ask for or to forbid, end phrases, and one
sentence for each kind of constraint (constraint_wordings.yaml), for constraint_prompts.py.
"""

from dragoman.settings import Settings
from dragoman.text.tables import read_table


class Wording(Settings):
    """How one language asks."""

    tasks: tuple[str, ...]
    topics: tuple[str, ...]
    keywords: tuple[str, ...]
    forbidden: tuple[str, ...]
    endings: tuple[str, ...]
    heading: str
    """Opens a list of constraints."""
    splitter: str
    """What a section begins with."""
    joint: str
    """Between sentences."""
    texts: dict[str, str]


WORDINGS = {language: Wording(**entry) for language, entry in read_table(__file__).items()}
TEXTS = tuple(WORDINGS["en"].texts)
"""The constraints that each language has a sentence for."""
