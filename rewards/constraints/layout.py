"""IFBench's `format:` constraints: brackets, quotes, lists, indents, case, white space.

Where they depart from the original: list marks count at the start of a line only, and sub-bullets need a
bullet (the original passes a text without any); title case needs a letter that has a case; typographic
brackets and quotation marks of other scripts count like the straight ones.
"""

import re
import string
import unicodedata
from itertools import pairwise

from dragoman.text.segmentation import is_punctuation, phrases, sentences, spaced_words, strip_punctuation
from rewards.constraints.registry import a_text, instruction

_NESTING = 5
_QUOTE_LEVELS = 3
_CLOSERS = {"(": ")", "[": "]", "{": "}", "（": "）", "【": "】", "［": "］", "｛": "｝"}
_STRAIGHT = str.maketrans("“”„«»「」" + "『』‘’‚", '"' * 7 + "'" * 5)
_DOUBLE = str.maketrans("“”「」『』„«»", '"""""""""')
TEMPLATE_PARTS = ("My Answer:", "My Conclusion:", "Future Outlook:")


@instruction("format:parentheses")
def parentheses(response: str) -> bool:
    """Brackets nested five levels deep and closed in order."""
    open_ones: list[str] = []
    deepest = 0
    for character in response:
        if character in _CLOSERS:
            open_ones.append(_CLOSERS[character])
            deepest = max(deepest, len(open_ones))
        elif character in _CLOSERS.values():
            if not open_ones or open_ones.pop() != character:
                open_ones, deepest = [], 0
            elif deepest >= _NESTING:
                return True
    return False


@instruction("format:quotes")
def quotes(response: str) -> bool:
    """Quotations nested three levels deep, double and single marks in turn."""
    open_ones: list[str] = []
    deepest = 0
    for character in response.translate(_STRAIGHT):
        if open_ones and character == open_ones[-1]:
            open_ones.pop()
            if deepest - len(open_ones) >= _QUOTE_LEVELS:
                return True
        elif character in "\"'":
            open_ones.append(character)
            deepest = max(deepest, len(open_ones))
    return False


@instruction("format:options", options=a_text)
def options(response: str, options: str) -> bool:
    """Nothing but one of the options, which are divided by `/`, `or` or commas; lettered ones to the letter."""
    allowed = option_texts(options)
    if re.match(r"\W*[aA]\W*[bB]\W*[cC]\W*", options):
        return response in allowed
    return strip_punctuation(response).lower() in {strip_punctuation(option).lower() for option in allowed}


def option_texts(options: str) -> list[str]:
    """The options of a choice, as the kwarg lists them."""
    separator = next((text for text in ("/", "or") if text in options), ",")
    return [option.strip() for option in options.split(separator)]


@instruction("format:newline")
def newline(response: str) -> bool:
    """Each word on a line of its own."""
    lines = [phrases(line) for line in response.split("\n")]
    return max(map(len, lines)) == 1


@instruction("format:emoji")
def emoji(response: str) -> bool:
    """Every sentence ends with an emoji, before or after its end mark."""
    found = _with_trailing_emoji(response)
    return bool(found) and all(_ends_with_emoji(sentence) for sentence in found)


@instruction("format:line_indent")
def line_indent(response: str) -> bool:
    """Each line is indented by more spaces than the one before."""
    indents = [len(line) - len(line.lstrip(" ")) for line in response.split("\n") if line.strip()]
    return bool(indents) and all(first < second for first, second in pairwise(indents))


@instruction("format:quote_unquote")
def quote_unquote(response: str) -> bool:
    """No quotation follows another directly, and none ends the text."""
    text = "".join(response.translate(_DOUBLE).replace("'\"'", "").split())
    rest = text.strip(string.digits + string.punctuation.replace('"', "") + "。．！？")
    return '""' not in text and bool(rest) and not rest.endswith('"')


@instruction("format:list", sep=a_text)
def special_list(response: str, sep: str) -> bool:
    """At least two lines start with the separator."""
    return sum(line.lstrip().startswith(sep) for line in response.split("\n")) >= 2


@instruction("format:thesis")
def thesis(response: str) -> bool:
    """A thesis in `<i>` or `<em>`, and text after it."""
    found = re.search(r"<(i|em)>", response)
    if found is None:
        return False
    inside, closed, after = response[found.end() :].partition(f"</{found.group(1)}>")
    return bool(closed and inside.strip() and after.strip())


@instruction("format:sub-bullets")
def sub_bullets(response: str) -> bool:
    """Bullets `*`, each with at least one sub-bullet `-`."""
    marks = "".join(line.lstrip()[:1] for line in response.split("\n") if line.lstrip()[:1] in ("*", "-"))
    return bool(re.fullmatch(r"-*(\*-+)+", marks))


@instruction("format:no_bullets_bullets")
def no_bullets_bullets(response: str) -> bool:
    """At least two sentences, then at least two bullets `*` and nothing else."""
    lines = [line.strip() for line in response.strip().split("\n") if line.strip()]
    first = next((number for number, line in enumerate(lines) if line.startswith("*")), len(lines))
    bullets = lines[first:]
    count = sum(len(sentences(line)) for line in lines[:first])
    return count >= 2 and len(bullets) >= 2 and all(line.startswith("*") for line in bullets)


@instruction("format:title_case")
def title_case(response: str) -> bool:
    """Every word begins with a capital and goes on small; words in capitals throughout are let pass."""
    words = [word for word in spaced_words(response) if word[0].isalpha() and word[0].lower() != word[0].upper()]
    return bool(words) and all(word[0].isupper() or not (word[1:].islower() or word[1:].isupper()) for word in words)


@instruction("format:output_template")
def output_template(response: str) -> bool:
    """Has the headings that the template names."""
    return all(part in response for part in TEMPLATE_PARTS)


@instruction("format:no_whitespace")
def no_whitespace(response: str) -> bool:
    """No character that Unicode counts as white space."""
    return not any(character.isspace() for character in response)


def is_emoji(character: str) -> bool:
    """Pictographs, dingbats and flags; unicodedata has no such property, so by block."""
    code = ord(character)
    pictograph = 0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF or 0x2B00 <= code <= 0x2BFF
    return pictograph and unicodedata.category(character) in ("So", "Sk", "Cn")


def _with_trailing_emoji(response: str) -> list[str]:
    """The sentences; an emoji after the end mark goes with the sentence before it."""
    found: list[str] = []
    for sentence in sentences(response):
        rest = sentence.lstrip("\ufe0f\u200d ")
        while found and rest and is_emoji(rest[0]):
            found[-1] += rest[0]
            rest = rest[1:].lstrip("\ufe0f\u200d ")
        found.append(rest)
    tail = response.rstrip()[-2:]
    if found and any(map(is_emoji, tail)):
        found[-1] += tail
    return found


def _ends_with_emoji(sentence: str) -> bool:
    text = "".join(c for c in sentence if not is_punctuation(c)).rstrip("\ufe0f\u200d ")
    return bool(text) and is_emoji(text[-1])
