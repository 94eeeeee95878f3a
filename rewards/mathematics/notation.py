"""How answers are written, made one: signs, spaces, units and numbers of any script as plain LaTeX.

`plain` changes notation only (`½` is `\\frac{1}{2}`, `7{,}200` is `7,200`, `2 million` is `2 \\times 10^{6}`) and may
be given a whole response. `bare` also takes off what dresses a single answer: currency, units, a full stop.
`parse_number` reads what can be read exactly: whole numbers, decimals, fractions, mixed and repeating ones,
percentages, powers of ten. A comma between digits groups them; any other comma belongs to a number only where
`decimal_comma` says so.
"""

import re
import unicodedata
from fractions import Fraction

from dragoman.text.numerals import normalise_digits
from dragoman.text.scripts import is_spaceless
from dragoman.text.segmentation import SPACELESS
from dragoman.text.tables import listed, read_table

WORDS = read_table(__file__)
_SIGNS = str.maketrans(
    WORDS["signs"] | dict.fromkeys("\u00a0\u202f\u2009\u2007", " ") | dict.fromkeys("\u200b\u200e\u200f\u2060", "")
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_ROOT_INDEX = {"√": "", "∛": "[3]", "∜": "[4]"}
_ROOT = re.compile(r"([√∛∜])\s*(?:\(([^()]*)\)|\{([^{}]*)\}|(\d+(?:\.\d+)?|[A-Za-z]))")
_CALLED_ROOT = re.compile(r"\\?\bsqrt\s*\(([^()]*)\)")
_OVERLINED = re.compile(r"(?:\d[\u0304\u0305])+")
_DOTTED = re.compile(r"\\dot\s*\{?(\d)\}?(?:(\d*)\\dot\s*\{?(\d)\}?)?")
_BARRED = re.compile(r"\\(?:bar|overbar)\s*\{?(\d+)\}?")
_FENCES = {"langle": "(", "rangle": ")", "lvert": "|", "rvert": "|", "vert": "|"}
_FENCE = re.compile(r"\s?\\(langle|rangle|[lr]?[vV]ert|\|)(?![A-Za-z])\s?")
_PERCENT_BEFORE = re.compile(r"(?<![\d})])\\?%(\d+(?:[.,]\d+)?)(?![\d%])")
_SPACING = re.compile(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits)(?![A-Za-z])|\\[,;!:>]")
_SPACE = re.compile(r"(?<!\\)\\ |~")
_POWER_OF = re.compile(r"\^\s*(?:\(([^()]+)\)|([-+]\d+))")
_FRENCH_INTERVAL = re.compile(r"(?<![\w\])])([\[\]])(\s*[-+\d\\.a-z{}/ ]+[;,]\s*[-+\d\\.a-z{}/ ]+)([\[\]])(?!\w)")
_FRACTION_COMMAND = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_UNBRACED = re.compile(r"\\frac\s*(\{[^{}]*\}|\d)\s*(\{[^{}]*\}|\d)")
_FUNCTION_WORD = re.compile(
    r"(?<![A-Za-z\\])(?:(ln|log|sin|cos|tan|cot|arcsin|arccos|arctan)(?=\s*[\d({\\]|_)|(pi)(?![A-Za-z]))\s*"
)
_UPRIGHT = re.compile(r"\\(?:mathrm|mathbf|mathit|operatorname)\s*(?:\{([a-z]{1,6})\}|\s([a-z]))")


def _any_of(words: str) -> str:
    """A pattern of any of the words: whole ones where the script has words."""
    return "|".join(map(_whole, sorted(listed(words), key=len, reverse=True)))


def _whole(word: str) -> str:
    if is_spaceless(word):
        return re.escape(word)
    attached = "\uac00" <= word <= "\ud7a3"  # Korean: `4와 6`
    return rf"(?<=\s){word}(?=\s)" if len(word) == 1 and not attached else rf"(?<![^\W\d_]){re.escape(word)}(?!\w)"


AND, OR, CONDITION = (re.compile(_any_of(WORDS[name]), re.IGNORECASE) for name in ("and", "or", "condition"))
_MINUS = re.compile(rf"(?:{_any_of(WORDS['minus'])})\s*(?=\$?\.?\d|\$?\\frac)", re.IGNORECASE)
_PERCENT_PHRASES = "|".join(WORDS["percent_phrases"])
_PERCENT = re.compile(
    rf"(?<=[\d}}$])\s*(?:\\%|(?:{_PERCENT_PHRASES})(?!\w)|{_any_of(WORDS['percent'])})", re.IGNORECASE
)
_SCALES = tuple(
    (re.compile(rf"(?<=\d)\s*(?:{_any_of(words)})", re.IGNORECASE), rf"\\times 10^{{{power}}} ")
    for power, words in WORDS["scales"].items()
)
_SCALE_HINT = re.compile(r"\d\s*[^\W\d_]")
_SCALE = "|".join(map(_any_of, WORDS["scales"].values()))
_TEXT_OF_NUMBER = re.compile(
    rf"\\(?:text|textbf|mathrm|mathbf)\s*\{{\s*(-?\d[^{{}}\\$]*|{_SCALE})\s*\}}", re.IGNORECASE
)
"""What begins with a number, or is a magnitude, and is set as text"""

_LISTED_UNIT = "|".join(sorted(map(re.escape, listed(WORDS["units"])), key=len, reverse=True))
_POWER = r"(?:\s*\^\s*\{?-?\d\}?)?"
_ONE_UNIT = (
    rf"(?:\\(?:text|mathrm|textrm|textbf|mathbf|mbox|operatorname)\s*\{{[^{{}}]*\}}|\^\s*\{{?\\circ\}}?\s*[CFK]?(?![A-Za-z])"
    rf"|(?:{_LISTED_UNIT})(?![^\W\d_])|[{SPACELESS}\uac00-\ud7a3]+|(?!(?:{'|'.join(WORDS['functions'].split())})(?![^\W\d_]))[^\W\d_]{{3,}}\.?){_POWER}"
)
_UNIT = re.compile(rf"(.*[\d}})])\s*{_ONE_UNIT}(?:[\s/*]*(?:\\cdot)?\s*(?:{_ONE_UNIT}))*\s*")
_CURRENCY_CODE = re.compile(r"(?:(?:US|CA|AU|NZ|HK|R|C|A)(?=[$])|\b(?:[A-Z]{3}|Rs\.?|Fr\.|kr\.?)\s*(?=-?\d))")
_LETTER = re.compile(r"\\[A-Za-z]+|([^\W\d_])")

_GROUPED = re.compile(
    r"[-+]?[1-9]\d{0,2}(?:([,' ])\d{3})(?:\1\d{3})*(?:\.\d+)?|[-+]?[1-9]\d{0,2}(?:\.\d{3}){2,}"
    r"|[-+]?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"
)
_GROUPED_BEFORE_COMMA = re.compile(r"[-+]?[1-9]\d{0,2}(?:([.' ])\d{3})(?:\1\d{3})*,\d+|[-+]?\d+,\d+")
_PLAIN = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([-+]?\d{1,3}))?")
_FRACTION = re.compile(r"([-+]?)(?:\\frac\{(-?\d+)\}\{(-?\d+)\}|(\d+)\s*/\s*(\d+))")
_MIXED = re.compile(r"([-+]?)(\d+)\s*(?:\\frac\{(\d+)\}\{(\d+)\}|\s(\d+)\s*/\s*(\d+))")
_SCIENTIFIC = re.compile(r"(.*?)\s*(?:\\times|\\cdot|\*|x)\s*10\s*\^\s*(?:\{\s*([-+]?\d{1,3})\s*\}|([-+]?\d{1,3}))")
_REPEATING = re.compile(r"([-+]?\d*)\.(\d*)(?:\\(?:overline|bar|overbar)\s*\{?(\d+)\}?|\((\d+)\)|(\.\.\.|\\[lc]?dots))")


def plain(text: str) -> str:
    """The same text with its mathematics in one notation."""
    text = normalise_digits(text)
    if not text.isascii():
        text = _OVERLINED.sub(lambda m: f"\\overline{{{re.sub(r'[^0-9]', '', m[0])}}}", text)
        text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+", lambda m: f"^{{{m[0].translate(_RAISED)}}}", text)
        text = re.sub("[₀-₉]+", lambda m: f"_{{{unicodedata.normalize('NFKC', m[0])}}}", text)
        text = _ROOT.sub(lambda m: f"\\sqrt{_ROOT_INDEX[m[1]]}{{{m[2] or m[3] or m[4]}}}", text)
        text = re.sub("[¼-¾⅐-⅞]", _vulgar, text).translate(_SIGNS)
    text = _SPACING.sub("", _SPACE.sub(" ", text.replace("{,}", ",")))
    text = _FENCE.sub(lambda m: _FENCES.get(m[1], "||"), _PERCENT_BEFORE.sub(r"\1%", text))
    text = _CALLED_ROOT.sub(r"\\sqrt{\1}", _FRACTION_COMMAND.sub(r"\\frac", text))
    text = _BARRED.sub(lambda m: f"\\overline{{{m[1]}}}", text)
    text = _DOTTED.sub(lambda m: f"\\overline{{{''.join(filter(None, m.groups()))}}}", text)
    text = _UNBRACED.sub(lambda m: f"\\frac{{{m[1].strip('{}')}}}{{{m[2].strip('{}')}}}", text)
    text = _MINUS.sub("-", _PERCENT.sub("%", text))
    text = _POWER_OF.sub(lambda m: f"^{{{m[1] or m[2]}}}", _FRENCH_INTERVAL.sub(_round_brackets, text))
    text = _FUNCTION_WORD.sub(lambda m: f"\\{m[1] or m[2]} ", text).replace("\\varnothing", "\\emptyset")
    text = _TEXT_OF_NUMBER.sub(r" \1 ", text) if "\\" in text else text
    if _SCALE_HINT.search(text):
        for pattern, factor in _SCALES:
            text = pattern.sub(factor, text)
    return text


def bare(answer: str, units: bool = True) -> str:
    """A single answer in plain notation without currency, dollar signs and full stop, and without a number's units."""
    text = plain(_CURRENCY_CODE.sub("", answer).replace("\\$", "")).replace("**", "^")
    text = "".join(c for c in text if unicodedata.category(c) != "Sc").strip()
    text = text if text.endswith("..") else text.rstrip(".").strip()
    text = _UPRIGHT.sub(lambda m: m.group(1) or m.group(2), text) if "e}" in text or " e" in text else text
    if not units:
        return re.sub(r"(?<=\d)(?=[A-Za-z]$)", r" \\cdot ", text)
    unit = _UNIT.fullmatch(text)
    if unit and not any(m.group(1) for m in _LETTER.finditer(unit.group(1))):
        return unit.group(1).strip()
    return text


def parse_number(text: str, decimal_comma: bool = False) -> Fraction | None:
    """A plain number as an exact fraction; None when it is anything else. A percentage is its hundredth."""
    value = _parse_unsigned_percent(text.rstrip("%").strip(), decimal_comma)
    return value / 100 if value is not None and text.endswith("%") else value


def _parse_unsigned_percent(body: str, decimal_comma: bool) -> Fraction | None:
    scientific = _SCIENTIFIC.fullmatch(body)
    if scientific:
        factor = _decimal(scientific[1], decimal_comma)
        return None if factor is None else factor * Fraction(10) ** int(scientific[2] or scientific[3])
    mixed, fraction = _MIXED.fullmatch(body), _FRACTION.fullmatch(body)
    if mixed:
        sign, whole, *parts = mixed.groups()
        top, bottom = (int(part) for part in parts if part)
        if top < bottom:
            return (int(whole) + Fraction(top, bottom)) * _sign(sign)
    if fraction:
        sign, *parts = fraction.groups()
        top, bottom = (int(part) for part in parts if part)
        return None if bottom == 0 else Fraction(top, bottom) * _sign(sign)
    return _decimal(body, decimal_comma)


def _decimal(body: str, decimal_comma: bool) -> Fraction | None:
    if decimal_comma and _GROUPED_BEFORE_COMMA.fullmatch(body) and not _GROUPED.fullmatch(body):
        body = re.sub(r"[.' ]", "", body).replace(",", ".")
    repeating = _REPEATING.fullmatch(body.replace(",", ".") if decimal_comma else body)
    if repeating:
        return _repeating(*repeating.groups())
    if _GROUPED.fullmatch(body):
        body = re.sub(r"\." if body.count(".") > 1 else "[,' ]", "", body)
    match = _PLAIN.fullmatch(body)
    return None if match is None else Fraction(match[1].rstrip(".")) * Fraction(10) ** int(match[2] or 0)


def _repeating(whole: str, fixed: str, *periods: str | None) -> Fraction | None:
    """0.1(6) = 16/99 - 1/90 and so on; after an ellipsis the period is what the digits before it repeat."""
    period = periods[0] or periods[1]
    if period is None:
        found = re.fullmatch(r"(\d*?)((\d)\3{2,}|(\d{2,}?)\4+)", fixed)
        if found is None:
            return Fraction(f"{whole or '0'}.{fixed or '0'}")
        fixed, period = found[1], found[3] or found[4]
    digits = Fraction(int(fixed + period) - int(fixed or 0), 10 ** len(fixed) * (10 ** len(period) - 1))
    return (int(whole.lstrip("+-") or 0) + digits) * _sign(whole[:1])


def _round_brackets(match: re.Match[str]) -> str:
    """`]2;5[` is `(2;5)`."""
    return f"{'(' if match[1] == ']' else '['}{match[2]}{')' if match[3] == '[' else ']'}"


def _sign(sign: str) -> int:
    return -1 if sign == "-" else 1


def _vulgar(match: re.Match[str]) -> str:
    top, bottom = unicodedata.normalize("NFKC", match[0]).split("⁄")
    return f"\\frac{{{top}}}{{{bottom}}}"
