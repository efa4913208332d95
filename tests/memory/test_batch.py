from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lowvox.errors import UsageError
from lowvox.memory import meter
from lowvox.memory.batch import Batch, Line, best, highest, known, probe
from lowvox.types import Footprint

MB = meter.MB


@example(limit=0, fixed=0, per_item=0.25, most=3)
@example(limit=0, fixed=0, per_item=1e-300, most=1)
@given(
    limit=st.integers(-100, 10**12),
    fixed=st.integers(0, 10**12),
    per_item=st.one_of(st.just(0.0), st.floats(1e-300, 1e12)),
    most=st.integers(1, 1000),
)
def test_the_batch_is_the_largest_that_fits(limit: int, fixed: int, per_item: float, most: int) -> None:
    batch, line = best(limit, fixed, per_item, most), Line(fixed, per_item)
    assert 0 <= batch.size <= most
    assert batch.size == 0 or line.at(batch.size) <= limit
    assert batch.size == most or line.at(batch.size + 1) > limit


def test_the_reason_says_what_gives() -> None:
    assert best(300 * MB, 100 * MB, 25 * MB) == Batch(
        8, "8 take 300 MB of 300 MB (100 MB and 25 MB for each); one more would pass the limit."
    )
    assert best(300 * MB, 100 * MB, 25 * MB, most=4) == Batch(
        4, "4 take 200 MB of 300 MB (100 MB and 25 MB for each); no more are asked for."
    )
    assert best(100 * MB, 90 * MB, 12.5 * MB) == Batch(
        0, "Not even one fits: it would take 102.5 MB (90 MB and 12.5 MB for each), and the limit is 100 MB."
    )
    assert best(None, 10**15, 10**15) == Batch(32, "32: no limit is stated.")


def test_a_smaller_limit_never_gives_more() -> None:
    sizes = [best(limit * MB, 100 * MB, 7.3 * MB).size for limit in range(50, 500, 10)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (0, 32)


def test_a_batch_of_none_is_not_asked_for() -> None:
    with pytest.raises(UsageError, match="at most 0 items"):
        best(10, 1, 1, most=0)


def test_a_footprint_is_a_line_that_follows_the_length() -> None:
    footprint = Footprint(resident=100, stream=10, work=50, load_s=1, slope=2, longest=20)
    assert known(footprint) == Line(100, 60)
    assert known(footprint, 5) == Line(100, 30)
    assert known(footprint).at(3) == footprint.peak(3)


@given(st.integers(1, 5), st.integers(1, 40))
def test_streams_that_share_a_resident_are_never_underrated(capacity: int, size: int) -> None:
    footprint = Footprint(resident=1000, stream=10, work=50, load_s=1)
    takes = -(-size // capacity) * 1000 + size * 60
    line = known(footprint, capacity=capacity)
    assert takes - 1 <= line.at(size) < takes + 1000
    assert capacity > 1 or line.at(size) == takes


@pytest.mark.parametrize("sizes", [(0, 2), (2, 2), (3, 1)])
def test_two_different_sizes_are_measured(sizes: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="two sizes"):
        probe(lambda size: size, sizes)


def test_a_probe_finds_the_line_of_real_memory() -> None:
    def run(size: int) -> int:
        fixed = b"x" * (30 * MB)
        items = [b"x" * (5 * MB) for _ in range(size)]
        return len(fixed) + len(items)

    line = probe(run, (2, 8))
    assert line.fixed == pytest.approx(30 * MB, abs=3 * MB)
    assert line.per_item == pytest.approx(5 * MB, rel=0.15)


def test_what_only_the_first_run_loads_is_no_part_of_the_line() -> None:
    loaded: list[bytes] = []

    def run(size: int) -> int:
        if not loaded:
            loaded.append(b"x" * (60 * MB))
        return len(b"x" * (10 * MB * size))

    line = probe(run, (1, 3))
    assert line.fixed < 4 * MB
    assert line.per_item == pytest.approx(10 * MB, rel=0.2)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A process of the tree that takes 60 MB when it is told to."""
    code = "input(); block = b'x' * (60 * 2**20); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.communicate("\n")


def test_the_highest_counts_the_whole_tree(other: subprocess.Popen[str]) -> None:
    def work() -> None:
        assert other.stdin is not None
        assert other.stdout is not None
        print(file=other.stdin, flush=True)
        other.stdout.readline()

    before = meter.tree_usage().pss
    assert highest(work) > before + 50 * MB


def test_the_watch_ends_with_an_error_of_the_work() -> None:
    def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        highest(work)
