"""How the tasks are asked: prompts.yaml, in the instruction language of the row.

The instruction language is English, or one of the row's own that has wordings, drawn at random.
"""

from collections.abc import Mapping
from random import Random

from dragoman.data.catalogs.wordings import OWN_SHARE
from dragoman.text.languages import base_code, language_name, names_in
from dragoman.text.tables import read_table

PROMPTS: Mapping[str, Mapping[str, list[str]]] = read_table(__file__)
"""By instruction language and task, the wordings"""


def drawn_language(languages: tuple[str, ...], random: Random) -> str:
    """The instruction language of a row with texts in these languages."""
    own = sorted({base_code(code) for code in languages} & set(PROMPTS) - {"en"})
    return random.choice(own) if own and random.random() < OWN_SHARE else "en"


def named(code: str, language: str) -> str:
    """What a language is called in an instruction language; in English where CLDR has no name."""
    return next(iter(names_in(code, language)), language_name(code))


def prompt(task: str, language: str, random: Random, /, **slots: str) -> str:
    """A task in one of its wordings."""
    return random.choice(PROMPTS[language][task]).format(**slots)


def pair_names(direction: tuple[str, str], language: str) -> dict[str, str]:
    """The slots for the languages of a direction."""
    source, target = (named(code, language) for code in direction)
    return {"source_language": source, "target_language": target}
