"""IFBench's `words:` constraints: patterns over the letters, lengths and places of words.

Constraints on letters know three alphabets (Latin without diacritics, Cyrillic, Greek); a text in another
script cannot follow them, and a text without words follows none (the original lets both pass). Where a
place is asked for, punctuation is no word (for the original the last word of "so it is." is the full stop).
In scripts without spaces a word is a character, except for lengths and palindromes, where it is what stands
between punctuation marks.

Missing: `words:start_verb` needs a part-of-speech tagger and `words:odd_even_syllables` a pronouncing
dictionary.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from dragoman.text.segmentation import bare, paragraphs, phrases, sentences, spaced_words, tokens
from rewards.constraints.registry import a_positive_count, a_text, instruction

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "αβγδεζηθικλμνξοπρστυφχψω",
)
VOWELS = frozenset("aeiou" + "аеиоуыэюя" + "αεηιουω")
_LETTERS = frozenset("".join(ALPHABETS)) | {"ς"}
_PALINDROMES, _PALINDROME_LENGTH = 10, 5


@instruction("words:alphabet")
def alphabet(response: str) -> bool:
    """Each word starts with the next letter of the alphabet, which starts again after its end."""
    initials = [bare(word[0]) for word in tokens(response)]
    letters = next((letters for letters in ALPHABETS if initials and initials[0] in letters), "")
    places = [letters.find(initial) for initial in initials]
    return bool(letters) and all(b == (a + 1) % len(letters) for a, b in pairwise(places))


@instruction("words:vowel")
def vowel(response: str) -> bool:
    """One line with at most three different vowels."""
    letters = _known_letters(response)
    return letters is not None and "\n" not in response.strip() and len(set(letters) & VOWELS) <= 3


@instruction("words:consonants")
def consonants(response: str) -> bool:
    """Each word has two consonants side by side."""
    return bool(_known_letters(response)) and all(map(_has_cluster, response.split()))


@instruction("words:palindrome")
def palindrome(response: str) -> bool:
    """At least ten words of five or more characters that read the same backwards."""
    words = [word for word in phrases(response.lower()) if len(word) >= _PALINDROME_LENGTH and word == word[::-1]]
    return len(words) >= _PALINDROMES


@instruction("words:prime_lengths")
def prime_lengths(response: str) -> bool:
    """The length of every word is a prime number."""
    return _all_hold([_is_prime(len(word)) for word in phrases(response)])


@instruction("words:repeats", small_n=a_positive_count)
def repeats(response: str, small_n: int) -> bool:
    """No word more often than so many times."""
    counts = Counter(tokens(response.lower()))
    return bool(counts) and max(counts.values()) <= small_n


@instruction("words:no_consecutive")
def no_consecutive(response: str) -> bool:
    """No two neighbouring words share their first letter."""
    words = tokens(response.lower())
    return bool(words) and all(first[0] != second[0] for first, second in pairwise(words))


@instruction("words:last_first")
def last_first(response: str) -> bool:
    """The last word of each sentence is the first of the next."""
    words = [spaced_words(sentence.lower()) for sentence in sentences(response)]
    return _all_hold([bool(a and b) and a[-1] == b[0] for a, b in pairwise(words)]) or len(words) == 1


@instruction("words:paragraph_last_first")
def paragraph_last_first(response: str) -> bool:
    """Each line ends with the word it starts with."""
    words = [found for line in paragraphs(response) if (found := spaced_words(line.lower()))]
    return _all_hold([line[0] == line[-1] for line in words])


@instruction("words:keywords_specific_position", keyword=a_text, n=a_positive_count, m=a_positive_count)
def keywords_specific_position(response: str, keyword: str, n: int, m: int) -> bool:
    """The keyword is the m-th word of the n-th sentence."""
    found = sentences(response)
    return len(found) >= n and _stands_at(spaced_words(found[int(n) - 1]), int(m) - 1, keyword)


@instruction("words:words_position", keyword=a_text)
def words_position(response: str, keyword: str) -> bool:
    """The keyword is the second word and the second last."""
    words, size = spaced_words(response), len(spaced_words(keyword))
    return len(words) >= 2 and _stands_at(words, 1, keyword) and _stands_at(words, len(words) - 1 - size, keyword)


def _stands_at(words: Sequence[str], place: int, keyword: str) -> bool:
    wanted = spaced_words(keyword)
    return place >= 0 and list(words[place : place + len(wanted)]) == wanted


def _known_letters(text: str) -> list[str] | None:
    """The letters without diacritics; None when one belongs to another alphabet or there are none."""
    letters = [bare(character) for character in text if character.isalpha()]
    return letters if letters and _LETTERS.issuperset(letters) else None


def _has_cluster(word: str) -> bool:
    marks = [bare(character) in _LETTERS - VOWELS for character in word]
    return any(first and second for first, second in pairwise(marks))


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _all_hold(verdicts: Sequence[bool]) -> bool:
    """All of them, and at least one."""
    return bool(verdicts) and all(verdicts)
