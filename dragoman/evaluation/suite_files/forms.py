"""How a row is asked: the built-in prompt forms, and free templates.

| form | where it comes from | sent as |
|---|---|---|
| `house` | the first wording of fine-tuning (`dragoman.text.wordings`) | a chat |
| `house_after` | the same with the text first (`data.sizes.instruction: after`) | a chat |
| `tower` | the model cards of Tower+ (arXiv 2506.17080), space at the end included | a chat |
| `translategemma` | TranslateGemma's chat template (arXiv 2601.09012) | a chat |
| `gemmax` | GemmaX2 and MiLMMT (xiaomi-research/gemmax) | plain text, no chat template |
| `plain` | two labelled lines, as in the few-shot form | plain text, no chat template |

A template has the fields {source}, {source_language}, {target_language} (English names), {source_code}, {target_code}.
Texts are put in last and as they are: a brace in a source text is no field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dragoman.data.rows import ParallelPair
from dragoman.text.languages import language_name
from dragoman.text.wordings import AFTER_WORDINGS, TRANSLATION_WORDINGS

FIELDS = ("source", "source_language", "target_language", "source_code", "target_code")
CHOICE_FIELDS = ("question", "choices")
ANNOTATED_FIELDS = ("draft", "translation", "sentence", "tokens", "types", "low", "high")
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Form:
    """A template, and whether it is sent as a plain text to go on with."""

    template: str
    raw: bool = False
    stop: tuple[str, ...] = ()
    """Texts at which an answer ends"""


_TOWER = (
    "Translate the following {source_language} source text to {target_language}:\n"
    "{source_language}: {source}\n{target_language}: "
)
_TRANSLATEGEMMA = (
    "You are a professional {source_language} ({source_code}) to {target_language} ({target_code}) translator. Your "
    "goal is to accurately convey the meaning and nuances of the original {source_language} text while adhering to "
    "{target_language} grammar, vocabulary, and cultural sensitivities.\nProduce only the {target_language} "
    "translation, without any additional explanations or commentary. Please translate the following {source_language} "
    "text into {target_language}:\n\n\n{source}"
)
_GEMMAX = "Translate this from {source_language} to {target_language}:\n{source_language}: {source}\n{target_language}:"
_NAMES = {"source": "{source_language}", "target": "{target_language}", "text": "{source}"}
FORMS = {
    "house": Form(TRANSLATION_WORDINGS[0].format(**_NAMES)),
    "house_after": Form(AFTER_WORDINGS[0].format(**_NAMES)),
    "tower": Form(_TOWER),
    "translategemma": Form(_TRANSLATEGEMMA),
    "gemmax": Form(_GEMMAX, raw=True, stop=("\n",)),
    "plain": Form("{source_language}: {source}\n{target_language}:", raw=True, stop=("\n",)),
}


def unknown_fields(template: str, known: tuple[str, ...]) -> list[str]:
    """Fields of a template that nothing fills."""
    return [name for name in _FIELD.findall(template) if name not in known]


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its fields filled; braces around anything else stay."""
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), template)


def asked(form: Form, pair: ParallelPair) -> str:
    """What is asked for a translation."""
    source, target = pair.direction
    return filled(
        form.template,
        {
            "source": pair.source, "source_language": language_name(source), "target_language": language_name(target),
            "source_code": source, "target_code": target,
        },
    )  # fmt: skip
