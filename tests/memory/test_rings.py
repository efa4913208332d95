from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.rings import SIZE, Entry, Ring, parse

sizes = st.integers(0, 2**62)
moments = st.lists(st.tuples(st.floats(0.001, 3.0), sizes), min_size=1, max_size=60)


def entry(time: float, pss: int) -> Entry:
    return Entry(time, pss, pss, pss, time, pss)


@given(moments, st.integers(1, 12), st.sampled_from([0.5, 1, 10]))
def test_each_period_keeps_its_last_sample_and_its_peak(
    steps: list[tuple[float, int]], length: int, period: float
) -> None:
    ring = Ring(period, length)
    expected: dict[int, list[Entry]] = {}
    at = 0.0
    for step, pss in steps:
        at += step
        sample = entry(at, pss)
        ring.feed(at, sample)
        expected.setdefault(int(at // period), []).append(sample)
    latest = [group[-1]._replace(peak=max(one.peak for one in group)) for group in expected.values()][-length:]
    assert ring.entries() == latest
    assert len(ring.buffer) == length * SIZE  # however long it runs
    assert all(one.time < other.time for one, other in pairwise(ring.entries()))


def test_what_is_over_is_told_once() -> None:
    ring = Ring(1, 3)
    told = [ring.feed(at, entry(at + 1, 5)) for at in (0.1, 0.9, 1.5, 4.0, 4.5, 5.5, 6.5)]
    assert told == [None, None, 0, 1, None, 2, 0]


def test_a_record_is_its_place_in_the_buffer() -> None:
    ring = Ring(1, 4)
    for at in range(6):
        ring.feed(at, entry(at + 1, at))
    assert b"".join(map(ring.record, range(4))) == bytes(ring.buffer)
    assert sorted(parse(bytes(ring.buffer))) == ring.entries()


@given(st.binary(max_size=5 * SIZE))
def test_anything_can_be_read(content: bytes) -> None:
    for found in parse(content):
        assert found.time > 0
        assert found.pss >= 0
