from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import BudgetError, UsageError
from lowvox.memory import limit, meter
from lowvox.memory.limit import Ceiling, Limits, TreeGauge

MB = meter.MB
HEAD = """
from lowvox.errors import BudgetError
from lowvox.memory import limit
from lowvox.memory.limit import Limit, current, limited
MB = 2**20
"""


class Tree:
    """A process tree that takes what it is told to take."""

    def __init__(self, taken: int = 100) -> None:
        self.taken = taken
        self.spike = 0
        self.error = 0  # of a reading that is no measurement

    def __call__(self, whole: bool) -> tuple[int, int]:
        spike, self.spike = self.spike, 0
        return self.taken + (0 if whole else self.error), spike


@pytest.fixture(autouse=True, scope="module")
def unwatched() -> Iterator[None]:
    """Tests that tell what the tree takes also say when it is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limit, "INTERVAL_S", 3600)
        yield


@pytest.fixture
def tree() -> Tree:
    return Tree()


@pytest.fixture
def limits(tree: Tree) -> Limits:
    return Limits(tree)


def run(code: str) -> str:
    """Run code in a process of its own, for which alone the kernel keeps a record of the largest RSS."""
    code = HEAD + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_limit_nothing_is_limited() -> None:
    assert limit.current() is None
    assert limit.spare() is None
    limit.check()


def test_the_smallest_limit_holds_in_whatever_order_they_are_left(limits: Limits) -> None:
    for order in permutations((500, 200, 300)):
        entered = {size: limits.limited(size) for size in (500, 200, 300)}
        for context in entered.values():
            context.__enter__()
        left = set(entered)
        for size in order:
            assert limits.current() == min(left)
            entered[size].__exit__(None, None, None)
            left.remove(size)
        assert limits.current() is None


@given(st.lists(st.tuples(st.booleans(), st.integers(100, 900), st.integers(0, 900)), max_size=12))
def test_any_history_leaves_the_truth(steps: list[tuple[bool, int, int]]) -> None:
    tree = Tree(0)
    limits = Limits(tree)
    inside: list[tuple[int, int, ExitStack]] = []
    for enters, size, taken in steps:
        tree.taken = taken
        limits.look()
        inside = [(limit, max(peak, taken), stack) for limit, peak, stack in inside]
        if enters:
            stack = ExitStack()
            try:
                stack.enter_context(limits.limited(size))
            except BudgetError:
                assert taken > size
            else:
                assert taken <= size
                inside.append((size, taken, stack))
        elif inside:
            allowed, peak, stack = inside.pop(size % len(inside))
            try:
                stack.close()
            except BudgetError as error:
                assert (error.needed, error.budget) == (peak, allowed)
                assert peak > allowed
            else:
                assert peak <= allowed
        assert limits.current() == min((limit for limit, *_ in inside), default=None)
    for *_, stack in inside:
        stack.__exit__(KeyError, KeyError(), None)
    assert limits.current() is None


@pytest.mark.parametrize("size", [0, -1])
def test_a_limit_must_allow_something(limits: Limits, size: int) -> None:
    with pytest.raises(UsageError, match=f"A limit of {size} bytes"), limits.limited(size):
        pass


def test_what_takes_more_already_is_refused_and_nothing_stays(tree: Tree, limits: Limits) -> None:
    tree.taken = 600 * MB
    with pytest.raises(BudgetError, match=r"take 600 MB already, the limit is 500 MB; nothing was begun\. .* 630 MB"):
        limits.limited(500 * MB).__enter__()
    assert limits.current() is None
    assert limits._watched is None


def test_idle_memory_goes_before_anything_is_refused(tree: Tree, limits: Limits) -> None:
    asked = []

    def give(excess: int) -> None:
        asked.append((excess, limits.current()))
        tree.taken -= excess

    limits.subscribe(give)
    tree.taken = 600
    with limits.limited(500) as inside:
        assert asked == [(100, 500)]
        assert inside.peak == 500  # what was before is not held against it


def test_who_no_longer_subscribes_is_not_asked(limits: Limits) -> None:
    asked: list[int] = []
    end = limits.subscribe(asked.append)
    end()
    end()
    with limits.limited(500):
        pass
    assert asked == []


def test_a_change_is_told(limits: Limits) -> None:
    seen: list[tuple[int, int | None]] = []
    limits.subscribe(lambda excess: seen.append((excess, limits.current())))
    with limits.limited(500), limits.limited(300):
        pass
    assert seen == [(0, 500), (0, 300), (0, 500), (0, None)]


def test_idle_memory_is_asked_for_each_time_the_limit_comes_nearer(tree: Tree, limits: Limits) -> None:
    with limits.limited(1000):
        asked: list[int] = []
        limits.subscribe(asked.append)
        for taken in (900, 950, 960, 100, 950):
            tree.taken = taken
            limits.look()
        assert asked == [50, 50]
        tree.taken = 990
        limits.look()
        assert asked == [50, 50]


def test_a_block_that_passed_its_limit_ends_with_the_error(tree: Tree, limits: Limits) -> None:
    text = r"took 700 MB at its peak, the limit is 500 MB\. .* 735 MB or more"
    with pytest.raises(BudgetError, match=text) as caught, limits.limited(500 * MB):
        tree.taken = 700 * MB
        limits.look()
        tree.taken = 100 * MB
    assert (caught.value.needed, caught.value.budget) == (700 * MB, 500 * MB)
    assert limits.current() is None


def test_a_spike_counts(tree: Tree, limits: Limits) -> None:
    with pytest.raises(BudgetError, match="at its peak"), limits.limited(500):
        tree.spike = 450
    tree.spike = 450  # from before
    with limits.limited(500) as inside:
        pass
    assert inside.peak == 100


def test_nobody_is_judged_by_an_estimate(tree: Tree, limits: Limits) -> None:
    tree.error = 30
    with limits.limited(500) as inside:
        tree.taken = 480
        limits.look()
        assert inside.peak == 480
        tree.taken = 300
        limits.look()
    assert inside.peak == 480


def test_another_error_is_not_hidden(tree: Tree, limits: Limits) -> None:
    with pytest.raises(KeyError), limits.limited(500):
        tree.taken = 700
        raise KeyError
    assert limits.current() is None


def test_what_is_left_and_whether_it_is_passed(tree: Tree, limits: Limits) -> None:
    with pytest.raises(BudgetError, match="at its peak"), limits.limited(500 * MB):
        tree.taken = 480 * MB
        assert limits.spare() == 20 * MB
        limits.check()
        tree.taken = 520 * MB
        assert limits.spare() == -20 * MB
        with pytest.raises(BudgetError, match="take 520 MB, the limit in force is 500 MB"):
            limits.check()


def test_the_gauge_reads_the_real_tree() -> None:
    gauge = TreeGauge()
    now, gone = gauge(True)
    assert gone >= 0
    assert now == pytest.approx(limit.Limit.used(), rel=0.2)
    assert gauge(False)[0] == pytest.approx(now, rel=0.2)


def test_hard_is_refused_where_it_cannot_be_kept(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="Only Linux"), limits.limited(500, hard=True):
        pass


def test_a_short_spike_of_real_memory_is_found() -> None:
    out = run("""
        try:
            with limited(Limit.used() + 50 * MB) as inside:
                bytearray(b"x" * 80 * MB)
        except BudgetError as error:
            print(error.needed - error.budget > 20 * MB, inside.peak == error.needed, current())
    """)
    assert out == "True True None\n"


def test_the_watcher_asks_for_idle_memory_and_it_goes() -> None:
    out = run("""
        import threading
        idle, gone = [], threading.Event()
        def give(excess):
            if excess and idle:
                idle.clear()
                gone.set()
        limit.subscribe(give)
        with limited(Limit.used() + 100 * MB) as inside:
            idle.append(b"x" * (46 * MB))
            mine = b"x" * (48 * MB)
            print(gone.wait(60), inside.used() < inside.bytes - 30 * MB)
    """)
    assert out == "True True\n"


def test_the_watcher_ends_with_the_last_limit() -> None:
    out = run("""
        import threading
        with limited(10**12):
            with limited(10**12):
                print(threading.active_count())
            print(threading.active_count())
        print(threading.active_count())
    """)
    assert out == "2\n2\n1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can make allocations fail")
def test_hard_makes_allocations_fail_and_is_put_back() -> None:
    out = run("""
        import resource, threading
        before = resource.getrlimit(resource.RLIMIT_DATA)
        fill = lambda size: len(bytearray(size * MB))
        with limited(Limit.used() + 300 * MB, hard=True):
            lowered = resource.getrlimit(resource.RLIMIT_DATA)
            with limited(Limit.used() + 50 * MB, hard=True):
                print(resource.getrlimit(resource.RLIMIT_DATA) < lowered)
                try:
                    fill(60)
                except MemoryError as error:
                    print(type(error).__name__)
                print(fill(30) == 30 * MB)
            print(resource.getrlimit(resource.RLIMIT_DATA) == lowered, fill(60) == 60 * MB)
            try:
                fill(400)
            except MemoryError as error:
                print(type(error).__name__)
        print(resource.getrlimit(resource.RLIMIT_DATA) == before, fill(400) == 400 * MB)
    """)
    assert out.split() == ["True", "MemoryError", "True", "True", "True", "MemoryError", "True", "True"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can make allocations fail")
def test_hard_fails_numpy_cleanly_and_leaves_the_user_s_own_lower_limit() -> None:
    out = run("""
        import resource, numpy
        own = limit._mapped() + 100 * MB
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (own, most))
        with limited(Limit.used() + 900 * MB, hard=True):
            print(resource.getrlimit(resource.RLIMIT_DATA)[0] == own)
            try:
                numpy.ones(200 * MB, "u1")
            except MemoryError as error:
                print(type(error).__module__.split(".")[0])
        print(resource.getrlimit(resource.RLIMIT_DATA)[0] == own)
    """)
    assert out.split() == ["True", "numpy", "True"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_is_mapped_is_what_the_kernel_says() -> None:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmData"))
    assert limit._mapped() == pytest.approx(int(line.split()[1]) * 1024, rel=0.1)


def test_a_ceiling_that_was_never_set_is_left_alone() -> None:
    Ceiling().set(None)
