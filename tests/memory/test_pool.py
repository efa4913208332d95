from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lowvox.errors import UsageError
from lowvox.memory.pool import Pool, Shelf

MB = 2**20


@pytest.fixture
def pool() -> Pool:
    return Pool(10 * MB)


def address(array: NDArray[np.float32]) -> int:
    return int(array.__array_interface__["data"][0])


def test_the_same_memory_is_lent_again_without_a_copy(pool: Pool) -> None:
    seen = []
    for _ in range(3):
        with pool.borrow((40, 100)) as array:
            assert (array.shape, array.dtype.name) == ((40, 100), "float32")
            array[:] = 1
            seen.append(address(array))
    assert len(set(seen)) == 1
    assert (pool.kept().hits, pool.kept().misses, pool.unsafe) == (2, 1, 0)


def test_a_buffer_is_as_it_was_left_or_zeroed(pool: Pool) -> None:
    with pool.borrow(100, zeroed=True) as array:
        assert not array.any()
        array[:] = 7
    with pool.borrow(100) as array:
        assert (array == 7).all()
    with pool.borrow(100, zeroed=True) as array:
        assert not array.any()
    assert pool.kept().hits == 2


@pytest.mark.parametrize("other", [((100,), "int32"), ((10, 10), "float32"), ((101,), "float32")])
def test_another_shape_or_type_is_another_kind(pool: Pool, other: tuple[tuple[int, ...], str]) -> None:
    with pool.borrow(100):
        pass
    with pool.borrow(*other):
        pass
    with pool.borrow((100,), np.float32):
        pass
    assert (pool.kept().hits, pool.kept().kinds) == (1, 2)


def test_two_that_are_lent_at_once_are_two(pool: Pool) -> None:
    with pool.borrow(100) as one, pool.borrow(100) as two:
        assert not np.shares_memory(one, two)
    assert pool.kept().buffers == 2


def test_the_cap_holds_for_what_is_kept_and_does_not_limit_what_is_lent() -> None:
    pool = Pool(MB)
    with pool.borrow(3 * MB, "u1") as large, pool.borrow(MB // 2, "u1"), pool.borrow(MB // 3, "u1"):
        assert large.nbytes == 3 * MB
    kept = pool.kept()
    assert kept.bytes <= MB
    assert (kept.buffers, kept.dropped) == (2, 1)
    with pool.borrow(MB // 4, "u1"):
        pass
    assert pool.kept().bytes <= MB
    assert (pool.kept().buffers, pool.kept().dropped) == (2, 2)


def test_many_small_ones_count_with_what_keeping_them_costs() -> None:
    pool = Pool(100_000)
    for size in range(1000):
        with pool.borrow(size, "u1"):
            pass
    assert pool.kept().buffers < 200
    assert pool.kept().bytes <= 100_000


def test_what_was_not_used_for_longest_goes_first() -> None:
    pool = Pool(3500)
    for size in (1000, 1001, 1000, 1002):  # 1001 is used least recently
        with pool.borrow(size, "u1"):
            pass
    hits = pool.kept().hits
    for size in (1000, 1002):
        with pool.borrow(size, "u1"):
            pass
    assert pool.kept().hits == hits + 2
    with pool.borrow(1001, "u1"):
        pass
    assert pool.kept().hits == hits + 2


def test_clearing_gives_everything_back(pool: Pool) -> None:
    with pool.borrow(MB, "u1"):
        pass
    assert pool.clear() >= MB
    assert (pool.kept().bytes, pool.kept().kinds) == (0, 0)


def test_writing_after_the_block_is_an_error(pool: Pool) -> None:
    with pool.borrow(100) as array:
        pass
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    with pool.borrow(100) as array:  # under the same name, as in a loop
        array[0] = 1
    assert pool.kept().hits == 1


@pytest.mark.parametrize("keep", [lambda a: a[10:], lambda a: a[1:][1:], memoryview, lambda a: a, lambda a: a.T])
def test_what_something_still_refers_to_is_not_used_again(pool: Pool, keep: object) -> None:
    assert callable(keep)
    with pool.borrow(100) as array:
        array[:] = 1
        view = keep(array)
    assert (pool.unsafe, pool.kept().buffers) == (1, 0)
    with pool.borrow(100) as other:
        other[:] = 2
    assert (np.asarray(view) == 1).all()


def test_a_buffer_comes_back_after_an_error_too(pool: Pool) -> None:
    def work() -> None:
        with pool.borrow(100) as array:
            array[:] = 1
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            work()
    assert (pool.kept().hits, pool.unsafe) == (1, 0)


@pytest.mark.parametrize(
    ("shape", "dtype"), [(-1, "float32"), ((3, -1), "float32"), (10, object), (10, "no such type"), (10, "O")]
)
def test_what_cannot_be_lent_is_refused(pool: Pool, shape: int | tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UsageError, match="A pool cannot lend"), pool.borrow(shape, dtype):
        pass


def test_a_cap_is_not_negative() -> None:
    with pytest.raises(UsageError, match="cannot keep -1 bytes"):
        Pool(-1)


def test_a_pool_that_keeps_nothing_lends_all_the_same() -> None:
    pool = Pool(0)
    for _ in range(2):
        with pool.borrow(0) as array:
            assert array.size == 0
    assert (pool.kept().buffers, pool.kept().hits) == (0, 0)


def test_threads_never_share_a_buffer() -> None:
    pool = Pool(MB)
    wrong = []

    def work(mark: int) -> None:
        for _ in range(300):
            with pool.borrow(500, "int64") as array:
                array[:] = mark
                if (array != mark).any():
                    wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = pool.kept()
    assert not wrong
    assert kept.hits + kept.misses == 8 * 300
    assert 1 <= kept.buffers <= 8


@given(st.lists(st.tuples(st.sampled_from(["put", "take", "shrink"]), st.integers(0, 4)), max_size=60))
def test_a_shelf_keeps_what_was_put_and_never_more_than_its_cap(steps: list[tuple[str, int]]) -> None:
    shelf = Shelf(5000)
    there: Counter[int] = Counter()
    for step, kind in steps:
        if step == "put":
            shelf.put(kind, np.empty(300 * kind, "u1"))
            there[kind] += 1
        elif step == "take":
            buffer = shelf.take(kind)
            assert buffer is None or buffer.nbytes == 300 * kind
            there[kind] -= buffer is not None
        else:
            before = shelf.kept()
            dropped = shelf.shrink(before.bytes // 2, buffers=kind)
            after = shelf.kept()
            assert dropped == before.bytes - after.bytes
            assert after.bytes <= before.bytes // 2
            assert after.buffers <= kind
        kept = shelf.kept()
        assert kept.bytes <= 5000
        assert kept.buffers + kept.dropped == there.total()
