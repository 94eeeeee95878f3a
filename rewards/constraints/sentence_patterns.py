"""IFBench's `sentence:` constraints. In scripts without spaces a word is a character."""

from itertools import pairwise

from dragoman.text.segmentation import sentences, spaced_words, tokens
from rewards.constraints.keywords import WHOLE_WORDS, occurrences
from rewards.constraints.registry import a_count, a_positive_count, a_text, instruction


@instruction("sentence:keyword", word=a_text, N=a_positive_count, optional=WHOLE_WORDS)
def keyword(response: str, word: str, N: int, whole_words: bool = True) -> bool:
    """The N-th sentence holds the keyword, in any case."""
    found = sentences(response)
    return len(found) >= N and occurrences(found[int(N) - 1], word, whole_words) > 0


@instruction("sentence:increment", small_n=a_count)
def increment(response: str, small_n: int) -> bool:
    """Each sentence has exactly so many words more than the one before."""
    lengths = [len(tokens(sentence)) for sentence in sentences(response)]
    return bool(lengths) and all(second == first + small_n for first, second in pairwise(lengths))


@instruction("sentence:alliteration_increment")
def alliteration_increment(response: str) -> bool:
    """Each sentence has more words in alliteration (neighbours with the same first letter) than the one before."""
    counts = [_alliterative([word[0] for word in spaced_words(s.lower())]) for s in sentences(response)]
    return bool(counts) and all(first < second for first, second in pairwise(counts))


def _alliterative(initials: list[str]) -> int:
    """How many words share their first letter with a neighbour."""
    same = [first == second for first, second in pairwise(initials)]
    return sum(before or after for before, after in zip([False, *same], [*same, False], strict=True))
