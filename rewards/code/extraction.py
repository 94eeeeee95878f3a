"""Take the program out of a response: raw code as it is, or the right fenced block of a text.

Fences as models write them: of backticks or tildes, tagged in any case (`Python`, `PYTHON3.11`, `{.python}`) or not at
all, indented under a list, closed on the last line of code, never closed (the answer was cut), or never opened (the
prompt had opened it). What stands before `</think>` is no answer.
"""

import ast
import re
import textwrap
from dataclasses import dataclass

_OPENING = re.compile(r"[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[^\s`]*)[^`]*")
_PYTHON = re.compile(r"\{?\.?(?:python|py|ipython|pycon)?[-_]?[\d.]*\}?(?:[:{,;=].*)?", re.IGNORECASE)
_QUOTED_FENCE = re.compile(r"^[ \t]*>[ \t]*(?:`{3}|~{3})", re.MULTILINE)
_QUOTE_MARK = re.compile(r"^[ \t]*> ?", re.MULTILINE)
_ONE_LINE = re.compile(r"^[ \t]*(`{3,})(\w+)[ \t]+([^`\n]+)\1[ \t]*$", re.MULTILINE)
_BRACKET_TAG = re.compile(r"\[/PYTHON\]|\[(PYTHON)\]")
_PROGRAM_NODES = (
    ast.FunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.For,
    ast.While,
    ast.If,
    ast.Call,
)


@dataclass(frozen=True)
class Block:
    """A fenced block, or what stands before a fence that was never opened."""

    code: str
    tag: str = ""
    closed: bool = True


def extract_program(response: str, entry: str = "") -> str:
    """The last Python block that defines `entry`, else the last complete one, else the whole response.

    A block without a tag that is no program, such as one that shows output, counts only where there is no other.
    """
    text = response.rpartition("</think>")[2].replace("\r\n", "\n").lstrip("\ufeff")
    if _QUOTED_FENCE.search(text):
        text = _QUOTE_MARK.sub("", text)
    text = _ONE_LINE.sub(r"\1\2\n\3\n\1", _BRACKET_TAG.sub(lambda m: f"\n```{m[1] or ''}\n", text))
    blocks = [block for block in _blocks(text) if _PYTHON.fullmatch(block.tag)]
    if not blocks:
        return text
    name = entry.split(".")[0]
    defining = [block for block in blocks if name and _defines(block.code, name)]
    candidates = defining or [block for block in blocks if block.tag or _is_program(block.code)] or blocks
    return ([block for block in candidates if block.closed] or candidates)[-1].code


def _blocks(text: str) -> list[Block]:
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        fence = _OPENING.fullmatch(line)
        if opened is not None:
            mark = opened["fence"]
            ending = re.fullmatch(rf"(.*?){re.escape(mark)}{re.escape(mark[0])}*[ \t]*", line)
            if ending and (not ending[1].strip() or not fence) and not _is_in_docstring(ending[1], opened, lines):
                block = _block([*lines, ending[1]], opened)
                blocks += _blocks(block.code) if block.tag.lower() in ("markdown", "md") else [block]
                opened, lines = None, []
                continue
        elif fence is not None:
            if not blocks and not fence["tag"] and _is_program("\n".join(lines)):
                blocks.append(Block("\n".join(lines)))
            else:
                opened = fence
            lines = []
            continue
        lines.append(line)
    if opened is not None:
        blocks.append(_block(lines, opened, closed=False))
    return blocks


def _is_in_docstring(before: str, opened: re.Match[str], lines: list[str]) -> bool:
    """Whether a fence is part of a docstring's text: indented, within an open triple quotation."""
    text = "\n".join(lines)
    deeper = not before.strip() and len(before) > opened.start("fence")
    return deeper and any(text.count(mark) % 2 for mark in ('"""', "'''"))


def _block(lines: list[str], opened: re.Match[str], closed: bool = True) -> Block:
    return Block(textwrap.dedent("\n".join(lines)).rstrip() + "\n", opened["tag"], closed)


def _is_program(text: str) -> bool:
    """Whether a text is a Python program, and not a word that happens to be one."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, _PROGRAM_NODES) for node in ast.walk(tree))


def _defines(block: str, name: str) -> bool:
    return (
        re.search(rf"^\s*(?:(?:async\s+)?(?:def|class)\s+{re.escape(name)}\b|{re.escape(name)}\s*=)", block, re.M)
        is not None
    )
