"""The house rules that can be checked: arrows between rooms, names in script folders, no machine's paths."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "recipes": set(),
    "corpora": set(),
    "rewards": set(),
    "learner": set(),
    "cluster": {"recipes", "rewards", "learner"},
    "rollout": {"learner"},
    "evaluation": {"rewards", "learner"},
    "pretrain_sft": {"corpora", "learner", "rollout", "rewards", "cluster"},
    "rl": {"corpora", "learner", "rollout", "rewards", "cluster"},
    "pipeline": {"recipes", "corpora", "learner", "rollout", "rewards", "cluster", "pretrain_sft", "rl", "evaluation"},
}
ENTRY_SCRIPTS = {Path("rl/train.py"), Path("pretrain_sft/train.py")}
"""Doors into the pipeline; they belong to no room."""


def modules(room):
    return [p for p in sorted((ROOT / room).rglob("*.py")) if p.relative_to(ROOT) not in ENTRY_SCRIPTS]


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        yield from (name.split(".")[0] for name in names if name.split(".")[0] in ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_go_one_way(room):
    wrong = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in modules(room)
        for other in imported_rooms(path)
        if other != room and other not in ROOMS[room]
    }
    assert not wrong


@pytest.mark.parametrize("folder", ["rl", "pretrain_sft"])
def test_modules_beside_a_script_shadow_nothing(folder):
    installed = {name for names in metadata.packages_distributions() for name in [names]}
    taken = set(sys.stdlib_module_names) | installed
    assert not [p.stem for p in (ROOT / folder).glob("*.py") if p.stem in taken and p.stem not in ("__init__", "train")]


def test_every_module_says_what_it_is_for():
    missing = [
        str(p.relative_to(ROOT))
        for room in ROOMS
        for p in (ROOT / room).rglob("*.py")
        if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert not missing


def test_files_and_functions_stay_readable():
    long = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if text.count("\n") > 400:
                long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or 0) - node.lineno + 1
                    if length > 80:
                        long.append(f"{path.relative_to(ROOT)}:{node.name}: {length} lines")
    assert not long


def test_cuda_is_named_in_one_module_only():
    named = [
        str(p.relative_to(ROOT))
        for room in ROOMS
        for p in (ROOT / room).rglob("*.py")
        if re.search(r"torch\.cuda", p.read_text(encoding="utf-8"))
    ]
    assert set(named) <= {"learner/device.py"}


def test_importing_the_light_rooms_needs_no_torch():
    code = (
        "import sys; import recipes, corpora.quickstart, rewards, learner, rollout, pipeline.entry, rl.controller;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
