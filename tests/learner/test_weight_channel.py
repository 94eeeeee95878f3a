import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest
import torch

from dragoman.learner.trainer import Channel
from dragoman.learner.transports import open_end
from dragoman.learner.transports.shared_memory import SharedMemoryEnd
from dragoman.learner.weight_channel import checksum, plan_buckets, receive, send

PARAMETERS = [("a", (4, 4), "float32"), ("b", (8,), "float32"), ("c", (100,), "float32"), ("d", (2,), "bfloat16")]


def test_buckets_are_full_in_order_and_of_one_dtype():
    buckets = plan_buckets(PARAMETERS, limit_bytes=100)  # 25 float32
    assert [[(p.name, p.begin, p.end) for p in b.pieces] for b in buckets] == [
        [("a", 0, 16), ("b", 0, 8), ("c", 0, 1)],
        [("c", 1, 26)],
        [("c", 26, 51)],
        [("c", 51, 76)],
        [("c", 76, 100)],
        [("d", 0, 2)],
    ]
    assert [b.elements for b in buckets] == [25, 25, 25, 25, 24, 2]
    assert [b.names for b in plan_buckets(PARAMETERS[:3], 1 << 20)] == [("a", "b", "c")]


@pytest.mark.parametrize("limit", [1, 4, 12, 100, 496, 500])
def test_there_are_no_more_buckets_than_the_bytes_ask_for(limit):
    floats = max(1, limit // 4)
    assert len(plan_buckets(PARAMETERS[:3], limit)) == -(-124 // floats)


def test_checksum_sees_a_flipped_bit_and_not_only_values():
    a = torch.tensor([0.0, 1.0, -2.5])
    b = a.clone()
    b[0] = -0.0  # equal as a number
    assert checksum(a) != checksum(b)
    assert checksum(a) == checksum(a.clone())
    assert checksum(a.to(torch.bfloat16)) != 0


@pytest.mark.parametrize("limit", [1 << 20, 100, 44])
def test_parameters_arrive_whole_with_names_and_equal_checksums(limit):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        channel = Channel("127.0.0.1", probe.getsockname()[1], 3)
    tensors = {"a": torch.randn(4, 4), "b": torch.randn(8), "c": torch.randn(100)}
    buckets = plan_buckets(PARAMETERS[:3], limit)
    got = {}

    def receiver(rank):
        own, begun = open_end(channel, rank), {}
        received = [receive(own, bucket, begun) for bucket in buckets]
        got[rank] = [item for named, _ in received for item in named], [checked for _, checked in received]

    threads = [threading.Thread(target=receiver, args=(rank,)) for rank in (1, 2)]
    for thread in threads:
        thread.start()
    own = open_end(channel, 0)
    sent = [send(own, bucket, [tensors[name] for name in bucket.names]).checksum for bucket in buckets]
    for thread in threads:
        thread.join(30)
    for rank in (1, 2):
        named, checked = got[rank]
        assert checked == sent
        assert [name for name, _ in named] == ["a", "b", "c"]
        assert all(torch.equal(tensor, tensors[name]) for name, tensor in named)


def test_a_tensor_that_does_not_fit_its_bucket_is_an_error():
    bucket = plan_buckets(PARAMETERS[:1], 1 << 20)[0]
    with pytest.raises(RuntimeError, match=r"a has the shape \(3,\), planned \(4, 4\)"):
        send(None, bucket, [torch.zeros(3)])


FETCHER = multiprocessing.get_context("spawn")


def fetch(buckets, pipe):
    """Another process: what it fetches, bucket by bucket, as its neighbour says where they are."""
    end, begun, named = SharedMemoryEnd(), {}, []
    for bucket in buckets:
        found, checked = receive(end, bucket, begun, pipe.recv())
        named += [(name, tensor.tolist()) for name, tensor in found]
        pipe.send(checked)
    pipe.send(named)


@pytest.mark.parametrize("limit", [1 << 20, 100, 44])
def test_another_process_finds_equal_values_in_shared_memory(limit):
    tensors = {"a": torch.randn(4, 4), "b": torch.randn(8), "c": torch.randn(100), "d": torch.randn(2).bfloat16()}
    buckets, (ours, theirs) = plan_buckets(PARAMETERS, limit), FETCHER.Pipe()
    process = FETCHER.Process(target=fetch, args=(buckets, theirs))
    process.start()
    end = SharedMemoryEnd()
    for bucket in buckets:  # nobody waits for the one who fetches: two places, and this one says when it is done
        sent = send(end, bucket, [tensors[name] for name in bucket.names])
        ours.send(sent.place)
        assert ours.recv() == sent.checksum
    found = dict(ours.recv())
    process.join(30)
    assert list(found) == ["a", "b", "c", "d"]
    assert all(torch.equal(torch.tensor(found[name]), tensors[name].float()) for name in found)


def test_two_buckets_lie_beside_each_other_and_what_was_fetched_stays_when_they_are_overwritten():
    one, two = SharedMemoryEnd(), SharedMemoryEnd()
    places = [one.send([torch.full((3,), float(value))])[1] for value in (1, 2)]
    held = [two.receive(3, torch.float32, place) for place in places]
    one.send([torch.full((3,), 3.0)])
    assert [tensor.tolist() for tensor in held] == [[1.0] * 3, [2.0] * 3]


def test_a_larger_bucket_gets_a_larger_segment():
    one, two = SharedMemoryEnd(), SharedMemoryEnd()
    for size in (3, 3, 5000, 5000, 4):
        values = torch.randn(size)
        assert torch.equal(two.receive(size, torch.float32, one.send([values])[1]), values)


def holder(pipe):
    """Deposits 64 MiB and waits to be killed."""
    end = SharedMemoryEnd()
    pipe.send(end.send([torch.ones(16 << 20)])[1])
    pipe.recv()


def shared_kib():
    """Shared memory of the machine: segments without a name are counted here and nowhere else."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Shmem:"))


def test_no_segment_is_left_when_its_holder_is_killed_and_whoever_comes_then_is_told():
    before = set(os.listdir("/dev/shm"))
    ours, theirs = FETCHER.Pipe()
    process = FETCHER.Process(target=holder, args=(theirs,))
    process.start()
    place = ours.recv()
    held = shared_kib()
    assert not [name for name in set(os.listdir("/dev/shm")) - before if "dragoman" in name]
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    assert held - shared_kib() > 32 << 10
    with pytest.raises(RuntimeError, match=r"process \d+ holds in shared memory cannot be opened"):
        SharedMemoryEnd().receive(4, torch.float32, place)
