"""The last expression of a running text, whole: `\\frac{1}{3}` and never its 3, `(3, 7)` and never its 7.

    text -> tokens -> runs (what stands together as one expression) -> the last run, with what it is joined to

A run ends at a word, at a line's end and at a mark of punctuation. Runs divided by a comma or by a word for `and` or
`or` are one list: who names two values has not named one of them. Of a chain `2 \\cdot 3 = 6` the last member counts;
`x = 6` stays whole.
"""

import re
from dataclasses import dataclass

from dragoman.text.segmentation import SPACELESS
from dragoman.text.tables import listed
from rewards.mathematics.notation import AND, CONDITION, OR, WORDS, plain

_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_NUMBER = (
    r"(?:\d{1,3}(?:(?P<sep>[ '])\d{3})(?:(?P=sep)\d{3})*(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*|\.\d+)"
    r"(?:[.,]?\\(?:overline|bar)\s*\{\d+\}|[.,]\(\d+\)|(?<=[.,]\d)\(\d+\)|(?<=[.,]\d\d)\(\d+\)|(?<=\d)\.\.\.(?=\W*$|\s))?"
    r"(?:[eE][-+]?\d{1,3}(?!\w))?(?:[^\S\n]*%)?"
)
_ALPHABET = r"A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f"
_RELATION = re.compile(r"[=<>]|\\(?:leq?|geq?|lt|gt|neq|approx|in)(?![A-Za-z])")
_TOKEN = re.compile(
    rf"(?P<gap>[^\S\n]+)|(?P<number>{_NUMBER})|(?P<operator>[-+*/^_=<>:]|\\(?:times|cdot|pm|mp|leq?|geq?|lt|gt|neq|approx"
    rf"|cup|cap|in)(?![A-Za-z]))|(?P<command>\|{{1,2}}[^|\s][^|\n]{{0,30}}\|{{1,2}}|\\begin\{{(\w+)\}}.*?\\end\{{\w+\}}|\\[A-Za-z]+\s*(?:\[[^\]]*\])?(?:\s*{_GROUP})*|{_GROUP})"
    rf"|(?P<open>[(\[]|\\\{{)|(?P<close>[)\]]|\\\}})|(?P<letter>[A-Za-zα-ω]'{{0,2}}(?![^\W_]|['’]))"
    rf"|(?P<word>[{_ALPHABET}][{_ALPHABET}\d'’]*|[{SPACELESS}]+|[^\W\d_]+)|(?P<mark>\n|.)",
    re.DOTALL,
)
_EMPHASIS = re.compile(
    r"(?<![\d)])\*\*|\*\*(?![\d(])|`|(?<![\w*)])\*(?=[^\s*])|(?<=[^\s*])\*(?![\w*(\\])|__|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)"
)
_TAG = re.compile(r"</?(?:b|i|em|strong|u|p|br|span|code|mark)\s*/?>", re.IGNORECASE)
_ALIGNED = re.compile(r"\\(?:begin|end)\s*\{(?:aligned|align|equation|gather|gathered|split|cases)\*?\}")
_ARROW = re.compile(r"->|=>|→|⇒|\\(?:to|Rightarrow|implies|therefore)(?![A-Za-z])")
_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|textit|textrm|mbox|mathrm)\s*\{([^{}]{2,})\}")
_FACTORIAL = re.compile(r"(?<=[\d)])!(?=\s*(?:\$|\\[)\]]|[-+*/=^]))")
_DELIMITER = re.compile(r"\\\$|\$\$?|\\[()\[\]]|[€£¥₹₩₽₺₴₪฿₫￥]")
_MIXED = re.compile(r"\d+[^\S\n]+\d+\s*/\s*\d+(?![\d/])")
_FUNCTION = re.compile(r"\\(?:log|ln|lg|sin|cos|tan|cot|sec|csc|exp)\s*(?:_\s*\w|_\s*\{\w+\})?$")
_SET = re.compile(r"(?<![\w\\^_}\]{])\{([^{}]*[,;][^{}]*)\}")
_BREAKS = ("word", "mark")
_ORDINALS = ("st", "nd", "rd", "th")
_UNITS = listed(WORDS["units"])
_NAME = r"(?:\\[A-Za-z]+(?:\s*[A-Z]{1,3})?|[A-Za-zα-ω])'{0,2}(?:_\{?\w+\}?)?(?:\([^()=]*\))?"
_ASSIGNMENT = re.compile(rf"{_NAME}\s*=[^=]+")
_LIMIT = re.compile(rf"\\lim\s*_\s*{_GROUP}")
_NO_UNKNOWN = re.compile(
    r"\\(?:angle|lim|det|dim|vec|max|min|sup|inf|gcd|Pr|mathbb|operatorname)(?![A-Za-z])|[A-Za-z]\^\{-1\}\s*\(|\|\|"
)
"""What names a value: `\\det A = 7` says 7, while `2x = 7` does not"""
_HAS_VALUE = re.compile(r"\d|\\(?!circ)[a-z]{2,}|[A-Za-z)]\s*[-+*/^=<>]\s*[A-Za-z(\\]")
_COMMA_GAP = re.compile(r"[^\S\n]*[,;][^\S\n]*")
_CONDITION_BEGINS = re.compile(
    rf"(?:\A|\n|[^\w\s)\]}}])\s*(?:[^\W\d_]+\s+)?(?:{CONDITION.pattern})\s*\Z", re.IGNORECASE
)
_WORD_GAP = re.compile(rf"[^\w\n]*(?:[^\W\d_]+\W*)??(?:{AND.pattern}|{OR.pattern})[^\w\n]*", re.IGNORECASE)


@dataclass(frozen=True)
class Run:
    """An expression, and where it stands in the text."""

    start: int
    end: int
    text: str

    @property
    def kind(self) -> str:
        """`value`, `x = value`, an inequality, or a chain of equal members."""
        if _ASSIGNMENT.fullmatch(self.text) or not _RELATION.search(self.text):
            return "value"
        return "chain" if "=" in self.text else "inequality"


def last_expression(response: str) -> str | None:
    """The last expression of a text, with the others of its list; None when there is none."""
    text = _prepared(response)
    runs = _runs(text)
    if not runs:
        return None
    first = len(runs) - 1
    while first > 0 and _are_joined(text, runs[first - 1], runs[first]):
        first -= 1
    return ", ".join(_final_member(run.text) for run in _without_condition(text, runs[first:]))


def _prepared(response: str) -> str:
    """Plain notation without emphasis, delimiters and currency; what they held apart stays apart."""
    text = _LIMIT.sub(r"\\lim ", _TAG.sub(" ", response))
    if _ALIGNED.search(text):
        text = _ALIGNED.sub("\n", text.replace("\\\\", "\n").replace("&", " "))
    text = _FACTORIAL.sub(r"\\factorial ", _ARROW.sub("\n", _EMPHASIS.sub("", text)))
    text = re.sub(r"(?<=[-−])\\?\$(?=\d)", "", text)
    return _DELIMITER.sub(" ", _SET.sub(r"\\{\1\\}", plain(_TEXT_COMMAND.sub(r" \1 ", text))))


def _runs(text: str) -> list[Run]:
    tokens = list(_TOKEN.finditer(text))
    runs: list[Run] = []
    start = 0
    while start < len(tokens):
        end = _end_of_run(text, tokens, start)
        run = _trimmed(text, tokens[start].start(), tokens[end - 1].end()) if end > start else None
        if run is not None and not _is_ordinal(tokens, end):
            runs.append(run)
        start = max(end, start + 1)
    return runs


def _end_of_run(text: str, tokens: list[re.Match[str]], start: int) -> int:
    """The index behind the last token of the run that begins at a token; the same index where none begins."""
    if not _can_begin(text, tokens, start):
        return start
    depth, last = 0, start
    for index in range(start, len(tokens)):
        kind = tokens[index].lastgroup
        if kind == "gap":
            continue
        if index > start and not _goes_on(text, tokens, last, index, depth):
            break
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            break
        last = index
    return last + 1


def _can_begin(text: str, tokens: list[re.Match[str]], index: int) -> bool:
    kind, token = tokens[index].lastgroup, tokens[index]
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    before = text[max(0, token.start() - 1) : token.start()]
    if before in ("^", "_") or token[0].startswith("{") or (kind == "letter" and before == "/"):  # of a unit: m/s^2
        return False
    if kind == "operator":
        signs = (
            token[0] in "+-"
            and following is not None
            and following.lastgroup in ("number", "command", "open", "letter")
        )
        return signs and not re.match(rf"[{_ALPHABET}\d)]", before)
    return kind in ("number", "command", "open") or (kind == "letter" and _is_variable(tokens, index))


def _is_variable(tokens: list[re.Match[str]], index: int) -> bool:
    """A letter alone is a variable before an operator or an attached bracket; `I` is a word, `24 m/s` has units."""
    following = [token for token in tokens[index + 1 : index + 3] if token.lastgroup != "gap"]
    attached = index + 1 < len(tokens) and tokens[index + 1].lastgroup == "open"
    behind_number = index > 1 and tokens[index - 2].lastgroup == "number"
    if behind_number and tokens[index][0] in _UNITS and following and following[0][0] in "^/":
        return False
    return attached or (bool(following) and following[0].lastgroup == "operator" and following[0][0] != ":")


def _goes_on(text: str, tokens: list[re.Match[str]], last: int, index: int, depth: int) -> bool:
    before, token = tokens[last], tokens[index]
    kind, spaced = token.lastgroup, last + 1 < index
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if kind in _BREAKS:
        if depth > 0 and token[0] in ",;":
            return True
        unit = token[0] in _UNITS or len(token[0]) > 2
        return kind == "word" and not spaced and before.lastgroup == "number" and token[0].isascii() and not unit
    if kind == "operator":
        if token[0] == ":":
            return following is not None and spaced == (following.lastgroup == "gap") and before.lastgroup == "number"
        return True
    if before.lastgroup == "operator" or depth > 0 or not spaced:
        return kind != "close" or depth > 0
    if kind == "number":
        return bool(_FUNCTION.search(text, 0, before.end())) or _MIXED.match(text, before.start()) is not None
    return kind == "command" or (kind == "letter" and (before.lastgroup == "command" or _is_variable(tokens, index)))


def _is_ordinal(tokens: list[re.Match[str]], end: int) -> bool:
    return end < len(tokens) and tokens[end][0] in _ORDINALS and tokens[end - 1].lastgroup == "number"


def _trimmed(text: str, start: int, end: int) -> Run | None:
    """The run without operators and brackets that lost their other side; None when no value is left."""
    body = text[start:end].rstrip()
    while body and (
        body[-1] in "-+*/^_=<>:,; " or body[-1] in "([" or re.search(r"\\(?:times|cdot|pm|in|approx)$", body)
    ):
        body = re.sub(r"(?:\\[a-z]+|.)$", "", body, flags=re.DOTALL)
    stripped = body.replace("\\{", "").replace("\\}", "")
    if stripped.count("(") + stripped.count("[") != stripped.count(")") + stripped.count("]"):
        opened = re.match(r"[(\[]\s*", body)
        body, start = (body[opened.end() :], start + opened.end()) if opened else (body, start)
    found = body if _HAS_VALUE.search(body) else ""
    return Run(start, start + len(body), found.replace("\\factorial", "!")) if found else None


def _are_joined(text: str, left: Run, right: Run) -> bool:
    if left.kind != right.kind or left.kind == "chain":
        return False
    gap = text[left.end : right.start]
    if _WORD_GAP.fullmatch(gap):
        return True
    return left.kind == "value" and _COMMA_GAP.fullmatch(gap) is not None


def _without_condition(text: str, runs: list[Run]) -> list[Run]:
    """What follows the last comma of `When x = 3 and y = 4, z = 5`, a sentence that begins with its condition."""
    names = [run.text.partition("=")[0].strip() for run in (runs[0], runs[-1])]
    parted = len(runs) > 1 and re.search("[,;]", text[runs[-2].end : runs[-1].start])
    start = runs[0].start
    conditional = "=" in runs[0].text and names[0] != names[1] and _CONDITION_BEGINS.search(text, start - 60, start)
    return runs[-1:] if parted and conditional else runs


def _final_member(text: str) -> str:
    """The last member of `a = b = c`; an equation in a variable, and `x = 6`, as they are."""
    members = re.split(r"=|\\approx", text)
    variable = re.search(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", members[0])
    unknown = variable and not _NO_UNKNOWN.search(members[0])
    if len(members) == 1 or (len(members) == 2 and unknown and "\\approx" not in text):
        return text.strip()
    return members[-1].strip()
