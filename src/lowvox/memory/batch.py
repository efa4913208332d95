"""Batch sizing: how many items at once fit a limit.

    line = probe(lambda size: model(inputs[:size]))
    batch = best(limit.current(), limit.Limit.used() + line.fixed, line.per_item)
    print(batch.size, batch.reason)

What a batch takes is a line: a fixed part, and as much again for each item. It comes from a footprint in the ledger, or
from two sizes that were measured. Nothing is assumed of a model that nobody has measured. Knows no engine.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lowvox.errors import UsageError
from lowvox.memory import allocator, meter
from lowvox.memory.limit import TreeGauge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.types import Footprint

MOST = 32
_INTERVAL_S = 0.01


@dataclass(frozen=True, slots=True)
class Line:
    """What a batch takes, in bytes: `fixed`, and `per_item` for each item."""

    fixed: int
    per_item: float

    def at(self, size: int) -> int:
        """Return the bytes that `size` items take."""
        return self.fixed + round(self.per_item * size)


@dataclass(frozen=True, slots=True)
class Batch:
    """How many items fit, and why not more."""

    size: int
    reason: str


def best(limit_bytes: int | None, fixed: int, per_item: float, most: int = MOST) -> Batch:
    """Return the largest batch, of `most` items at most, that takes no more than the limit (None: there is none)."""
    if most < 1:
        raise UsageError(f"A batch of at most {most} items is none: ask for 1 or more.")
    if limit_bytes is None:
        return Batch(most, f"{most}: no limit is stated.")
    line = Line(fixed, max(0.0, per_item))
    size = _largest(line, limit_bytes, most)
    each, limit = f"{_mb(fixed)} and {_mb(per_item)} for each", _mb(limit_bytes)
    if not size:
        return Batch(0, f"Not even one fits: it would take {_mb(line.at(1))} ({each}), and the limit is {limit}.")
    why = "no more are asked for" if size == most else "one more would pass the limit"
    return Batch(size, f"{size} take {_mb(line.at(size))} of {limit} ({each}); {why}.")


def _largest(line: Line, limit_bytes: int, most: int) -> int:
    return max(0, bisect_right(range(most + 1), limit_bytes, key=line.at) - 1)


def known(footprint: Footprint, length: float | None = None, capacity: int | None = None) -> Line:
    """Return the line of a measured model with a stream for each item, all at work.

    `length` is that of an item, None: the longest. `capacity` streams share one resident, None: any number.
    """
    each = footprint.stream + footprint.work_for(length)
    if capacity is None:
        return Line(footprint.resident, each)
    # For one stream to each this is exact; else it is the line above the steps.
    return Line(footprint.resident * (capacity - 1) // capacity, footprint.resident / capacity + each)


def probe(run: Callable[[int], object], sizes: tuple[int, int] = (1, 4)) -> Line:
    """Measure the line of `run(size)`, above what the process tree takes between runs, by running it three times.

    The first run is not counted: what only that loads, the tree takes from then on. The sizes should be large enough
    for their difference to be seen: MB, not kB. UsageError when they are no two sizes.
    """
    small, large = sizes
    if not 0 < small < large:
        raise UsageError(f"A line cannot be found from {small} and {large} items: state two sizes, the smaller first.")
    run(small)
    low, high = (_above(partial(run, size)) for size in sizes)
    per_item = max(0.0, (high - low) / (large - small))
    return Line(max(0, low - round(per_item * small)), per_item)


def _above(work: Callable[[], object]) -> int:
    """Return how far `work` goes above what was there, without what the allocator keeps of earlier work."""
    allocator.trim()
    before = meter.tree_usage().pss
    above = highest(work) - before
    allocator.trim()
    return above


def highest(work: Callable[[], object]) -> int:
    """Return the most that the process tree took while `work` ran, in bytes of PSS.

    This process's record of its largest RSS begins anew with it, so that no spike is missed; where the system does not
    let it, and in other processes of the tree, what lasts less than a hundredth of a second may be.
    """
    meter.reset_peak(os.getpid())
    gauge, most, done = TreeGauge(), 0, threading.Event()
    gauge(True)  # what was before is not this work's

    def watch() -> None:
        nonlocal most
        while not done.wait(_INTERVAL_S):
            most = max(most, sum(gauge(False)))

    watcher = threading.Thread(target=watch, name="lowvox-probe", daemon=True)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return max(most, sum(gauge(True)))


def _mb(size: float) -> str:
    return f"{size / meter.MB:.1f}".removesuffix(".0") + " MB"
