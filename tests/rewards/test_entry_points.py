"""Rewards that an installed package brings along, seen by a process that finds the package on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GOOD = """
from rewards import reward

@reward("acme_polite", timeout_s=1)
def acme_polite(response: str) -> float:
    return float("please" in response)
"""
USE = """
from rewards.plugins import kind_to_ship, load_entry_points
from rewards.registry import find_kind
kind = find_kind("acme_polite")
print(load_entry_points(), kind.function("please"), kind.timeout_s, kind_to_ship(kind))
"""


def run_with_package(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    """Run `USE` where `module` is an installed package with an entry point."""
    (folder / "acme_rewards.py").write_text(module)
    info = folder / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dragoman.rewards]\nacme = acme_rewards\n")
    path = os.pathsep.join([str(folder), str(Path(__file__).resolve().parents[2])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", USE], env=environment, capture_output=True, text=True, timeout=120)


def test_a_package_s_rewards_are_kinds_in_every_process_and_need_no_shipping(tmp_path: Path) -> None:
    done = run_with_package(tmp_path, GOOD)
    assert done.stdout.split("\n")[0] == "('acme',) 1.0 1 None", done.stderr


def test_a_package_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    done = run_with_package(tmp_path, "import not_there_at_all\n")
    assert done.returncode != 0
    assert "PluginError: rewards of acme (acme = acme_rewards) could not be loaded: ModuleNotFoundError" in done.stderr
