"""A user's own reward from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewards import RewardError
from rewards.plugins import PluginSource, load_plugin, load_source, read_plugin
from rewards.registry import RewardKind, find_kind, register, reward


def write(folder: Path, text: str) -> Path:
    path = folder / "my_reward.py"
    path.write_text(text)
    return path


def test_a_plain_function_is_registered_under_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, "def plain_one(response, source):\n    return float(source in response)\n")
    assert load_plugin(f"{path}:plain_one") == "plain_one"
    assert find_kind("plain_one").function("a b", "a") == 1.0


def test_a_decorated_function_keeps_its_decorator_s_name_and_settings(tmp_path: Path) -> None:
    text = "from rewards import reward\n@reward('fancy', timeout_s=7, gate=True, floor=-1)\n"
    text += "def f(response): return 1\n"
    assert load_plugin(f"{write(tmp_path, text)}:f") == "fancy"
    kind = find_kind("fancy")
    assert (kind.timeout_s, kind.gate, kind.floor) == (7, True, -1)


def test_the_text_is_enough_where_there_is_no_such_file() -> None:
    plugin = PluginSource("/nowhere/at/all.py", "from_text", "def from_text(response):\n    return 0.5\n")
    assert load_source(plugin) == "from_text"


def test_a_file_may_import_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_reward.py").write_text("VALUE = 0.75\n")
    text = "from neighbour_of_reward import VALUE\ndef with_neighbour(response):\n    return VALUE\n"
    assert find_kind(load_plugin(f"{write(tmp_path, text)}:with_neighbour")).function("") == 0.75


def test_loading_again_after_an_edit_takes_the_new_text(tmp_path: Path) -> None:
    path = write(tmp_path, "def edited(response):\n    return 0.0\n")
    load_plugin(f"{path}:edited")
    write(tmp_path, "def edited(response):\n    return 1.0\n")
    assert find_kind(load_plugin(f"{path}:edited")).function("") == 1.0


@pytest.mark.parametrize(
    ("reference", "word"),
    [
        ("no_colon.py", "path/to/file.py:function"),
        ("absent.py:f", "no file"),
        (":f", "path/to/file.py:function"),
    ],
)
def test_a_wrong_reference_names_the_mend(reference: str, word: str) -> None:
    with pytest.raises(RewardError, match=word):
        read_plugin(reference)


def test_an_absent_function_names_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "def keeps_numbers(response):\n    return 1\n")
    with pytest.raises(RewardError, match="keeps_numbers"):
        load_plugin(f"{path}:keep_numbers")


def test_a_file_that_raises_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "import no_such_package_here\n")
    with pytest.raises(RewardError, match="no_such_package_here"):
        load_plugin(f"{path}:f")


def test_two_rewards_of_one_name_are_refused() -> None:
    def first(response: str) -> float:
        return 1.0

    def second(response: str) -> float:
        return 0.0

    reward("taken_name")(first)
    with pytest.raises(RewardError, match="taken_name"):
        register(RewardKind("taken_name", second))
