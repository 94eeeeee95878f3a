"""IFBench's `ratio:` constraints: stop words, kinds of sentences, overlap with a text, equal sentences.

Where they depart from the original: a text with neither statements nor questions has no ratio and fails; the
words of the three equal sentences must really differ, as the instruction says; full stops, question and
exclamation marks of other scripts count.
"""

from collections import Counter

from dragoman.text.segmentation import sentences, tokens, word_runs
from rewards.constraints.counts import LATIN_MARKS
from rewards.constraints.function_words import STOP_WORDS, a_listed_language, occurrences
from rewards.constraints.registry import a_percentage, a_text, instruction


@instruction("ratio:stop_words", percentage=a_percentage, optional={"language": a_listed_language})
def stop_words(response: str, percentage: float, language: str = "en") -> bool:
    """No more than so many percent of the words are stop words."""
    words = len(word_runs(response))
    return words > 0 and 100 * len(occurrences(response, STOP_WORDS, language)) / words <= percentage


@instruction("ratio:sentence_type")
def sentence_type(response: str) -> bool:
    """Twice as many statements as questions."""
    kinds = _end_marks(response)
    return kinds["?"] > 0 and kinds["."] == 2 * kinds["?"]


@instruction("ratio:sentence_balance")
def sentence_balance(response: str) -> bool:
    """As many statements as questions as exclamations."""
    kinds = _end_marks(response)
    return 0 < kinds["."] == kinds["?"] == kinds["!"]


@instruction("ratio:overlap", reference_text=a_text, percentage=a_percentage)
def overlap(response: str, reference_text: str, percentage: float) -> bool:
    """So many percent, give or take 2, of the response's different character trigrams are in the text."""
    grams, known = _trigrams(response), _trigrams(reference_text)
    return bool(grams) and abs(100 * len(grams & known) / len(grams) - percentage) <= 2


@instruction("ratio:sentence_words")
def sentence_words(response: str) -> bool:
    """Three sentences of the same length in characters that share no word."""
    found = sentences(response)
    words = [set(tokens(sentence.lower())) for sentence in found]
    shared = any(first & second for first, second in zip(words, words[1:] + words[:1], strict=True))
    return len(found) == 3 and len(set(map(len, found))) == 1 and not shared


def _trigrams(text: str) -> set[str]:
    return {text[start : start + 3] for start in range(len(text) - 2)}


def _end_marks(response: str) -> Counter[str]:
    """How many sentences end with each mark, closing quotation marks aside."""
    ends = (sentence.translate(LATIN_MARKS).rstrip("\"'”’»)]」』）") for sentence in sentences(response))
    return Counter(end[-1:] for end in ends)
