import numpy as np
import pytest

from dragoman.learner.packing import SequenceTooLong, TokenSequence, pack, padding_share, unpack


def sequences(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [
        TokenSequence(
            rng.integers(1, 99, n).astype(np.int32), {"loss_mask": np.arange(n, dtype=np.float32)}, f"row {i}"
        )
        for i, n in enumerate(lengths)
    ]


def documents(batches):
    """{order index: (tokens, positions, mask)} of everything packed."""
    found = {}
    for rank in batches:
        for b in rank:
            for local, index in enumerate(b.order):
                here = b.sequence_ids == local
                assert index not in found
                found[index] = (b.token_ids[here], b.position_ids[here], b.channels["loss_mask"][here])
    return found


@pytest.mark.parametrize("ranks,rows", [(1, 1), (1, 4), (3, 2)])
def test_every_sequence_is_packed_once_with_its_channels_and_fresh_positions(ranks, rows):
    items = sequences([5, 30, 12, 1, 17, 8, 30, 2, 9])
    batches = pack([(s,) for s in items], ranks=ranks, row_tokens=32, rows_per_micro_batch=rows)
    found = documents(batches)
    assert sorted(found) == list(range(len(items)))
    for i, item in enumerate(items):
        tokens, positions, mask = found[i]
        assert tokens.tolist() == item.token_ids.tolist()
        assert positions.tolist() == list(range(len(item.token_ids)))
        assert mask.tolist() == item.channels["loss_mask"].tolist()
    assert {len(rank) for rank in batches} == {len(batches[0])}  # collectives need equal counts


def test_a_unit_shares_a_micro_batch_in_order():
    items = sequences([6, 7, 20, 3, 9, 9])
    pairs = [(items[0], items[1]), (items[2], items[3]), (items[4], items[5])]
    for rank in pack(pairs, ranks=2, row_tokens=24, rows_per_micro_batch=1):
        for b in rank:
            assert [i % 2 for i in b.order] == [0, 1] * (b.sequences // 2)
            assert all(b.order[k] + 1 == b.order[k + 1] for k in range(0, b.sequences, 2))


def test_unpack_restores_order_and_lengths():
    items = sequences([4, 19, 7, 7, 25])
    batches = pack([(s,) for s in items], ranks=2, row_tokens=32, rows_per_micro_batch=2)
    values = [[b.channels["loss_mask"] for b in rank] for rank in batches]
    for item, value in zip(items, unpack(batches, values), strict=True):
        assert value.tolist() == item.channels["loss_mask"].tolist()


def test_padding_is_counted():
    batches = pack([(s,) for s in sequences([3, 2])], ranks=1, row_tokens=3, rows_per_micro_batch=2)
    assert padding_share(batches) == pytest.approx(1 / 6)


def test_ranks_get_equal_work():
    lengths = [40] * 20 + [25] * 10  # 1,050 tokens: five rows of 256 would give one rank three and the other two
    batches = pack([(s,) for s in sequences(lengths)], ranks=2, row_tokens=256, rows_per_micro_batch=8)
    sizes = [sum(b.token_ids.size for b in rank) for rank in batches]
    assert sizes[0] == sizes[1]
    assert padding_share(batches) < 0.08


def test_little_is_wasted_on_sequences_of_very_different_lengths():
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(3.5, 0.8, 512).astype(int), 1, 256).tolist()
    batches = pack([(s,) for s in sequences(lengths)], ranks=1, row_tokens=256, rows_per_micro_batch=8)
    assert padding_share(batches) < 0.05


def test_a_pair_longer_than_a_row_gets_longer_rows():
    long, short = sequences([30, 25]), sequences([5, 4, 6, 3])
    units = [(short[0], short[1]), tuple(long), (short[2], short[3])]
    (batches,) = pack(units, ranks=1, row_tokens=32, rows_per_micro_batch=4)
    assert max(b.token_ids.shape[1] for b in batches) == 55
    found = unpack([batches], [[b.token_ids for b in batches]])
    expected = [s.token_ids for unit in units for s in unit]
    assert all((a == b).all() for a, b in zip(found, expected, strict=True))
    with pytest.raises(SequenceTooLong, match=r"needs 33 tokens, a row holds 32"):
        pack([tuple(sequences([33, 2]))], ranks=1, row_tokens=32, rows_per_micro_batch=1)


def test_too_long_names_the_row_and_the_mend():
    with pytest.raises(SequenceTooLong, match=r"row 0 needs 40 tokens, a row holds 32.*learner\.row_tokens"):
        pack([(s,) for s in sequences([40])], ranks=1, row_tokens=32, rows_per_micro_batch=1)
