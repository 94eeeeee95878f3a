"""Which texts profit from best of n: by hand."""

from dragoman.evaluation.best_of_n import Judged, Tried, profiting


def tried(source, greedy, *samples, target="de"):
    judged = tuple(Judged(f"{source} {n}", value) for n, value in enumerate(samples))
    return Tried(source, "en", target, Judged(f"{source} greedy", greedy), judged)


def test_the_best_is_a_sample_only_where_one_earns_more():
    assert tried("a", 0.5, 0.4, 0.7, 0.6).best == Judged("a 1", 0.7)
    assert tried("a", 0.5, 0.5).best.text == "a greedy" and tried("a", 0.5, 0.5).gain == 0
    assert tried("a", 0.5).gain == 0


def test_those_that_gain_most_are_kept_none_without_a_gain():
    found = [tried("a", 0.5, 0.9), tried("b", 0.5, 0.6), tried("c", 0.5, 0.4), tried("d", 0.1, 0.8)]
    assert [one.source for one in profiting(found, 0.5)] == ["d", "a"]  # gains 0.7 and 0.4 of 4
    assert [one.source for one in profiting(found, 0.26)] == ["d", "a"]  # rounded up
    assert [one.source for one in profiting(found, 1)] == ["d", "a", "b"]
    assert profiting([], 0.5) == []


def test_texts_compete_within_their_direction_and_length():
    long = "a text of some thirty letters "
    found = [tried("short", 0.5, 0.6), tried(long, 0.1, 0.9), tried("short", 0.5, 0.55, target="fr")]
    assert {(one.source, one.target_language) for one in profiting(found, 0.1)} == {
        ("short", "de"), (long, "de"), ("short", "fr"),
    }  # fmt: skip
    assert tried("a" * 31, 0).peers != tried("a" * 32, 0).peers == tried("a" * 63, 0).peers
