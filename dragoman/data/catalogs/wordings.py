"""How translations are asked for: in English (dragoman.text.wordings) and in the language to translate into.

The latter need not name the source's language. Languages without wordings of their own are asked for in English.
"""

from random import Random

from dragoman.data.catalogs.settings import Direction
from dragoman.text.languages import base_code
from dragoman.text.wordings import TRANSLATION_WORDINGS, Position, translation_instruction

OWN_WORDINGS: dict[str, tuple[str, ...]] = {
    "de": ("Übersetze den folgenden Text ins Deutsche.\n{text}", "Wie lautet das auf Deutsch?\n{text}"),
    "fr": ("Traduis le texte suivant en français.\n{text}", "Comment dit-on cela en français ?\n{text}"),
    "es": ("Traduce el siguiente texto al español.\n{text}", "¿Cómo se dice esto en español?\n{text}"),
    "cs": ("Přelož následující text do češtiny.\n{text}", "Jak se to řekne česky?\n{text}"),
    "it": ("Traduci il testo seguente in italiano.\n{text}", "Come si dice in italiano?\n{text}"),
    "pt": ("Traduza o texto seguinte para português.\n{text}", "Como se diz isto em português?\n{text}"),
    "nl": ("Vertaal de volgende tekst naar het Nederlands.\n{text}", "Hoe zeg je dit in het Nederlands?\n{text}"),
    "pl": ("Przetłumacz poniższy tekst na język polski.\n{text}", "Jak to powiedzieć po polsku?\n{text}"),
    "ru": ("Переведи следующий текст на русский язык.\n{text}", "Как это сказать по-русски?\n{text}"),
    "uk": ("Переклади наступний текст українською мовою.\n{text}", "Як це сказати українською?\n{text}"),
    "sv": ("Översätt följande text till svenska.\n{text}", "Hur säger man det på svenska?\n{text}"),
    "ja": ("次の文を日本語に訳してください。\n{text}", "これは日本語で何と言いますか。\n{text}"),
    "zh": ("把下面的文字翻译成中文。\n{text}", "这句话用中文怎么说？\n{text}"),
    "ko": ("다음 글을 한국어로 번역하세요.\n{text}", "이것을 한국어로 어떻게 말합니까?\n{text}"),
}
_TEXT_LAST = "\n{text}"
OWN_SHARE = 0.35
"""Of the translations into a language that has wordings of its own"""


def translation_prompt(
    direction: Direction,
    text: str,
    random: Random,
    *,
    english_only: bool = False,
    own_only: bool = False,
    position: Position = "before",
) -> str:
    """The user's message, in a wording drawn at random; in English alone, or in the target's own where it has any.
    After the text, of the target's own wordings only the question: the others say "the following text"."""
    own = OWN_WORDINGS.get(base_code(direction[1]), ())
    if own and not english_only and (own_only or random.random() < OWN_SHARE):
        if position == "after":
            return f"{text}\n\n{own[1].removesuffix(_TEXT_LAST)}"
        return random.choice(own).format(text=text)
    return translation_instruction(*direction, text, random.randrange(len(TRANSLATION_WORDINGS)), position)
