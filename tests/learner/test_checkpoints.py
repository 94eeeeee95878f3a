"""Resumable states around a trainer that writes one file when it is told to; with real ranks: test_group.py."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
import torch

from dragoman.learner.checkpoints import SnapshotFailed, Snapshots, latest_step, publish, remove_older, tag_of, work_tag
from dragoman.learner.host_copy import HostCopy, to_host


class Trainer:
    """Its state is a text; a write waits until `go` is set."""

    def __init__(self):
        self.text, self.go, self.error = "", asyncio.Event(), None

    async def copy_checkpoint(self, folder, tag):
        self.copied = folder / tag / "state", self.text

    async def write_checkpoint(self):
        await self.go.wait()
        if self.error:
            raise self.error
        file, text = self.copied
        file.write_text(text)

    async def load_checkpoint(self, folder, tag):
        self.text = (folder / tag / "state").read_text()


def test_only_published_states_count_and_all_but_the_newest_go(tmp_path):
    for step in (10, 20):
        (tmp_path / work_tag(step)).mkdir()
        (tmp_path / work_tag(step) / "w").write_text(str(step))
        publish(tmp_path, step)
    (tmp_path / work_tag(30)).mkdir()  # killed while writing
    assert latest_step(tmp_path) == 20
    remove_older(tmp_path)
    assert (tmp_path / tag_of(20) / "w").read_text() == "20"
    assert not (tmp_path / tag_of(10)).exists()


def test_training_goes_on_while_a_state_is_written_and_the_state_is_that_of_the_boundary(tmp_path):
    async def scenario():
        trainer = Trainer()
        snapshots = Snapshots(trainer, tmp_path)
        trainer.text = "after 1"
        await snapshots.take(1, {"beside": b"controller"})
        trainer.text = "after 2"
        before = latest_step(tmp_path)
        trainer.go.set()
        await snapshots.written()
        assert await snapshots.load() == 1
        return before, trainer.text

    assert asyncio.run(scenario()) == (None, "after 1")
    assert (tmp_path / tag_of(1) / "beside").read_bytes() == b"controller"


def test_the_next_state_and_every_read_wait_for_the_one_in_flight(tmp_path):
    async def scenario():
        trainer = Trainer()
        snapshots = Snapshots(trainer, tmp_path)
        await snapshots.take(1)
        second, read = asyncio.create_task(snapshots.take(2)), asyncio.create_task(snapshots.load())
        await asyncio.sleep(0.05)
        waited = not second.done() and not read.done() and not (tmp_path / work_tag(2)).exists()
        trainer.go.set()
        await asyncio.gather(second, read)
        await snapshots.written()
        both = sorted(path.name for path in tmp_path.iterdir())
        await snapshots.finish()
        return waited, both, sorted(path.name for path in tmp_path.iterdir())

    waited, both, left = asyncio.run(scenario())
    assert waited
    # ranks that are started again may be reading the one before, so it goes when the next is begun, or at the end
    assert both == [tag_of(1), tag_of(2)]
    assert left == [tag_of(2)]


def test_a_write_that_fails_is_told_by_name_and_leaves_the_newest_whole_one(tmp_path):
    async def scenario():
        trainer = Trainer()
        trainer.go.set()
        snapshots = Snapshots(trainer, tmp_path)
        await snapshots.take(1)
        await snapshots.written()
        trainer.error = OSError(28, "No space left on device")
        await snapshots.take(2)
        await asyncio.sleep(0.05)
        with pytest.raises(SnapshotFailed, match=r"after step 2 could not be written.*No space left.*is step_00000001"):
            snapshots.check()
        with pytest.raises(SnapshotFailed):
            await snapshots.finish()

    asyncio.run(scenario())
    assert latest_step(tmp_path) == 1


KILLED_AMID_A_WRITE = """
import asyncio, sys
from pathlib import Path
from dragoman.learner.checkpoints import Snapshots

class Trainer:
    written = 0
    async def copy_checkpoint(self, folder, tag):
        self.file = folder / tag / "state"
    async def write_checkpoint(self):
        self.written += 1
        self.file.write_text("whole" if self.written == 1 else "ha")
        if self.written == 2:
            print("writing", flush=True)
            await asyncio.sleep(600)

async def main():
    snapshots = Snapshots(Trainer(), Path(sys.argv[1]))
    await snapshots.take(1)
    await snapshots.take(2)
    await snapshots.written()

asyncio.run(main())
"""


def test_a_kill_amid_a_write_leaves_the_newest_whole_one(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED_AMID_A_WRITE, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (tmp_path / work_tag(2) / "state").read_text() == "ha"
    trainer = Trainer()
    assert asyncio.run(Snapshots(trainer, tmp_path).load()) == 1
    assert trainer.text == "whole"


def test_a_copy_shares_nothing_with_the_state_and_keeps_what_is_shared_in_it(tmp_path):
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 2), "b": torch.nn.Linear(3, 2)})
    model["b"].weight = model["a"].weight
    flat = torch.arange(10.0)
    state = {"module": model.state_dict(), "optimiser": [{"moment": flat[2:5], "lr": 0.1}], "step": 3}
    copy = HostCopy(tmp_path)
    copy.add("state.pt", state)
    # weight 6 numbers once, two biases of 2, a moment of 3
    assert copy.size_bytes == 4 * (6 + 2 + 2 + 3)
    with torch.no_grad():
        model["a"].weight.fill_(7)
        flat.zero_()
    copy.write()
    read = torch.load(tmp_path / "state.pt", weights_only=False)
    assert read["optimiser"][0]["moment"].tolist() == [2.0, 3.0, 4.0]
    assert read["optimiser"][0]["lr"] == 0.1 and read["step"] == 3
    assert not (read["module"]["a.weight"] == 7).any()
    assert read["module"]["a.weight"].data_ptr() == read["module"]["b.weight"].data_ptr()
    assert read["module"]._metadata == model.state_dict()._metadata
    assert copy.size_bytes == 0


def test_where_nothing_is_kept_a_file_is_on_disk_at_once(tmp_path):
    copy = HostCopy(tmp_path, kept=False)
    copy.add("state.pt", {"weight": torch.ones(2)})
    assert copy.size_bytes == 0
    assert torch.load(tmp_path / "state.pt")["weight"].tolist() == [1.0, 1.0]


def test_a_tuple_and_a_record_are_copied_as_what_they_are():
    state = ((torch.ones(1), 2), [None, torch.Size([3])])
    copied = to_host(state)
    assert torch.equal(copied[0][0], torch.ones(1)) and copied[0][1] == 2
    assert copied[1] == [None, torch.Size([3])] and type(copied[1][1]) is torch.Size
