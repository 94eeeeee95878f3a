"""Which of two translations is better, and which language a text is in: labels that are known, because one of the two
translations was damaged on purpose, and because every text of a catalog has its language.

Damages: words dropped, another sentence's translation, the source left as it is, a placeholder lost, words repeated, a
third language. Every pair is asked in both orders over the file (the order is drawn), so that no position wins.
"""

from collections.abc import Callable, Sequence
from random import Random

from dragoman.data.catalogs.identity import words_of
from dragoman.data.catalogs.items import Item, item_of
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.settings import Direction
from dragoman.text.languages import language_name
from rewards.translation.preservation import find_placeholders

LABELS = ["A", "B"]
Damage = Callable[[Meaning, Direction, Random, Sequence[Meaning]], str | None]


def _dropped(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> str | None:
    words = meaning.texts[direction[1]].split()
    count = max(1, len(words) // 4)
    start = random.randrange(max(1, len(words) - count))
    return " ".join(words[:start] + words[start + count :]) if len(words) > 3 else None


def _other_sentence(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> str | None:
    other = random.choice(others)
    return other.texts.get(direction[1]) if other.cluster != meaning.cluster else None


def _left_as_it_is(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> str | None:
    return meaning.texts[direction[0]]


def _placeholder_lost(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> str | None:
    text = meaning.texts[direction[1]]
    found = find_placeholders(text)
    return text.replace(found[0], "", 1).strip() if found else None


def _repeated(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> str | None:
    words = meaning.texts[direction[1]].split()
    return " ".join(words + words[-max(2, len(words) // 3) :])


def _third_language(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> str | None:
    """Of another text: this one in a third language, beside the reference, would be parallel text of two languages
    that may be a zero-shot direction."""
    other = random.choice(others)
    codes = sorted(set(other.texts) - set(direction))
    return other.texts[random.choice(codes)] if codes and other.cluster != meaning.cluster else None


DAMAGES: dict[str, tuple[Damage, str]] = {
    "dropped": (_dropped, "leaves words out"),
    "other": (_other_sentence, "translates another text"),
    "copied": (_left_as_it_is, "is not translated"),
    "placeholder": (_placeholder_lost, "loses a placeholder"),
    "repeated": (_repeated, "repeats words"),
    "language": (_third_language, "is in another language"),
}


def label_item(meaning: Meaning, direction: Direction, random: Random, others: Sequence[Meaning]) -> Item | None:
    """A reference beside a damaged copy of it; None where the damage drawn changes nothing."""
    damage, told = DAMAGES[random.choice(sorted(DAMAGES))]
    source, reference = (meaning.texts[code] for code in direction)
    damaged = damage(meaning, direction, random, others)
    if not damaged or (
        words_of(damaged) == words_of(reference) and find_placeholders(damaged) == find_placeholders(reference)
    ):
        return None
    gold = random.choice(LABELS)
    first, second = (reference, damaged) if gold == "A" else (damaged, reference)
    names = [language_name(code) for code in direction]
    prompt = (
        f"{names[0]}: {source}\nTranslation A: {first}\nTranslation B: {second}\n"
        f"Which translation into {names[1]} is better? End with a line `Verdict: A` or `Verdict: B`."
    )
    answer = f"Translation {LABELS[gold == 'A']} {told}.\nVerdict: {gold}"
    reward = {"kind": "preference_label", "weight": 1, "args": {"gold": gold, "labels": LABELS}}
    return item_of(meaning, "preference_label", prompt, answer, (reward,))


LANGUAGE_WORDINGS = (
    "Which language is this text in? Answer with its English name only.\n{text}",
    "Name the language of the following text, in English and in one word.\n{text}",
)


def language_item(meaning: Meaning, random: Random) -> Item:
    """A text whose language is to be named."""
    code = random.choice(sorted(meaning.texts))
    prompt = random.choice(LANGUAGE_WORDINGS).format(text=meaning.texts[code])
    name = language_name(code)
    reward = {"kind": "exact_match", "weight": 1, "args": {"reference": name}}
    return item_of(meaning, "language", prompt, name, (reward,))
