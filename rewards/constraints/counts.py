"""IFBench's `count:` constraints: words, numbers, names, conjunctions, pronouns, punctuation, keywords.

Where they depart from the original: names are whole words (the original finds Leo in Leonard); punctuation
of other scripts counts as its Latin counterpart; a text with fewer than N words has no N-th word to be
Japanese, so it fails; conjunctions and pronouns also come in other languages (function_words.py).
"""

import re
import string

from dragoman.text.segmentation import spaced_words, strip_punctuation, without_punctuation, word_runs
from dragoman.text.tables import listed, read_table
from rewards.constraints.function_words import CONJUNCTIONS, PRONOUNS, a_listed_language, occurrences
from rewards.constraints.keywords import WHOLE_WORDS
from rewards.constraints.keywords import occurrences as word_occurrences
from rewards.constraints.registry import a_count, a_positive_count, a_text, instruction

PERSON_NAMES = listed(read_table(__file__, "ifbench")["person_names"])
LATIN_MARKS = str.maketrans("。．，、！？；：؟،؛।۔", "..,,!?;:?,;..")
_MARKS = frozenset(".,!?;:")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_OTHER_SEPARATORS = str.maketrans("", "", string.punctuation + "٫٬，．")


@instruction("count:word_count_range", min_words=a_count, max_words=a_count)
def word_count_range(response: str, min_words: int, max_words: int) -> bool:
    """No fewer and no more words than the two bounds."""
    return min_words <= len(word_runs(response)) <= max_words


@instruction("count:unique_word_count", N=a_count)
def unique_word_count(response: str, N: int) -> bool:
    """At least N different words."""
    return len(set(spaced_words(response.lower()))) >= N


@instruction("count:numbers", N=a_count)
def numbers(response: str, N: int) -> bool:
    """Exactly N numbers, in digits of any script; `1,000.5` is one."""
    return len(re.findall(r"\d+", response.translate(_OTHER_SEPARATORS))) == N


@instruction("count:person_names", N=a_count)
def person_names(response: str, N: int) -> bool:
    """At least N different names of the instruction's list."""
    found = set(re.findall(r"(?<![A-Za-z])[A-Z][a-z]+(?![A-Za-z])", response))
    return len(found & PERSON_NAMES) >= N


@instruction("count:conjunctions", small_n=a_count, optional={"language": a_listed_language})
def conjunctions(response: str, small_n: int, language: str = "en") -> bool:
    """At least so many different coordinating conjunctions."""
    return len(set(occurrences(response, CONJUNCTIONS, language))) >= small_n


@instruction("count:pronouns", N=a_count, optional={"language": a_listed_language})
def pronouns(response: str, N: int, language: str = "en") -> bool:
    """At least N personal and possessive pronouns."""
    if language == "en":
        words = without_punctuation(response.replace("/", " ").lower()).split()
        return sum(word in PRONOUNS["en"] for word in words) >= N
    return len(occurrences(response, PRONOUNS, language)) >= N


@instruction("count:punctuation")
def punctuation(response: str) -> bool:
    """Each of `. , ! ? ; :` and an interrobang."""
    text = response.translate(LATIN_MARKS)
    rest = next((text.replace(mark, "", 1) for mark in ("?!", "!?") if mark in text), text)
    return (rest != text or "‽" in text) and set(rest) >= _MARKS


@instruction("count:words_japanese", N=a_positive_count)
def words_japanese(response: str, N: int) -> bool:
    """Every N-th word between spaces has Japanese characters; numbers are let pass."""
    words = [strip_punctuation(word) for word in response.split()]
    wanted = [word for word in words[int(N) - 1 :: int(N)] if word and not word.isdigit()]
    return len(words) >= N and any(words) and all(_JAPANESE.search(word) for word in wanted)


@instruction(
    "count:keywords_multiple", keyword1=a_text, keyword2=a_text, keyword3=a_text, keyword4=a_text, keyword5=a_text,
    optional=WHOLE_WORDS,
)  # fmt: skip
def keywords_multiple(response: str, whole_words: bool = True, **keywords: str) -> bool:
    """The five keywords exactly once, twice, 3, 5 and 7 times."""
    wanted = zip(sorted(keywords), (1, 2, 3, 5, 7), strict=True)
    return all(word_occurrences(response, keywords[name], whole_words) == times for name, times in wanted)
