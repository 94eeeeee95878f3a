"""How a translation is asked for: a few wordings, all of which name the source and the target language.

`translation_instruction` is also what language-aware tuning calls to render a wrong direction: the same
source text and the same wording, with another target language (arXiv 2403.14399; the rule "keep the source,
change the target" is the strongest negative).

The instruction stands before the text, or after it: nearer to the answer, where a model heeds it better (arXiv
2308.12097), which costs nothing.
"""

from typing import Literal, get_args

from dragoman.text.languages import language_name
from dragoman.text.tables import read_table

_TABLE = read_table(__file__)
TRANSLATION_WORDINGS: tuple[str, ...] = tuple(_TABLE["translation"])
AFTER_WORDINGS: tuple[str, ...] = tuple(_TABLE["translation_after"])
"""One for one those of `TRANSLATION_WORDINGS`, the text first"""
PARALLEL_LAYOUTS: tuple[str, ...] = tuple(_TABLE["parallel"])


Position = Literal["before", "after"]
"""Where an instruction stands: before the text that is translated, or after it"""
POSITIONS: tuple[Position, ...] = get_args(Position)


def translation_instruction(
    source_language: str, target_language: str, text: str, template_index: int, position: Position = "before"
) -> str:
    """The user's message that asks for `text` to be translated.

    `template_index` counts through `TRANSLATION_WORDINGS` and wraps around. Raises ValueError for an unknown
    language code.
    """
    wordings = TRANSLATION_WORDINGS if position == "before" else AFTER_WORDINGS
    wording = wordings[template_index % len(wordings)]
    return wording.format(source=language_name(source_language), target=language_name(target_language), text=text)


def parallel_text(first_language: str, first: str, second_language: str, second: str, layout: int = 0) -> str:
    """A sentence pair as plain text for continued pretraining, in one of `PARALLEL_LAYOUTS`."""
    names = {"source": language_name(first_language), "target": language_name(second_language)}
    return PARALLEL_LAYOUTS[layout].format(**names, first=first, second=second)
