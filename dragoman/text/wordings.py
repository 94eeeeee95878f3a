"""How a translation is asked for: a few wordings, all of which name the source and the target language.

`translation_instruction` is also what language-aware tuning calls to render a wrong direction: the same
source text and the same wording, with another target language (arXiv 2403.14399; the rule "keep the source,
change the target" is the strongest negative).
"""

from dragoman.text.languages import language_name
from dragoman.text.tables import read_table

_TABLE = read_table(__file__)
TRANSLATION_WORDINGS: tuple[str, ...] = tuple(_TABLE["translation"])
PARALLEL_LAYOUTS: tuple[str, ...] = tuple(_TABLE["parallel"])


def translation_instruction(source_language: str, target_language: str, text: str, template_index: int) -> str:
    """The user's message that asks for `text` to be translated.

    `template_index` counts through `TRANSLATION_WORDINGS` and wraps around. Raises ValueError for an unknown
    language code.
    """
    wording = TRANSLATION_WORDINGS[template_index % len(TRANSLATION_WORDINGS)]
    return wording.format(source=language_name(source_language), target=language_name(target_language), text=text)


def parallel_text(first_language: str, first: str, second_language: str, second: str, layout: int = 0) -> str:
    """A sentence pair as plain text for continued pretraining, in one of `PARALLEL_LAYOUTS`."""
    names = {"source": language_name(first_language), "target": language_name(second_language)}
    return PARALLEL_LAYOUTS[layout].format(**names, first=first, second=second)
