"""Our IFBench checks against an independent implementation (if-verifiable 0.1.2) on generated pairs.

As in test_ifeval_agreement.py: what differs on purpose is named and decided by a predicate on (response,
kwargs).
"""

from __future__ import annotations

import random
import re
import string
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from reference_checkers import ifbench_checkers, upstream_keywords, verdict

from dragoman.text.segmentation import sentences
from rewards.constraints import INSTRUCTIONS, follows
from rewards.constraints.registry import IFEVAL_FAMILIES, check_kwargs
from rewards.constraints.tasks import CAPITALS, SIMPLE_SENTENCE

PAIRS_PER_TYPE = 120
NOT_HERE = {
    "words:start_verb": "needs a part-of-speech tagger",
    "words:odd_even_syllables": "needs a pronouncing dictionary",
}
Pair = tuple[str, dict[str, Any]]
Draw = random.Random
_WORDS = (
    "river garden music window winter bridge market silver summer forest dog cat house table light paper stone water "
    "bread night and or but so yet they you her it's 12 3.5 1,000 the a of stop lamp band Emma Isabella Leo Stella 東京"
)
WORDS = _WORDS.split()
_PALINDROMES = "level radar civic kayak madam refer rotor tenet stats solos sagas rotator"
PALINDROMES = _PALINDROMES.split()
DAYS = "1796-05-10 1805-12-02 1812-02-29 1800-01-31 1799-04-31 5-10-1796 1900-01-01"
MULTIPLES = "14 21 28 35 42 49 50"
REQUEST = "Write a short poem about the old river and its bridge."
AFRICA = [f"{a}{b}land" for a in "ABCDEFGHIJKLM" for b in "aeiou"]


def words(draw: Draw, low: int = 1, high: int = 8) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(low, high)))


def letters(draw: Draw, low: int = 3, high: int = 7) -> str:
    """Plain words without punctuation, numbers or other scripts."""
    chosen = [word for word in WORDS if word.isascii() and word.isalpha()]
    return " ".join(draw.choice(chosen) for _ in range(draw.randint(low, high)))


def sentence(draw: Draw, ends: str = "..??!") -> str:
    return letters(draw).capitalize() + draw.choice(ends)


def prose(draw: Draw, low: int = 1, high: int = 6, ends: str = "..??!") -> str:
    return draw.choice([" ", "\n"]).join(sentence(draw, ends) for _ in range(draw.randint(low, high)))


def scraps(draw: Draw, pieces: str, low: int = 2, high: int = 14) -> str:
    return "".join(draw.choice(pieces.split("|")) for _ in range(draw.randint(low, high)))


def alphabetical(draw: Draw) -> str:
    start = draw.randrange(26)
    initials = [string.ascii_lowercase[(start + step) % 26] for step in range(draw.randint(1, 30))]
    if draw.random() < 0.5:
        initials[draw.randrange(len(initials))] = draw.choice("aez")
    return " ".join(draw.choice(["{}ar", "{}o,", "{}"]).format(letter) for letter in initials)


def chained(draw: Draw) -> str:
    """Sentences that take up the last word of the one before, mostly."""
    last, found = draw.choice(["river", "Market"]), []
    for _ in range(draw.randint(1, 4)):
        first = last if draw.random() < 0.8 else "other"
        last = draw.choice(["stone", "light"])
        found.append(f"{first.capitalize()} is {letters(draw, 1, 2)} {last}{draw.choice('.!?')}")
    return " ".join(found)


def framed(draw: Draw) -> str:
    lines = [f"{a} {letters(draw, 0, 2)} {b}{draw.choice(['.', '', '!'])}" for a, b in _frames(draw)]
    return draw.choice(["\n", "\n\n"]).join(lines)


def _frames(draw: Draw) -> list[tuple[str, str]]:
    return [draw.choice([("So", "so"), ("river", "River"), ("a", "b")]) for _ in range(draw.randint(1, 2))]


def growing(draw: Draw) -> Pair:
    step = draw.randint(0, 2)
    found = [letters(draw, n, n) for n in range(2, 2 + 3 * max(step, 1), max(step, 1))]
    if draw.random() < 0.5:
        found = [letters(draw, 2, 3) for _ in found]
    return " ".join(f"{text.capitalize()}." for text in found), {"small_n": step}


def alliterating(draw: Draw) -> str:
    lines = ["Stone is near.", "Big bad dogs sit.", "Silver stones stand still.", "Tom took ten tiny tea tins.", "A a."]
    start = draw.randrange(3)
    return " ".join(lines[start : start + draw.randint(1, 4)])


def equal_sentences(draw: Draw) -> str:
    return " ".join(draw.choice(["Dogs run.", "Cats eat.", "Cows nap.", "Cats nap.", "Birds fly."]) for _ in range(3))


def placed(draw: Draw) -> str:
    parts = letters(draw, 3, 6).split()
    for place in (1, -2):
        if draw.random() < 0.8:
            parts[place] = "giggle"
    return " ".join(parts)


def in_sentence(draw: Draw) -> Pair:
    found = [sentence(draw, ".") for _ in range(3)]
    n, m = draw.randint(1, 3), draw.randint(1, 3)
    inside = found[n - 1].rstrip(".").split()
    inside[draw.randint(0, 2)] = "giggle"
    found[n - 1] = " ".join(inside) + "."
    return " ".join(found), {"keyword": "giggle", "n": n, "m": m}


def seven_keywords(draw: Draw) -> Pair:
    names = ["alpha", "bravo", "delta", "gamma", "omega"]
    times = [1, 2, 3, 5, 7]
    if draw.random() < 0.5:
        times[draw.randrange(5)] += draw.choice([-1, 1])
    text = " ".join(draw.choice([name, name.upper()]) for name, n in zip(names, times, strict=True) for _ in range(n))
    return text, {f"keyword{number}": name for number, name in enumerate(names, 1)}


def overlapping(draw: Draw) -> Pair:
    return f"{REQUEST[: draw.randint(12, 20)]} music", {
        "reference_text": REQUEST,
        "percentage": draw.choice([62, 67, 72]),
    }


def stairs(draw: Draw) -> str:
    indents = sorted(draw.sample(range(9), draw.randint(1, 4)))
    if draw.random() < 0.5:
        draw.shuffle(indents)
    return "\n".join(" " * indent + letters(draw, 1, 2) for indent in indents)


def emoji_ends(draw: Draw) -> str:
    ends = [" 😀.", ". 😀", "! 🎉", " ✨!", ". 🚀", "."][: draw.randint(5, 6)]
    return " ".join(f"{letters(draw).capitalize()}{draw.choice(ends)}" for _ in range(draw.randint(1, 3)))


def questions(draw: Draw) -> str:
    texts = []
    for number in range(1, draw.choice([4, 4, 4, 5])):
        options = "\n".join(f"{letter}) {draw.choice(WORDS[:9])}" for letter in "ABCDE"[: draw.choice([5, 5, 5, 4])])
        texts.append(f"Question {number}: {'why ' * (number + draw.choice([0, 0, 0, -2]) + 2)}so?\n{options}")
    last = f"Question {len(texts) + 1}. {'why ' * 9}so?\nA) a\nB) b\nC) c\nD) d\nE) e"
    return draw.choice(["", "", "", "Here: "]) + "\n\n".join([*texts, last])


def table(draw: Draw, names: str, rows: int, delimiter: str, quote: bool) -> str:
    wanted = rows + draw.choice([0, 0, 0, 1])
    fields = [draw.choice(["a", "7", "x y", "5€"]) for _ in range(draw.choice([5, 5, 5, 4]))]
    if not quote and draw.random() < 0.7:
        fields[0] = draw.choice(['"a&b"', '"ab"'])
    cells = [f'"{field}"' for field in fields] if quote and draw.random() < 0.8 else fields
    head = (names if draw.random() < 0.9 else names.lower()).split()
    if quote and draw.random() < 0.9:
        head = [f'"{name}"' for name in head]
    return "\n".join([delimiter.join(head)] + [delimiter.join(cells)] * wanted)


def dates(draw: Draw) -> str:
    days = DAYS.split()[: draw.choice([3, 4, 7])]
    return draw.choice([", ", ","]).join(draw.choice(days) for _ in range(draw.randint(1, 2)))


def african(draw: Draw) -> str:
    names = ["Zimbabwe", *sorted(AFRICA, reverse=True)][: draw.choice([50, 52, 53, 60])]
    if draw.random() < 0.3:
        names[3], names[9] = names[9], names[3]
    return "\n".join(draw.choice([name, f"- {name}"]) for name in names)


def story(draw: Draw) -> str:
    initials = list(string.ascii_uppercase)
    if draw.random() < 0.5:
        initials[draw.randrange(26)] = draw.choice("XYZ")
    return " ".join(f"{letter}o {letters(draw)}{draw.choice('.!?')}" for letter in initials)


def capitals(draw: Draw) -> str:
    cities = CAPITALS.split(", ")
    if draw.random() < 0.4:
        cities[2], cities[3] = cities[3], cities[2]
    return draw.choice([", ", ","]).join(cities).replace("Reykjavik", draw.choice(["Reykjavík", "Reykjavik"]))


def changed(draw: Draw) -> Pair:
    first = draw.choice(["Write", "Compose", "Please"])
    text = draw.choice([f"{first} {REQUEST.split(' ', 1)[1]}", REQUEST, f"{first} it."])
    return text, {"prompt_to_repeat": REQUEST}


def span(draw: Draw) -> Pair:
    start, end = 2, 6
    text = " ".join(REQUEST.split()[start : end + draw.choice([0, 0, 1])])
    kwargs = {"prompt_to_repeat": REQUEST, "n_start": start, "n_end": end}
    return draw.choice([text, text.upper(), f" {text} "]), kwargs


def listed(draw: Draw) -> Pair:
    marks = ["!?!? one", "!?!? two", "three", "...four", "five !?!? !?!?"]
    return "\n".join(draw.choice(marks) for _ in range(draw.randint(1, 4))), {"sep": draw.choice(["!?!?", "..."])}


def chosen(draw: Draw) -> Pair:
    response = draw.choice(["yes", "Yes.", "No!", "a)", "a", "b)", "I know", "I don't know.", "perhaps", "yes, indeed"])
    return response, {"options": draw.choice(["yes/no/maybe", "I know or I don't know", "a), b), c), d)"])}


def bulleted(draw: Draw) -> str:
    marks = ["* a", "* b", "c"][: draw.randint(2, 3)]
    return "\n".join([prose(draw, 1, 3), *(draw.choice(marks) for _ in range(draw.randint(1, 3)))])


def multiples(draw: Draw) -> str:
    return draw.choice([", ", "\n", " "]).join(MULTIPLES.split()[: draw.choice([6, 7])])


def japanese(draw: Draw) -> str:
    return " ".join(draw.choice(["東京", "かな", "so"]) for _ in range(draw.randint(3, 6)))


def names(draw: Draw) -> str:
    return " ".join(draw.choice(["Emma", "Isabella", "Leonard", "Miami", "river", "Noah"]) for _ in range(3))


def plain(make: Callable[[Draw], str]) -> Callable[[Draw], Pair]:
    return lambda draw: (make(draw), {})


def counted(make: Callable[[Draw], str], name: str, low: int, high: int) -> Callable[[Draw], Pair]:
    return lambda draw: (make(draw), {name: draw.randint(low, high)})


CLUSTERED = "stop lamp band bright glass strong end first plant"
VOWELS = "cat dog in sun bed lamp ham ink fit"
PRIMES = "to dog river winters at so cat stone house tree a"
CLASSES = "StudentID Subject Grade Semester Score"
PRODUCTS = "ProductID Category Brand Price Stock"
GENERATORS: dict[str, Callable[[Draw], Pair]] = {
    "count:word_count_range": lambda d: (words(d), {"min_words": d.randint(1, 6), "max_words": d.randint(5, 7)}),
    "count:unique_word_count": counted(lambda d: letters(d, 1, 8), "N", 1, 6),
    "count:conjunctions": counted(lambda d: words(d, 6, 20) + " And But", "small_n", 2, 4),
    "count:person_names": counted(names, "N", 1, 4),
    "count:numbers": counted(lambda d: words(d, 2, 20), "N", 0, 3),
    "count:pronouns": counted(lambda d: words(d, 4, 20), "N", 1, 4),
    "count:punctuation": plain(lambda d: scraps(d, "a. |b, |c! |d? |e; |f: |g?! |h!? |i‽ ", 6, 24)),
    "count:words_japanese": counted(japanese, "N", 2, 5),
    "count:keywords_multiple": seven_keywords,
    "ratio:stop_words": counted(lambda d: words(d, 4, 12), "percentage", 0, 50),
    "ratio:sentence_type": plain(lambda d: prose(d, 3, 3)),
    "ratio:sentence_balance": plain(lambda d: prose(d, 3, 3, ".?!")),
    "ratio:overlap": overlapping,
    "ratio:sentence_words": plain(equal_sentences),
    "words:alphabet": plain(alphabetical),
    "words:vowel": plain(lambda d: d.choice([" ", " ", "\n"]).join(d.sample(VOWELS.split(), 3))),
    "words:consonants": plain(lambda d: " ".join(d.sample([*CLUSTERED.split(), "sea"], 4))),
    "words:palindrome": plain(lambda d: " so ".join(d.sample(PALINDROMES, d.randint(8, 12)))),
    "words:prime_lengths": plain(lambda d: " ".join(d.sample(PRIMES.split(), 3)) + d.choice([".", ""])),
    "words:repeats": counted(lambda d: words(d, 4, 12), "small_n", 1, 2),
    "words:no_consecutive": plain(lambda d: letters(d, 3, 12)),
    "words:last_first": plain(chained),
    "words:paragraph_last_first": plain(framed),
    "words:keywords_specific_position": in_sentence,
    "words:words_position": lambda d: (placed(d), {"keyword": "giggle"}),
    "sentence:keyword": lambda d: (prose(d, 2, 5), {"word": d.choice(["and", "river", "so"]), "N": d.randint(1, 4)}),
    "sentence:increment": growing,
    "sentence:alliteration_increment": plain(alliterating),
    "format:parentheses": plain(lambda d: scraps(d, "([{|(([|x|]))|}])|a (b [c {d (e) f} g] h) i|([{(", 2, 4)),
    "format:quotes": plain(lambda d: scraps(d, '"a \'b "c" d\' e"|\'|"| x |"y"', 1, 5)),
    "format:options": chosen,
    "format:newline": plain(lambda d: "".join(w + d.choice("\n\n\n\n ") for w in letters(d, 2, 5).split())),
    "format:emoji": plain(emoji_ends),
    "format:line_indent": plain(stairs),
    "format:quote_unquote": plain(lambda d: scraps(d, '"a" |b means. |so “c” |"d"', 2, 4)),
    "format:list": listed,
    "format:thesis": plain(lambda d: scraps(d, "<i>a</i>|<em>b</em>| text |<i> </i>|<i>open", 1, 3)),
    "format:sub-bullets": plain(lambda d: "\n".join(d.choice(["* a", "- b", "- c"]) for _ in range(d.randint(1, 5)))),
    "format:no_bullets_bullets": plain(bulleted),
    "format:title_case": plain(lambda d: d.choice([str.title, str.title, str.upper, str])(letters(d))),
    "format:output_template": plain(
        lambda d: " x ".join(d.sample(["My Answer:", "My Conclusion:", "Future Outlook:"], d.choice([3, 3, 2])))
    ),
    "format:no_whitespace": plain(lambda d: words(d, 1, 2).replace(" ", d.choice(["_", " ", "\t"]))),
    "custom:multiples": plain(multiples),
    "custom:mcq_count_length": plain(questions),
    "custom:reverse_newline": plain(african),
    "custom:word_reverse": plain(lambda d: d.choice(["eagle bald the is It", "Eagle Bald", "the bald eagle"])),
    "custom:character_reverse": plain(lambda d: d.choice(["elgae dlab", "Elgae dlaB eht", "bald eagle", "elgaedlab"])),
    "custom:sentence_alphabet": plain(story),
    "custom:european_capitals_sort": plain(capitals),
    "custom:csv_city": plain(lambda d: table(d, "ID Country City Year Count", 7, ",", False)),
    "custom:csv_special_character": plain(lambda d: table(d, PRODUCTS, 14, ",", False)),
    "custom:csv_quotes": plain(lambda d: table(d, CLASSES, 3, "\t", True)),
    "custom:date_format_list": plain(dates),
    "repeat:repeat_change": changed,
    "repeat:repeat_simple": plain(lambda d: d.choice([SIMPLE_SENTENCE, SIMPLE_SENTENCE.upper(), SIMPLE_SENTENCE[:-1]])),
    "repeat:repeat_span": span,
}


def _has_no_sentence_kinds(response: str, kwargs: dict[str, Any]) -> bool:
    return not any(text.endswith("?") for text in sentences(response))


def _conjunction_in_two_forms(response: str, kwargs: dict[str, Any]) -> bool:
    raw = {word for word in response.split() if word.lower() in ("and", "or", "but", "so", "yet")}
    return len(set(map(str.lower, raw))) < len(raw)


DELIBERATE: dict[str, tuple[str, Callable[[str, dict[str, Any]], bool]]] = {
    "count:word_count_range": ("a spaceless character is a word", lambda text, kwargs: "東" in text),
    "count:person_names": (
        "the original finds a name inside another",
        lambda text, kwargs: "Leonard" in text or "Miami" in text,
    ),
    "count:words_japanese": (
        "a text that has no N-th word fails",
        lambda text, kwargs: len(text.split()) < kwargs["N"],
    ),
    "ratio:stop_words": ("a spaceless character is a word", lambda text, kwargs: "東" in text),
    "ratio:sentence_type": ("a text without questions has no ratio", _has_no_sentence_kinds),
    "ratio:sentence_words": (
        "the original does not look whether the words differ",
        lambda text, kwargs: len(set(text.lower().replace(".", "").split())) < 6,
    ),
    "format:thesis": ("the original cuts </em> short", lambda text, kwargs: "<em>" in text),
    "format:list": (
        "the original counts marks inside lines too",
        lambda text, kwargs: re.search(r"\w[^\w\n]*[!.]", text) is not None,
    ),
    "count:conjunctions": ("the original counts And beside and", _conjunction_in_two_forms),
    "format:sub-bullets": ("a text without bullets has no sub-bullets", lambda text, kwargs: "*" not in text),
}


def is_deliberate(id: str, response: str, kwargs: dict[str, Any]) -> bool:
    return not response.strip() or (id in DELIBERATE and DELIBERATE[id][1](response, kwargs))


def pairs(id: str) -> Iterator[Pair]:
    draw = random.Random(id)
    for _ in range(PAIRS_PER_TYPE):
        response, kwargs = GENERATORS[id](draw)
        check_kwargs(id, kwargs)
        yield response, kwargs


def test_every_type_of_ifbench_is_compared_or_named() -> None:
    ours = {id for id in INSTRUCTIONS if id.split(":")[0] not in IFEVAL_FAMILIES}
    assert set(GENERATORS) == ours
    assert set(ifbench_checkers()) == ours | set(NOT_HERE)


@pytest.mark.parametrize("id", GENERATORS)
def test_our_verdict_is_the_reference_s(id: str) -> None:
    verdicts: Counter[bool] = Counter()
    for response, kwargs in pairs(id):
        if not is_deliberate(id, response, kwargs):
            wanted = verdict(ifbench_checkers(), id, response, kwargs)
            assert follows(response, id, upstream_keywords(id, kwargs)) is wanted, (response, kwargs)
            verdicts[wanted] += 1
    assert min(verdicts[True], verdicts[False]) >= 3, verdicts


@pytest.mark.parametrize("id", DELIBERATE)
def test_a_deliberate_difference_is_a_difference(id: str) -> None:
    excluded = [pair for pair in pairs(id) if pair[0].strip() and is_deliberate(id, *pair)]
    wanted = [verdict(ifbench_checkers(), id, *pair) for pair in excluded]
    assert wanted != [follows(text, id, kwargs) for text, kwargs in excluded]
