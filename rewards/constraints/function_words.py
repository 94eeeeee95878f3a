"""Stop words, pronouns and coordinating conjunctions of seven languages, for IFBench's counting constraints.

IFBench has English lists only; its kwargs are kept and `language` is added, English when left out. function_words.yaml
has the lists and says where they come from. In Chinese and Japanese an entry counts wherever it stands, because nothing
marks where a word ends.
"""

import re
from collections.abc import Mapping

from dragoman.text.segmentation import word_runs
from dragoman.text.tables import listed, read_table
from rewards.constraints.registry import one_of

SPACELESS_LANGUAGES = frozenset({"zh", "ja"})
Lists = Mapping[str, frozenset[str]]
"""By language"""
_TABLE = read_table(__file__)
CONJUNCTIONS, PRONOUNS, STOP_WORDS = (
    {language: listed(words) for language, words in _TABLE[name].items()}
    for name in ("conjunctions", "pronouns", "stop_words")
)


a_listed_language = one_of(*STOP_WORDS)
"""The validator of the kwarg `language`."""


def occurrences(text: str, lists: Lists, language: str) -> list[str]:
    """Every occurrence of an entry of the language's list, in lower case; the longest where several begin."""
    if language in SPACELESS_LANGUAGES:
        longest_first = sorted(lists[language], key=len, reverse=True)
        return re.findall("|".join(map(re.escape, longest_first)), text)
    return [word for word in map(str.lower, word_runs(text)) if word in lists[language]]
