"""Translation instructions about the answer as a whole: its length, nothing but the translation, its format.

`mt:no_commentary` looks for what models add: an announcement ("Here is the translation"), a note, alternatives,
quotation marks or a code fence around everything, more lines than the source. What the source itself has is
not held against the translation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from dragoman.text.markup import has_tags, well_formed_paths
from rewards.constraints.registry import a_positive_count, texts
from rewards.translation.instruction_table import one_of, translation_instruction
from rewards.translation.preservation import tags

FORMATS = ("plain", "json", "xml")
_ANNOUNCEMENT = re.compile(
    r"""\A\W*(?:
    (?:sure|certainly|of\ course|okay|ok)\b.{0,60}?(?:translat|:) |
    (?:here(?:['’]s|\ is|\ are)|below\ is|this\ is)\b.{0,40}\btranslat |
    (?:the\ )?(?:\w+\ )?translation(?:\ (?:in|into|to)\ \w+)?(?:\ is)?\s*: | translated\ (?:text|version)\s*: |
    (?:hier\ ist|hier\ kommt|gerne)\b.{0,40}übersetzung | (?:die\ )?übersetzung(?:\ \w+){0,3}\s*: |
    voici\b.{0,40}traduction | (?:la\ )?traduction(?:\ \w+){0,3}\s*: |
    (?:aquí\ (?:está|tienes|tiene)|esta\ es)\b.{0,40}traducción | (?:la\ )?traducción(?:\ \w+){0,3}\s*: |
    ecco\b.{0,40}traduzione | (?:la\ )?traduzione(?:\ \w+){0,3}\s*: |
    (?:aqui\ está|segue)\b.{0,40}tradução | (?:a\ )?tradução(?:\ \w+){0,3}\s*: |
    hier\ is\b.{0,40}vertaling | (?:de\ )?vertaling(?:\ \w+){0,3}\s*: |
    (?:oto|poniżej)\b.{0,40}tłumaczenie | tłumaczenie(?:\ \w+){0,3}\s*: |
    вот\b.{0,40}перевод | перевод(?:\ \w+){0,3}\s*: |
    (?:以下是|这是|下面是|以下为|以下為).{0,20}(?:翻译|译文|翻譯|譯文) |
    (?:中文|英文|法文|德文)?(?:翻译|译文|翻譯|譯文)[：:] |
    以下(?:は|が).{0,20}翻訳 | (?:日本語|英語)?(?:の)?(?:翻訳|訳文|訳)[：:] |
    (?:다음은|아래는).{0,30}번역 | (?:한국어\ )?번역\s*: | (?:إليك|هذه|فيما\ يلي)\b.{0,40}ترجمة | (?:ال)?ترجمة.{0,20}:
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_NOTE = re.compile(
    r"""^[\s*_(\[]*(?:
    note|notes|translator['’]s\ note|t\.?n\.?|explanation|commentary|comment|anmerkung|anmerkungen|hinweis|erklärung|
    remarque|note\ du\ traducteur|explication|nota|nota\ del\ traductor|explicación|spiegazione|explicação|opmerking|
    toelichting|uwaga|wyjaśnienie|примечание|пояснение|注|注释|註|说明|備考|注意|訳注|説明|참고|주석|설명|ملاحظة
    )\s*[*_]*\s*[:：]""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_ALTERNATIVES = re.compile(
    r"""^[\s*_(\[]*(?:
    alternative(?:ly|s)?(?:\ translation)?|option\ \d|version\ \d|variant\ \d|or|another\ (?:option|translation)|
    alternativ(?:e|en)?|oder|variante(?:\ \d)?|autre\ (?:option|traduction)|ou|alternativa|
    opción\ \d|otra\ opción|o\ bien|
    вариант(?:\ \d)?|или|另一种译法|或者|或|別訳|または|다른\ 번역|또는
    )\s*[*_]*\s*[:：,]""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_QUOTES = (
    ('"', '"'),
    ("“", "”"),
    ("„", "“"),
    ("„", "”"),
    ("«", "»"),
    ("「", "」"),
    ("『", "』"),
    ("'", "'"),
    ("**", "**"),
)


@translation_instruction("mt:max_characters", max_characters=a_positive_count)
def max_characters(response: str, source: str, max_characters: int) -> bool:
    """No longer than so many characters, white space at the ends not counted."""
    return len(response.strip()) <= max_characters


@translation_instruction("mt:no_commentary")
def no_commentary(response: str, source: str) -> bool:
    """Nothing but the translation. Without a source only announcements, notes, alternatives, fences and quotation
    marks around everything are seen.
    """
    text, original = response.strip(), source.strip()
    for pattern in (_ANNOUNCEMENT, _NOTE, _ALTERNATIVES):
        if pattern.search(text) and not pattern.search(original):
            return False
    if "```" in text and "```" not in original:
        return False
    if _is_quoted(text) and not _is_quoted(original):
        return False
    return not original or len(_lines(text)) <= len(_lines(original))


@translation_instruction("mt:output_format", format=one_of(*FORMATS), optional={"keys": texts})
def output_format(response: str, source: str, format: str, keys: Sequence[str] = ()) -> bool:
    """`plain`: no code fence, JSON or tags but the source's. `json`: one object with exactly these keys and
    texts that are not empty. `xml`: tags that nest, and where the source has tags, the same in their places.
    """
    text = response.strip()
    if format == "json":
        return _is_json(text, keys)
    if format == "xml":
        if has_tags(source):
            return bool(tags(text, source))
        return bool(well_formed_paths(text)) and text.startswith("<") and text.endswith(">")
    fenced = "```" in text and "```" not in source
    tagged = has_tags(text) and not has_tags(source)
    return bool(text) and not fenced and not tagged and not (_object(text) and not _object(source))


def _is_json(text: str, keys: Sequence[str]) -> bool:
    body = re.sub(r"\A```(?:json)?\s*|\s*```\Z", "", text)
    found = _object(body)
    if not found or (keys and set(found) != set(keys)):
        return False
    return all(isinstance(value, str) and value.strip() for value in found.values()) if keys else True


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_quoted(text: str) -> bool:
    """One pair of quotation marks around the whole, none of the kind inside."""
    for first, last in _QUOTES:
        inner = text[len(first) : len(text) - len(last)]
        if (
            len(text) > 2
            and text.startswith(first)
            and text.endswith(last)
            and first not in inner
            and last not in inner
        ):
            return True
    return False


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]
