from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.line import Seen, fitted
from lowvox.types import Footprint

MB = 2**20
sizes = st.integers(0, 64 * MB)


@st.composite
def seen(draw: st.DrawFn) -> tuple[Seen, int]:
    """What a process could show, and how many of its streams worked at once."""
    count = draw(st.integers(1, 5))
    opened = [draw(sizes)]
    for _ in range(count - 1):
        opened.append(opened[-1] + draw(sizes))
    loaded = draw(st.integers(0, opened[0]))
    short = opened[-1] + draw(sizes)
    kept = draw(st.integers(0, short - opened[-1])) if count > 1 else 0
    long = short + draw(sizes)
    runs = draw(st.integers(1, count))
    together = long + draw(sizes) if runs > 1 else long
    return Seen(loaded, tuple(opened), short, long, together, kept), runs


@given(seen())
def test_the_sums_give_back_every_peak_that_was_seen(case: tuple[Seen, int]) -> None:
    what, runs = case
    resident, stream, work, slope = fitted(what, runs, 10.0)
    found = Footprint(resident, stream, work, 0.0, slope=slope, longest=20.0)
    count = len(what.opened)
    assert min(resident, stream, work, slope) >= 0
    assert found.peak(count, 1) >= what.long
    assert found.peak(count, runs) >= what.together
    assert found.peak(count, 1, length=10.0) >= what.short - 1
    assert resident + count * stream >= what.opened[-1]


def test_nothing_is_counted_twice() -> None:
    # 30 for the library, 2 for what only the first stream takes, 5 for each, 1 kept by each after its work, 8 to work.
    what = Seen(loaded=30, opened=(37, 42, 47), short=53, long=57, together=73, kept=2)
    resident, stream, work, slope = fitted(what, 3, 4.0)
    assert (resident, stream, work, slope) == (31, 6, 8, 1.0)
    found = Footprint(resident, stream, work, 0.0)
    assert found.peak(3, 3) == what.together
    assert found.peak(3, 1) == what.long


def test_what_only_the_first_run_takes_is_counted_once() -> None:
    what = Seen(loaded=30, opened=(30, 30), short=60, long=60, together=65, kept=0)
    assert fitted(what, 2, 0.0) == (55, 0, 5, 0.0)


def test_further_runs_that_take_more_than_the_first_raise_them_all() -> None:
    what = Seen(loaded=30, opened=(30, 30), short=35, long=35, together=50, kept=0)
    assert fitted(what, 2, 0.0) == (30, 0, 10, 0.0)


def test_a_single_stream_is_not_taken_apart() -> None:
    what = Seen(loaded=10, opened=(90,), short=100, long=115, together=115, kept=0)
    assert fitted(what, 1, 10.0) == (10, 80, 25, 1.5)
