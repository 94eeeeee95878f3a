"""What an answer says around its translation: announcements, courtesies, notes, explanations, alternatives, closings.

    response, source -> one plain form -> the first thing that the response has and the source has not

Everything is compared with the source, in whatever language that is: a source which says "Here is the translation:",
has a note, or ends in "Let me know" is no reason to find one in its translation. Words come from additions.yaml, by
what they are for, in 34 languages, and names of languages from Unicode's CLDR:

| looked for | where | and the source has none of |
|---|---|---|
| words about translating and language (`meta`) | anywhere | the same |
| a courtesy ("Sure!") | at the start, before a mark | it at its start, or as many short openings |
| "Here is", "以下は" | at the start, with a colon or a line behind | the same, or as many colons |
| the name of a language ("In German: ") | before the first colon or comma | any language's name |
| a label ("Note:", "Or:") | at a line's or a sentence's start | as many labels |
| a closing ("I hope this helps") | at a sentence's start | a closing |
| the source itself, or a word of it in quotation marks | anywhere, with more around it | quotation marks |
| a sentence more than the source has pieces between its marks | anywhere | as many marks |
| a sentence behind more than the source's only one | at the end | two sentences |
| words before a colon | at the start | as many colons, another mark near its start |
| a parenthesis behind the last sentence | at the end | as many parentheses |
| a parenthesis that quotes (anywhere), or opens with a label or "or" | at the end | as many parentheses |
| a parenthesis, or what follows a dash, of some words | at the end | parentheses; dashes, commas |
| a second text behind a slash | at the end | slashes |
| sentences beyond the source's, in twice its letters | anywhere | as many sentences |

The last eight know no words, but for a label and an "or": they see what the tables do not have (those of
sentences in further_sentences.py).

The kinds `several_answers` and `mt:no_commentary` ask here. bench/announcements.py counts what is caught and the false
alarms on real translations.
"""

import re
from functools import cache

from dragoman.text.further_sentences import (
    FINAL,
    MARKS,
    WHOLE,
    further_letters,
    further_sentence,
    further_tail,
    has_more_sentences,
    written,
)
from dragoman.text.normalisation import APOSTROPHES, normalised
from dragoman.text.scripts import is_spaceless
from dragoman.text.tables import read_table

_OPEN_MARKS = r"[\s*_#>\"'“”„«»「『(（\[【¡¿-]{0,9}"
_AFTER_COURTESY = r"\s*(?:[!,.:;！，。、：…،—–-]|\n|\Z)"
_COLON = re.compile("[:：]")
_SENTENCE_START = (
    r"(?:\A|\n|(?<=[.!?…;:)\]»”\"'*_。！？；：）」』】।؟۔—–])\s{0,9}"
    r"|(?<=[\u0e00-\u0eff])\s+)[\s*_#>(（\[【\"'“«¿¡-]{0,9}"
)
_LABEL_END = r"(?:\s?[\dA-D])?\s*[*_\])】)）]{0,4}\s*[:：]"
_OPENING = re.compile(r"\A[^,.!:;！，。、：…،\n]{1,24}?[,.!:！，。、：…،—]\s*")
_QUOTED = re.compile("[\"'“”„«‘「『]([^\"'“”„«»‘’「」『』]{3,80})[\"'“”»’」』]")
_QUOTES = re.compile("[\"“”„«»「」『』]|(?<!\\w)['‘]|['’](?!\\w)")
_HANGUL = re.compile("[\uac00-\ud7af]")
_LONGEST_OPENING = 70
_SHORTEST_ECHO = 12
_HEAD = re.compile(
    r"[\s*_#>\"'“„«]{0,9}([^:：\n,，、.。!?！？;]{1,60}?)[*_\"'”»]{0,4}\s?[:：](?=\s|[*_]|[^\x00-\x7f])\s*\S"
)
_BRACKETS = re.compile(r"[(（\[【]")
_QUOTING = re.compile(
    r"(?<=\s)[(\[][^()\[\]]*(?:[\"“”„«»「『]|['‘][^'‘’]*['’])[^()\[\]]*[)\]]|[（【][^（）【】]*[\"“「『][^（）【】]*[）】]"
)
MOST_CHARACTERS = 4000
"""Characters that are looked at"""


def find_addition(response: str, source: str = "") -> str | None:
    """What the response says beside the translation, with its kind; None when nothing is found.

    Without a source whatever the tables have is an addition.
    """
    found = addition_words(response, source)
    return None if found is None else found[0]


def addition_words(response: str, source: str = "") -> tuple[str, str] | None:
    """The same, and all of the words in the form in which they were looked for."""
    response, source = response[:MOST_CHARACTERS], source[:MOST_CHARACTERS]
    text, original = plain(response), plain(source)
    checks = (
        ("a word about translating", _meta),
        ("a courtesy before the translation", _courtesy),
        ("an announcement", _announcement),
        ("the name of a language before the translation", _language),
        ("a note, explanation or alternative", _label),
        ("a closing remark", _closing),
        ("the source text", _echo),
        ("words before a colon", _head),
        ("a parenthesis behind the translation", _parenthesis),
        ("something behind the translation", further_tail),
        ("more than the source says", further_letters),
    )
    found = ((what, check(text, original)) for what, check in checks)
    added = next(((f"{what}: {words.strip()[:40]!r}", words) for what, words in found if words), None)
    further = None if added else further_sentence(normalised(response).strip(), normalised(source))
    return (f"a sentence that the source does not have: {further.strip()[:40]!r}", further) if further else added


def plain(text: str) -> str:
    """The form in which words are looked for: small letters, one apostrophe, one space between words."""
    folded = re.sub(f"[{APOSTROPHES}]", "'", normalised(text)).casefold().replace("i\u0307", "i")
    return re.sub(r"[^\S\n]+", " ", re.sub(r"\r\n?|[\u2028\u2029\x85\v\f]", "\n", folded)).strip()


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[0] if match else ""


def _meta(text: str, source: str) -> str:
    found = _first(_anywhere("meta"), text)
    return found if found and not _anywhere("meta").search(source) else ""


def _courtesy(text: str, source: str) -> str:
    found = _first(_courtesies(), text)
    polite = found and re.match(f"{_OPEN_MARKS}{_choice('courtesies')}", source)
    return "" if not found or polite or _openings(text) <= _openings(source) else found


def _openings(text: str) -> int:
    """Short pieces that end in a mark, at the text's start: "Sure!", "Hello, "."""
    count = 0
    while (match := _OPENING.match(text)) and len(match[0].split()) <= 4 and len(text) > len(match[0]):
        text, count = text[match.end() :], count + 1
    return count


def _announcement(text: str, source: str) -> str:
    found = _first(_heres(), text)
    told = re.match(f"{_OPEN_MARKS}{_choice('here')}", source) or len(_COLON.findall(text)) <= len(
        _COLON.findall(source)
    )
    return "" if not found or (told and "\n" not in found) or _heres().search(source) else found


def _language(text: str, source: str) -> str:
    """The words up to the first colon or line, or else comma, when they name a language."""
    if _language_names().search(source):
        return ""
    heads = (re.split(marks, text, maxsplit=1) for marks in ("[:：\n]", "[,，、](?= |$)|[，、]"))
    found = (head[0] for head in heads if len(head) == 2 and head[1].strip() and len(head[0]) <= _LONGEST_OPENING)
    return next((opening for opening in found if _language_names().search(opening)), "")


def _label(text: str, source: str) -> str:
    found = [match[0] for match in _labels().finditer(text)]
    told = len(_COLON.findall(text)) <= len(_COLON.findall(source))
    return found[-1] if not told and len(found) > len(_label_words().findall(source)) else ""


def _closing(text: str, source: str) -> str:
    found = _first(_closings(), text) if has_more_sentences(text, source) else ""
    return found if found and not _anywhere("closings").search(source) else ""


def _echo(text: str, source: str) -> str:
    """The source inside of the response, a short one only before an arrow or a dash, or a word of it between quotation
    marks in one more sentence than it has.
    """
    body = source.strip(" .!?。！？")
    shown = rf"{re.escape(body)}[.!?。！？]?\s*(?:→|⇒|➜|[-=]>|=|\s[-–—]\s)\s*\S"
    if body and re.match(shown, text) and not re.match(shown, source):
        return body
    if len(body) >= _SHORTEST_ECHO and " " in body and body in text and len(text) > 1.5 * len(source):
        return body
    if _QUOTES.search(source) or not has_more_sentences(text, source):
        return ""
    quoted = (match[1].strip() for match in _QUOTED.finditer(text))
    return next((words for words in quoted if words and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", source)), "")


def _head(text: str, source: str) -> str:
    """Up to six words before a colon with a whole translation behind it, where the source has no mark near its start"""
    match = _HEAD.match(text)
    if not source or match is None:
        return ""
    if written(text[match.end() - 1 :]) < WHOLE * written(source):
        return ""
    short = len(match[1].split()) <= 6 and (not is_spaceless(match[1]) or len(match[1]) <= 14)
    near = source[: 24 + 2 * len(match[1])].strip(FINAL)
    told = len(_COLON.findall(text)) <= len(_COLON.findall(source)) or re.search(r"\s[-–—]", source)
    return match[1] if short and not told and not MARKS.search(_COLON.sub("", near)) else ""


def _parenthesis(text: str, source: str) -> str:
    """One more than the source has: behind the last sentence, with a word in quotation marks, or opening as a label or
    with an "or".
    """
    if not source or len(_BRACKETS.findall(text)) <= len(_BRACKETS.findall(source)):
        return ""
    last = re.search(r"[.!?。！？।؟۔]\s*([(（\[【][^()（）]*[)）\]】])\W*\Z", text)
    found = (last[1] if last else "", *(_first(pattern, text) for pattern in (_QUOTING, _remarks())))
    return next(filter(None, found), "")


@cache
def _choice(name: str) -> str:
    """The entries of a table as one alternative, longer ones first."""
    entries = (entry for text in read_table(__file__)[name].values() for entry in text.split("|"))
    return "(?:" + "|".join(map(_pattern, sorted({plain(entry) for entry in entries}, key=len, reverse=True))) + ")"


def _pattern(entry: str) -> str:
    """An entry as whole words where its script has words, to which nothing is written on."""
    body = r"\s+".join(r"\w*".join(map(re.escape, word.split("*"))) for word in entry.split())
    loose = is_spaceless(entry) or _HANGUL.search(entry)
    before = "" if loose or not re.match(r"\w", entry) else r"(?<!\w)"
    return before + body + ("" if loose or entry.endswith("*") or not re.search(r"\w\Z", entry) else r"(?!\w)")


@cache
def _anywhere(name: str) -> re.Pattern[str]:
    return re.compile(_choice(name))


@cache
def _courtesies() -> re.Pattern[str]:
    return re.compile(rf"\A{_OPEN_MARKS}{_choice('courtesies')}{_AFTER_COURTESY}")


@cache
def _heres() -> re.Pattern[str]:
    polite = f"(?:{_choice('courtesies')}{_AFTER_COURTESY}\\s*)?"
    return re.compile(rf"\A{_OPEN_MARKS}{polite}[^:：\n]{{0,12}}?{_choice('here')}[^:：\n]{{0,40}}[:：\n]")


@cache
def _labels() -> re.Pattern[str]:
    return re.compile(rf"{_SENTENCE_START}{_choice('labels')}{_LABEL_END}")


@cache
def _label_words() -> re.Pattern[str]:
    """Labels of the source, with a colon or, where they are no small words, without."""
    return re.compile(rf"{_choice('labels')}(?:(?<=\w{{4}})|(?<=[\u3040-\uffff])|{_LABEL_END})")


@cache
def _remarks() -> re.Pattern[str]:
    """A parenthesis that opens with a label and has more to say."""
    return re.compile(rf"[(（\[【]\s*{_choice('labels')}[ ,:，：]?[^()（）\[\]【】]*\w[^()（）\[\]【】]*[)）\]】]\W*\Z")


@cache
def _closings() -> re.Pattern[str]:
    """At the start of a sentence; the verb that matters ends it in Korean and Japanese."""
    return re.compile(rf"{_SENTENCE_START}(?:[\u3040-\ud7af ]{{0,20}}?(?=[\u3040-\ud7af]))?{_choice('closings')}")


@cache
def _language_names() -> re.Pattern[str]:
    """What the table's languages are called in each of them (CLDR), with other endings, and further names."""
    from babel import Locale

    table = read_table(__file__)
    codes = [code for code in table["meta"] if code != "nb"] + ["no"]
    names = {str(Locale.parse(code).languages.get(other, "")) for code in codes for other in codes}
    further = {_pattern(plain(name)) for name in table["names"].split("|")}
    return re.compile("|".join(sorted({_name(plain(name)) for name in names if name} | further)))


def _name(name: str) -> str:
    """A language's name, a longer one with any ending; Arabic and Hebrew write the preposition onto it."""
    if is_spaceless(name) or re.match("[\u0590-\u06ff]", name):
        return re.escape(name)
    stem, ending = (name[:-1], r"\w{0,4}") if len(name) > 7 else (name, r"\w{0,3}" if len(name) > 5 else "")
    return rf"(?<!\w){re.escape(stem)}{ending}(?!\w)"
