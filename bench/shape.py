"""The shape of the code: how long functions and files are, how much of it is typed, what passes as a dictionary.

    python bench/shape.py [FOLDER]        # FOLDER: another checkout to measure by the same rules

Counted on the syntax trees of the product (tests and bench left out). *Slots* are parameters and return values typed as
a dictionary of anything (`dict[str, Any]`, `Mapping[str, object]`, a bare `dict`, or an alias of one), for 1,000
functions. *Key reads* are settings read by a string: `settings["steps"]`, `section.get("steps")`, anything of
`model_dump()`. The core rooms are those that train, generate, evaluate and run. The last line is JSON: lengths for the
whole product, slots and key reads for the core rooms.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

ROOMS = (
    "rl", "rewards", "pretrain_sft", "cluster", "dragoman/text", "dragoman/files", "dragoman/data", "dragoman/learner",
    "dragoman/checkpoints", "dragoman/packages",
    "dragoman/rollout", "dragoman/evaluation", "dragoman/pipeline", "dragoman/recipes",
    "learner", "rollout", "evaluation", "pipeline", "recipes", "corpora",
)  # fmt: skip
"""Today's, and the top-level rooms of before, for measuring an older checkout"""
CORE = ("rl", "pretrain_sft", "learner", "rollout", "pipeline", "evaluation")
DICTIONARIES = ("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict")
SETTINGS = ("settings", "section", "optimiser", "config", "recipe", "numbers", "options", "learner", "rollout", "ptx")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Shape:
    """Counts of some files."""

    files: tuple[int, ...]
    functions: tuple[int, ...]
    """Lengths in lines, definition and docstring included"""
    typed: int
    public: int
    bare: int
    """Public functions and classes without a docstring"""
    slots: int
    key_reads: int

    def row(self) -> list[str]:
        """The cells of the table."""
        n = max(1, len(self.functions))
        return [
            f"{sum(self.files):,}", str(n), f"{median(self.functions):g} / {p90(self.functions):g} / "
            f"{max(self.functions)}", f"{100 * self.typed / n:.0f} %", f"{100 * self.bare / max(1, self.public):.0f} %",
            f"{1000 * self.slots / n:.0f}", str(self.key_reads), str(max(self.files)),
        ]  # fmt: skip


def p90(values: Sequence[int]) -> float:
    """90th percentile."""
    return quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else float(values[0])


def functions_of(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def is_anything(node: ast.expr | None, aliases: frozenset[str]) -> bool:
    """Whether an annotation holds a dictionary of anything somewhere."""
    if node is None:
        return False
    if isinstance(node, ast.Constant):  # a quoted annotation; the texts of a Literal are none
        return isinstance(node.value, str) and any(node.value.startswith(name) for name in DICTIONARIES)
    if isinstance(node, ast.Name):
        return node.id in aliases or node.id in DICTIONARIES
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in DICTIONARIES:
        value = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
        return (isinstance(value, ast.Name) and value.id in ("Any", "object")) or is_anything(value, aliases)
    return any(is_anything(child, aliases) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def aliases_of(trees: Sequence[ast.Module]) -> frozenset[str]:
    """Names that stand for a dictionary of anything, such as `Row = Mapping[str, Any]`."""
    found: frozenset[str] = frozenset()
    for tree in trees:
        for node in tree.body:
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Subscript):
                continue
            target = node.targets[0]
            if isinstance(target, ast.Name) and is_anything(node.value, frozenset()):
                found |= {target.id}
    return found


def slots_of(function: Function, aliases: frozenset[str]) -> int:
    """Parameters and return value of a function that are dictionaries of anything."""
    a = function.args
    given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return sum(is_anything(annotation, aliases) for annotation in (*(g.annotation for g in given), function.returns))


def is_settings(node: ast.expr) -> bool:
    """Whether an expression is called like settings, or is a dump of some."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in ("model_dump", "dict")
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in SETTINGS


def key_reads_of(tree: ast.AST) -> int:
    """Settings that are read by a string."""
    found = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found += isinstance(node.slice.value, str) and is_settings(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            found += is_settings(node.func.value)
    return found


def is_public(node: ast.AST) -> bool:
    """Whether something is called from elsewhere: a class or function whose name does not begin with an underscore."""
    return isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")


def shape_of(paths: Sequence[Path], aliases: frozenset[str]) -> Shape:
    """The counts of some files."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    functions = [function for tree in trees for function in functions_of(tree)]
    public = [node for tree in trees for node in ast.walk(tree) if is_public(node)]
    return Shape(
        files=tuple(path.read_text(encoding="utf-8").count("\n") for path in paths),
        functions=tuple((f.end_lineno or f.lineno) - f.lineno + 1 for f in functions),
        typed=sum(f.returns is not None for f in functions),
        public=len(public),
        bare=sum(ast.get_docstring(node) is None for node in public),  # type: ignore[arg-type]
        slots=sum(slots_of(f, aliases) for f in functions),
        key_reads=sum(map(key_reads_of, trees)),
    )


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    root: Path = parser.parse_args().root.resolve()
    found = {room: sorted((root / room).rglob("*.py")) for room in ROOMS}
    rooms = {room: paths for room, paths in found.items() if paths}
    every = [path for paths in rooms.values() for path in paths]
    every += sorted((root / "dragoman").glob("*.py"))
    aliases = aliases_of([ast.parse(path.read_text(encoding="utf-8")) for path in every])
    core = [path for room, paths in rooms.items() if room.split("/")[-1] in CORE for path in paths]
    table = Table(title="shape of the code", title_justify="left")
    for column in ("room", "lines", "fns", "median / p90 / max", "typed", "bare", "slots", "key reads", "file"):
        table.add_column(column, justify="left" if column == "room" else "right")
    for room, paths in rooms.items():
        shape = shape_of(paths, aliases)
        table.add_row(room, *(shape.row() if shape.functions else [f"{sum(shape.files):,}", *[""] * 7]))
    whole, inner = shape_of(every, aliases), shape_of(core, aliases)
    table.add_section()
    table.add_row("core rooms", *inner.row())
    table.add_row("all", *whole.row())
    Console(width=110).print(table)
    print(json.dumps({
        "median": median(whole.functions), "p90": p90(whole.functions), "longest_function": max(whole.functions),
        "longest_file": max(whole.files), "lines": sum(whole.files),
        "dict_slots_per_1000": round(1000 * inner.slots / len(inner.functions), 1), "string_key_reads": inner.key_reads,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
