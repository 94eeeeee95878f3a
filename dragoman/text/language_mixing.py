"""Which share of a text is in the target language, in the source language, in a pivot, in another script.

    text -> sentences -> pieces of a few words -> one language each -> shares, weighted by letters

`is_on_target` looks at a text as a whole: a target-language half can hide a source-language half. Here every
piece is asked for itself, and only whether it is in the target or in one of the languages that mixed output
comes in, the source and the pivots (WALAR, arXiv 2603.13045; English is the pivot of most models): a choice
between two or three languages is sure on six words where one among a hundred is not. Words in a foreign script
count as foreign from three in a row on; one or two are names (`iPhone`, `Wi-Fi`). A character of a script
without spaces weighs as much as three letters.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dragoman.text.identification import known_languages, posteriors
from dragoman.text.languages import base_code, group_of
from dragoman.text.scripts import is_spaceless, script_counts, scripts_of_language, share_in_scripts
from dragoman.text.segmentation import is_punctuation, sentence_places, tokens

PIECE_WORDS = 6
PIECE_CHARACTERS = 15
FOREIGN_RUN = 3
LOG_ODDS = 2.5
"""Chosen on hand-written mixed sentences; tests/text/test_language_mixing.py has others."""
_TINY = 1e-12


@dataclass(frozen=True)
class _Piece:
    """One or more words, and where they stand in the text."""

    text: str
    start: int
    end: int
    language: str = "target"
    """`target`, the code of the source or a pivot, or `other`"""


@dataclass(frozen=True)
class LanguageShares:
    """Shares of the letters that could be judged; they add up to 1."""

    target: float
    source: float
    pivot: float
    other: float
    """Foreign scripts that are neither the source's nor a pivot's."""

    @property
    def mixed(self) -> float:
        """Everything that is not in the target language."""
        return 1 - self.target


def language_shares(
    text: str, target: str, source: str | None = None, pivots: Sequence[str] = ("en",)
) -> LanguageShares | None:
    """The shares of a text; None without letters. A pivot that is the source counts as the source.

    Raises ValueError for a target or source that the identifier does not know.
    """
    rivals = _rivals(target, source, pivots)
    weights: Counter[str] = Counter()
    for piece in _judged(text, target, rivals):
        weights[piece.language] += _weight(piece.text)
    total = sum(weights.values())
    if not total:
        return None
    source_code = base_code(source) if source else ""
    in_source = weights[source_code] / total if source_code else 0.0
    in_pivots = sum(weights[code] for code in rivals if code != source_code) / total
    return LanguageShares(weights["target"] / total, in_source, in_pivots, weights["other"] / total)


def foreign_places(
    text: str, target: str, source: str | None = None, pivots: Sequence[str] = ("en",)
) -> list[tuple[int, int, str]]:
    """Where the pieces begin and end that are in the source, a pivot or another script (`other`); neighbours in one
    language are one.
    """
    places: list[tuple[int, int, str]] = []
    before = "target"
    for piece in sorted(_judged(text, target, _rivals(target, source, pivots)), key=lambda piece: piece.start):
        if piece.language != "target":
            start = places.pop()[0] if piece.language == before else piece.start
            places.append((start, piece.end, piece.language))
        before = piece.language
    return places


def _judged(text: str, target: str, rivals: tuple[str, ...]) -> Iterator[_Piece]:
    """The pieces with their languages."""
    for sentence in sentence_places(text) or [(0, len(text))]:
        native, foreign = _by_script(_words(text, *sentence), target)
        for run in foreign:
            yield replace(run, language=_language_of_script(run.text, rivals))
        for piece in _pieces(native):
            yield replace(piece, language=_language_of_piece(piece.text, target, rivals))


def _words(text: str, start: int, end: int) -> list[_Piece]:
    """The `tokens` of a sentence with where they stand: these leave out spaces and punctuation, and nothing else."""
    written = [at for at in range(start, end) if not (text[at].isspace() or is_punctuation(text[at]))]
    words, done = [], 0
    for word in tokens(text[start:end]):
        words.append(_Piece(word, written[done], written[done + len(word) - 1] + 1))
        done += len(word)
    return words


def _joined(words: Sequence[_Piece], between: str) -> _Piece:
    return _Piece(between.join(word.text for word in words), words[0].start, words[-1].end)


def _rivals(target: str, source: str | None, pivots: Sequence[str]) -> tuple[str, ...]:
    """Source and pivots outside the target's dialect group, the source first."""
    codes = [base_code(code) for code in (*([source] if source else []), *pivots)]
    for code in (base_code(target), *codes):
        if code not in known_languages():
            raise ValueError(f"the language identifier does not know {code!r}; leave code mixing out for it")
    return tuple(dict.fromkeys(code for code in codes if code not in group_of(target)))


def _by_script(words: Sequence[_Piece], target: str) -> tuple[list[_Piece], list[_Piece]]:
    """The words in the target's scripts, and the runs of at least `FOREIGN_RUN` words in others."""
    scripts = scripts_of_language(base_code(target))
    native: list[_Piece] = []
    foreign: list[_Piece] = []
    run: list[_Piece] = []
    for word in [word for word in words if script_counts(word.text)]:
        if share_in_scripts(word.text, scripts) >= 0.5:
            foreign += _counted(run)
            run = []
            native.append(word)
        else:
            run.append(word)
    return native, foreign + _counted(run)


def _counted(run: list[_Piece]) -> list[_Piece]:
    long = len(run) >= FOREIGN_RUN * (2 if run and is_spaceless(_joined(run, "").text) else 1)
    return [_joined(run, " ")] if long else []


def _pieces(words: list[_Piece]) -> Iterator[_Piece]:
    """Pieces of about the same length; too short a rest goes with the last one."""
    spaceless = is_spaceless("".join(word.text for word in words))
    size = PIECE_CHARACTERS if spaceless else PIECE_WORDS
    count = max(1, round(len(words) / size))
    for number in range(count):
        piece = words[number * len(words) // count : (number + 1) * len(words) // count]
        if piece:
            yield _joined(piece, "" if spaceless else " ")


def _language_of_script(run: str, rivals: tuple[str, ...]) -> str:
    """The likeliest rival of those written in the run's script."""
    near = [code for code in rivals if share_in_scripts(run, scripts_of_language(code)) >= 0.5]
    return posteriors(run, tuple(near))[0][0] if near else "other"


def _language_of_piece(piece: str, target: str, rivals: tuple[str, ...]) -> str:
    """The rival that is clearly likelier than the target, else `target`."""
    goal = base_code(target)
    near = [code for code in rivals if share_in_scripts(piece, scripts_of_language(code)) >= 0.5]
    if not near:
        return "target"
    group = group_of(goal) & known_languages()
    ranked = posteriors(piece, tuple(sorted({*near, *group})))
    inside = math.fsum(value for code, value in ranked if code in group)
    code, value = next((code, value) for code, value in ranked if code not in group)
    return code if math.log(value + _TINY) - math.log(inside + _TINY) > LOG_ODDS else "target"


def _weight(text: str) -> int:
    """Letters; a character without spaces around it counts as three, a Korean syllable as two."""
    counts = script_counts(text)
    return sum(counts.values()) * (3 if is_spaceless(text) else 1) + counts["HANGUL"]
