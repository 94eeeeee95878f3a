"""The drawing of rooms and arrows in docs/design.md is what the imports are."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from test_architecture import FOUNDATION, ROOMS, ROOT, imported_rooms, modules

BLOCK = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
ARROW = re.compile(r"^\s*(\w+) --> (\w+)$", re.MULTILINE)


def drawn():
    (block,) = BLOCK.findall((ROOT / "docs" / "design.md").read_text(encoding="utf-8"))
    arrows = ARROW.findall(block)
    assert len(arrows) == block.count("-->") == len(set(arrows))
    return set(arrows)


def imported():
    """Arrows between rooms, the foundation taken as one of them."""
    box = dict.fromkeys(FOUNDATION, "foundation")
    arrows = {
        (box.get(room, room), box.get(other, other))
        for room in ROOMS for path in modules(room) for other in imported_rooms(path)
    }  # fmt: skip
    return {(room, other) for room, other in arrows if room != other}


def reachable(arrows, start):
    found, waiting = set(), [start]
    while waiting:
        here = waiting.pop()
        new = {b for a, b in arrows if a == here} - found
        found |= new
        waiting += new
    return found


def test_every_import_is_drawn_or_follows_from_what_is_drawn():
    arrows = drawn()
    assert not [(room, other) for room, other in imported() if other not in reachable(arrows, room)]


def test_every_drawn_arrow_is_an_import():
    assert not drawn() - imported()


def test_no_arrow_is_drawn_that_follows_from_others():
    arrows = drawn()
    assert not [(room, other) for room, other in arrows if other in reachable(arrows - {(room, other)}, room)]


def test_every_room_is_in_the_table_of_tasks():
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = text[text.index("| room | task |") : text.index("`rl/train.py` and `pretrain_sft/train.py` are")]
    assert not [room for room in ROOMS if not re.search(rf"`(?:dragoman/)?{room}(?:\.py)?`", table)]
