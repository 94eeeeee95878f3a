import threading

import pytest
import torch

from dragoman.learner.trainer import Channel
from dragoman.learner.weight_channel import checksum, open_channel, plan_buckets, receive, send

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
        own, begun = open_channel(channel, rank), {}
        received = [receive(own, bucket, begun) for bucket in buckets]
        got[rank] = [item for named, _ in received for item in named], [checked for _, checked in received]

    threads = [threading.Thread(target=receiver, args=(rank,)) for rank in (1, 2)]
    for thread in threads:
        thread.start()
    own = open_channel(channel, 0)
    sent = [send(own, bucket, [tensors[name] for name in bucket.names]) for bucket in buckets]
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
