"""Keys and values of a transformer between its runs: one buffer, which the graph reads where it lies.

The graph gives back those of the positions of a run alone; they are written behind the others, and nothing is ever held
twice. Before what a graph sees stands one row of zeros, which its attention is built on. Knows no graph.
"""

from __future__ import annotations

import math
import mmap
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import CacheFacts


class Cache:
    """A buffer for `capacity` positions, or, where a graph sees the last `context` alone, for one less than those.

    Pages of it that are never written to take no memory.
    """

    def __init__(self, facts: CacheFacts, capacity: int = 0) -> None:
        self._facts = facts
        self._keep = None if facts.context is None else facts.context - 1
        self.capacity = capacity if self._keep is None else self._keep
        self._length = 0  # positions in the buffer
        self.position = 0  # positions since the beginning
        self._rows = _pages((facts.layers, 2, 1 + self.capacity, facts.heads, facts.size))

    def feeds(self) -> dict[str, NDArray[np.float32]]:
        """Return what the graph takes, as views: `k0`, `v0` and so on, each [1 + positions, heads, size]."""
        return {
            f"{name}{layer}": self._rows[layer, at, : 1 + self._length]
            for layer in range(self._facts.layers)
            for at, name in enumerate("kv")
        }

    def add(self, made: Mapping[str, NDArray[Any]]) -> None:
        """Write what a run gave, `new_k0`, `new_v0` and so on, behind the rest; the oldest make room."""
        count = len(made["new_k0"])
        kept = count if self._keep is None else min(count, self._keep)
        if self._keep is not None and self._length + kept > self._keep:
            self._forget(self._length + kept - self._keep)
        begin = 1 + self._length
        for layer in range(self._facts.layers):
            for at, name in enumerate("kv"):
                self._rows[layer, at, begin : begin + kept] = made[f"new_{name}{layer}"][count - kept :]
        self._length += kept
        self.position += count

    def back(self, position: int) -> None:
        """Forget all that came behind a position; only where all positions are kept."""
        self._length = self.position = position

    def fill(self, position: int) -> None:
        """Take up the memory of as many positions, as if they had been heard; only where all are kept."""
        self._rows[:, :, 1 + self._length : 1 + position] = 0
        self.back(position)

    def read(self) -> NDArray[np.float32]:
        """Return a copy of what is in it, float32 [layers, 2, positions, heads, size]."""
        return self._rows[:, :, 1 : 1 + self._length].copy()

    def write(self, kept: NDArray[np.float32]) -> None:
        """Begin with what `read` has given."""
        self._length = self.position = kept.shape[2]
        self._rows[:, :, 1 : 1 + self._length] = kept

    def _forget(self, count: int) -> None:
        """Move all but the oldest down; layer by layer, for numpy makes a copy of what it moves over itself."""
        left = self._length - count
        for layer in self._rows:
            layer[:, 1 : 1 + left] = layer[:, 1 + count : 1 + self._length]
        self._length = left


def _pages(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return zeros, float32, of which every page is taken up when it is first written to.

    An array of numpy's own would be of pages of 2 MB: the cache of a model of 100 M took up 25 MB where it used 3.
    """
    count = math.prod(shape)
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows
        return np.zeros(shape, np.float32)
    pages = mmap.mmap(-1, 4 * count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with suppress(OSError):  # a kernel without large pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, np.float32).reshape(shape)
