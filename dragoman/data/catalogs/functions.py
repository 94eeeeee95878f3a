"""Functions of the package `algorithms` (keon/algorithms, MIT): real code to learn, hidden tests for the sandbox.

A module is read as text and parsed, never imported. A function is taken when it needs nothing but the standard library
and its docstring has examples whose arguments and results are plain values. The examples are cut out of the prompt:
they are the tests, and a single one that stands in the prompt could be answered without writing the function.
"""

import ast
import builtins
import doctest
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.data.catalogs.items import Item
from dragoman.packages.archives import matching_members
from dragoman.packages.records import Package
from dragoman.text.tables import listed

WRONG = listed(
    "get_factors make_sentence max_common_sub_string minimax search_rotate_recur strip_url_params3 sum_sub_squares"
)
"""Functions that do not give what their own examples say, tried in the sandbox (bench/real_data.py)"""
EVALUATED = listed("encode encrypt is_palindrome is_prime is_sorted multiply remove_duplicates")
"""Functions that HumanEval asks for under the same name"""
LONGEST = 1200
"""Characters of a function's code; more is no row of a small model"""
Imports = list[ast.Import | ast.ImportFrom]


@dataclass(frozen=True)
class Function:
    """A function that stands alone, with what its examples say."""

    name: str
    place: str
    signature: str
    description: str
    code: str
    cases: tuple[dict[str, Any], ...]


def function_items(package: Package, wheel: Path) -> Iterator[Item]:
    """Each function as a programming task; several ways of a module to do one thing are one question."""
    for match, content in matching_members(wheel, r"algorithms/(.*)\.py"):
        for function in functions_of(content.decode(), match[1]):
            prompt = f"Write this Python function.\n{function.signature}\n{function.description}"
            arguments = {"mode": "call", "entry": function.name, "cases": list(function.cases)}
            reward = {"kind": "code", "weight": 1, "args": arguments}
            yield Item(
                "code", f"function|{function.place}", prompt, function.code, (reward,), {},
                f"{package.title}, {function.place}", package.licence, "function",
            )  # fmt: skip


def functions_of(source: str, place: str) -> Iterator[Function]:
    """The usable functions of a module."""
    tree = ast.parse(source)
    imports: Imports = [
        node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) and not _is_own(node)
    ]
    for node in tree.body:
        if (
            isinstance(node, ast.FunctionDef)
            and (text := ast.get_docstring(node))
            and node.name not in WRONG | EVALUATED
        ):
            cases, needed = tuple(_cases(node.name, text)), _needed(node, imports)
            code = "\n".join([*map(ast.unparse, needed or []), _without_docstring(node)])
            if cases and needed is not None and len(code) <= LONGEST:
                yield Function(node.name, place, _signature(node), _description(text), code, cases)


def _is_own(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether an import is of the package itself."""
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").split(".")[0] == "algorithms")


def _cases(name: str, docstring: str) -> Iterator[dict[str, Any]]:
    for example in doctest.DocTestParser().get_examples(docstring):
        try:
            call = ast.parse(example.source.strip(), mode="eval").body
            expected = ast.literal_eval(example.want.strip())
            if isinstance(call, ast.Call) and ast.unparse(call.func) == name and not call.keywords:
                given = [ast.literal_eval(argument) for argument in call.args]
                if _is_plain(given) and _is_plain(expected):
                    yield {"args": given, "expected": expected}
        except (SyntaxError, ValueError):
            continue


def _is_plain(value: Any) -> bool:
    """Whether JSON gives it back as it is."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def _needed(node: ast.FunctionDef, imports: Imports) -> Imports | None:
    """The imports that a function uses; None when it uses anything else from outside."""
    names = [found for found in ast.walk(node) if isinstance(found, ast.Name)]
    inside = {found.id for found in names if isinstance(found.ctx, ast.Store)} | {node.name}
    inside |= {found.arg for found in ast.walk(node) if isinstance(found, ast.arg)}
    inside |= {str(found.name) for found in ast.walk(node) if isinstance(found, ast.FunctionDef | ast.ExceptHandler)}
    free = {found.id for found in names} - inside - set(dir(builtins))
    used: Imports = []
    for found in imports:
        given = {alias.asname or alias.name.split(".")[0] for alias in found.names}
        used += [found] if given & free else []
        free -= given
    return None if free else used


def _signature(node: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}:"


def _description(docstring: str) -> str:
    """The docstring up to its examples."""
    lines = docstring.split("\n")
    end = next((n for n, line in enumerate(lines) if line.strip().startswith((">>>", "Example"))), len(lines))
    return "\n".join(lines[:end]).strip()


def _without_docstring(node: ast.FunctionDef) -> str:
    return ast.unparse(ast.FunctionDef(**{**dict(ast.iter_fields(node)), "body": node.body[1:]}, lineno=0))
