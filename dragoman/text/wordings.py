"""How a translation is asked for: a few wordings, all of which name the source and the target language.

`translation_instruction` is also what language-aware tuning calls to render a wrong direction: the same
source text and the same wording, with another target language (arXiv 2403.14399; the rule "keep the source,
change the target" is the strongest negative).
"""

from __future__ import annotations

from dragoman.text.languages import language_name

TRANSLATION_WORDINGS = (
    "Translate the following text from {source} to {target}.\n{text}",
    "Please translate this {source} text into {target}:\n{text}",
    "Translate the following {source} source text to {target}:\n{source}: {text}\n{target}:",
)
"""The third is the wording on the Tower+ model cards."""


def translation_instruction(source_language: str, target_language: str, text: str, template_index: int) -> str:
    """The user's message that asks for `text` to be translated.

    `template_index` counts through `TRANSLATION_WORDINGS` and wraps around. Raises ValueError for an unknown
    language code.
    """
    wording = TRANSLATION_WORDINGS[template_index % len(TRANSLATION_WORDINGS)]
    return wording.format(source=language_name(source_language), target=language_name(target_language), text=text)


PARALLEL_LAYOUTS = (
    "{source}: {first}\n{target}: {second}",
    "From {source} to {target}.\n{first}\n{second}",
    "{source} text in {target}:\n{first}\n{second}",
    "{source}: {first}\n{target}: {second}\n{source}: {first}",
)
"""Raw parallel text as it is found: labelled line by line, or under a heading that names the direction.

In the last layout the first sentence comes back. Single sentences repeat nothing, and a model from random weights that
never saw a repetition seems to learn to copy late: asked to use the word market, it used another it knew.
"""


def parallel_text(first_language: str, first: str, second_language: str, second: str, layout: int = 0) -> str:
    """A sentence pair as plain text for continued pretraining, in one of `PARALLEL_LAYOUTS`."""
    names = {"source": language_name(first_language), "target": language_name(second_language)}
    return PARALLEL_LAYOUTS[layout].format(**names, first=first, second=second)
