"""The buffer of keys and values: what a graph sees of it, whatever the lengths of the runs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.pocket.cache import Cache
from lowvox.engines.pocket.layout import CacheFacts

LAYERS, HEADS, SIZE = 2, 3, 4


def made(first: int, count: int) -> dict[str, np.ndarray]:
    """What a run of `count` positions gives: numbers that say layer, kind and position."""
    return {
        f"new_{name}{layer}": np.full((count, HEADS, SIZE), 1000 * layer + 100 * at, np.float32)
        + np.arange(first, first + count, dtype=np.float32)[:, None, None]
        for layer in range(LAYERS)
        for at, name in enumerate("kv")
    }


def seen(cache: Cache) -> list[int]:
    """The positions that a graph sees, the same in every array."""
    feeds = cache.feeds()
    assert all(not rows[0].any() and rows.flags["C_CONTIGUOUS"] for rows in feeds.values())
    found = [
        (rows[1:, 0, 0] - 1000 * int(name[1:]) - 100 * "kv".index(name[0])).astype(int).tolist()
        for name, rows in feeds.items()
    ]
    assert all(one == found[0] for one in found)
    return list(found[0])


@given(st.lists(st.integers(0, 7), max_size=12), st.integers(1, 9))
def test_a_context_sees_the_last_positions(counts: list[int], context: int) -> None:
    cache = Cache(CacheFacts(LAYERS, HEADS, SIZE, context))
    for count in counts:
        cache.add(made(cache.position, count))
    assert cache.position == sum(counts)
    assert seen(cache) == [*range(cache.position)][-(context - 1) :] * (context > 1)
    assert cache.capacity == context - 1


@given(st.lists(st.integers(0, 7), max_size=6))
def test_without_one_all_are_seen(counts: list[int]) -> None:
    cache = Cache(CacheFacts(LAYERS, HEADS, SIZE), 50)
    for count in counts:
        cache.add(made(cache.position, count))
    assert seen(cache) == [*range(sum(counts))]


def test_going_back_forgets_and_what_was_read_is_written() -> None:
    cache = Cache(CacheFacts(LAYERS, HEADS, SIZE), 9)
    cache.add(made(0, 3))
    kept = cache.read()
    cache.add(made(3, 5))
    cache.back(3)
    assert seen(cache) == [0, 1, 2]
    other = Cache(CacheFacts(LAYERS, HEADS, SIZE), 9)
    other.write(kept)
    other.add(made(3, 1))
    assert seen(other) == [0, 1, 2, 3]
    assert other.position == 4


def test_room_is_taken_up() -> None:
    cache = Cache(CacheFacts(LAYERS, HEADS, SIZE), 9)
    cache.add(made(0, 3))
    cache.fill(7)
    assert cache.position == 7
    assert cache.feeds()["k0"][1:4, 0, 0].tolist() == [0, 1, 2]
    assert not cache.feeds()["v1"][4:].any()
    cache.back(3)
    assert seen(cache) == [0, 1, 2]


def test_a_view_is_fed_and_no_copy() -> None:
    cache = Cache(CacheFacts(LAYERS, HEADS, SIZE), 9)
    cache.add(made(0, 3))
    before = cache.feeds()["v1"]
    cache.add(made(3, 1))
    assert np.shares_memory(before, cache.feeds()["v1"])
