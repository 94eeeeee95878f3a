"""The house rules that can be checked: arrows between rooms, names in script folders, no machine's paths."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOUNDATION = {"text", "files", "settings", "errors", "actors"}
"""Modules and rooms that import nothing of ours but each other"""
ROOMS = {
    "text": {"errors"},
    "files": {"errors"},
    "settings": set(),
    "errors": set(),
    "actors": set(),
    "rewards": FOUNDATION,
    "learner": FOUNDATION,
    "cluster": FOUNDATION,
    "packages": FOUNDATION,
    "rollout": FOUNDATION | {"learner"},
    "checkpoints": FOUNDATION | {"learner"},
    "data": FOUNDATION | {"rewards", "packages"},
    "evaluation": FOUNDATION | {"data", "rewards"},
    "pretrain_sft": FOUNDATION | {"data", "learner", "rollout", "rewards", "cluster"},
    "rl": FOUNDATION | {"data", "learner", "rollout", "rewards", "cluster", "pretrain_sft"},
    "recipes": FOUNDATION | {"data", "learner", "rollout", "rewards", "pretrain_sft", "rl", "evaluation", "cluster"},
}
ROOMS["pipeline"] = set(ROOMS)
ROOMS["doors"] = {"pipeline", "recipes"}
TOP = ("rewards", "cluster", "pretrain_sft", "rl")
DOORS = (ROOT / "pretrain_sft" / "train.py", ROOT / "rl" / "train.py")
"""The commands that users call by path: a room of their own, whose two files lie in the folders users know"""


def folder(room):
    return ROOT / room if room in TOP else ROOT / "dragoman" / room


def modules(room):
    """Every module of a room; a room may be one file, and every file belongs to one room."""
    if room == "doors":
        return list(DOORS)
    paths = (
        [folder(room).with_suffix(".py")] if folder(room).with_suffix(".py").is_file() else folder(room).rglob("*.py")
    )
    return sorted(p for p in paths if p not in DOORS)


def room_of(name):
    first, *rest = name.split(".")
    room = rest[0] if first == "dragoman" and rest else first
    return room if room in ROOMS else None


def imported_rooms(path):
    """Rooms that a module imports anywhere in it, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "dragoman":
            names = [f"dragoman.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
        else:
            continue
        yield from (room for room in map(room_of, names) if room)


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_go_one_way(room):
    assert modules(room)
    wrong = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in modules(room)
        for other in imported_rooms(path)
        if other != room and other not in ROOMS[room]
    }
    assert not wrong


def test_there_is_no_circle_and_no_room_without_a_rule():
    found = {p.name.removesuffix(".py") for p in (ROOT / "dragoman").iterdir() if p.name[0] not in "_."}
    assert found | set(TOP) | {"doors"} == set(ROOMS)
    everything = {p for top in (*TOP, "dragoman") for p in (ROOT / top).rglob("*.py")} - {ROOT / "dragoman/__init__.py"}
    assert everything == {p for room in ROOMS for p in modules(room)}
    done = set()
    while ready := {room for room, arrows in ROOMS.items() if room not in done and arrows - {room} <= done}:
        done |= ready
    assert done == set(ROOMS)


@pytest.mark.parametrize("name", ["rl", "pretrain_sft"])
def test_modules_beside_a_script_shadow_nothing(name):
    installed = {name for names in metadata.packages_distributions() for name in [names]}
    taken = set(sys.stdlib_module_names) | installed
    assert not [p.stem for p in (ROOT / name).glob("*.py") if p.stem in taken and p.stem not in ("__init__", "train")]


def test_every_module_says_what_it_is_for():
    missing = [
        str(p.relative_to(ROOT))
        for room in ROOMS
        for p in modules(room)
        if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert not missing


def test_files_and_functions_stay_readable():
    long = []
    for room in ROOMS:
        for path in modules(room):
            text = path.read_text(encoding="utf-8")
            if text.count("\n") > 300:
                long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or 0) - node.lineno + 1
                    if length > 60:
                        long.append(f"{path.relative_to(ROOT)}:{node.name}: {length} lines")
    assert not long


def test_cuda_is_named_in_one_module_only():
    named = [
        str(p.relative_to(ROOT))
        for room in ROOMS
        for p in modules(room)
        if re.search(r"torch\.cuda", p.read_text(encoding="utf-8"))
    ]
    assert set(named) <= {"dragoman/learner/device.py"}


def test_importing_the_light_rooms_needs_no_torch():
    code = (
        "import sys; import dragoman.recipes, dragoman.data.quickstart.build, rewards, dragoman.learner;"
        "import dragoman.rollout, dragoman.pipeline.run_command, dragoman.packages.cli, rl.controller;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
