"""Constraints on case, punctuation, beginning and end, language, and combinations with the prompt.

The original asks `langdetect` for the language and passes a text it cannot judge; here
`dragoman.text.identification` is asked, and a text without letters passes as well.
"""

import re

from dragoman.text.identification import is_on_target
from dragoman.text.scripts import script_counts
from rewards.constraints.quotation import bare_end, is_quoted
from rewards.constraints.registry import a_count, a_relation, a_text, holds, instruction

COMMAS = ",，、،"
_DIVIDERS = re.compile(r"[\s,;:@#$%&?!()\[\]{}<>\"“”«»…]+|--+|\.\.+")
_CONTRACTION = re.compile(r"(?i)('s|'m|'d|'ll|'re|'ve|n't)$")


@instruction("change_case:english_lowercase")
def english_lowercase(response: str) -> bool:
    """English without any capital letter."""
    return response.islower() and _is_language(response, "en")


@instruction("change_case:english_capital")
def english_capital(response: str) -> bool:
    """English in capitals only."""
    return response.isupper() and _is_language(response, "en")


@instruction("change_case:capital_word_frequency", capital_frequency=a_count, capital_relation=a_relation)
def capital_word_frequency(response: str, capital_frequency: int, capital_relation: str) -> bool:
    """Number of words written in capitals throughout, divided as the Penn Treebank does (`ESA's` and `AT&T` are
    two words each, `COVID-19` is one).
    """
    words = [part for word in _DIVIDERS.split(response) for part in _CONTRACTION.split(word)]
    return holds(sum(word.isupper() for word in words), capital_relation, capital_frequency)


@instruction("startend:end_checker", end_phrase=a_text)
def end_checker(response: str, end_phrase: str) -> bool:
    """Ends with the phrase, in any case; closing quotation marks after it are allowed."""
    ending = bare_end(end_phrase)
    return bool(ending) and bare_end(response).endswith(ending)


@instruction("startend:quotation")
def quotation(response: str) -> bool:
    """The whole response stands between a pair of double quotation marks, of any script."""
    return is_quoted(response.strip())


@instruction("punctuation:no_comma")
def no_comma(response: str) -> bool:
    """No comma, that of Chinese, Japanese and Arabic included."""
    return not any(mark in response for mark in COMMAS)


@instruction("combination:repeat_prompt", prompt_to_repeat=a_text)
def repeat_prompt(response: str, prompt_to_repeat: str) -> bool:
    """Begins with the prompt, in any case."""
    return response.strip().lower().startswith(prompt_to_repeat.strip().lower())


@instruction("combination:two_responses")
def two_responses(response: str) -> bool:
    """Two different responses divided by six asterisks; nothing empty between them."""
    parts = [part.strip() for part in response.split("******")]
    if not all(parts[1:-1]):
        return False
    filled = [part for part in parts if part]
    return len(filled) == 2 and filled[0] != filled[1]


@instruction("language:response_language", language=a_text)
def response_language(response: str, language: str) -> bool:
    """Written in the language of this code."""
    return _is_language(response, language)


def _is_language(text: str, code: str) -> bool:
    return not script_counts(text) or is_on_target(text.lower(), code).on_target is not False
