"""The pool: memory that is used again instead of being asked for anew.

    with pool.borrow((16000,), "float32") as samples:
        ...

What is lent comes back at the end of the block and nowhere else: giving back when the last name of it goes would put
memory into use twice while a view of it still lives. Buffers are lent as they are, never copied. The cap bounds what is
kept for later; what is lent beyond it is ordinary memory. Whether keeping is worth it shows `benchmarks/pool.py`. Knows
no engine and no budget.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import numpy as np
    from numpy.typing import DTypeLike, NDArray

# Who refers to a lent array when its block ends: the name it was lent under, ours, and the call that counts.
_USUAL = 3
# What keeping a buffer costs besides its data, in bytes: without it the cap would not hold for many small ones.
_OVERHEAD = 576


@dataclass(frozen=True, slots=True)
class Kept:
    """What a shelf holds now, and what happened so far: asked and there, asked and not there, dropped for the cap."""

    bytes: int
    buffers: int
    kinds: int
    hits: int
    misses: int
    dropped: int


class Shelf:
    """Buffers of any library that nobody uses, by kind: `cap` bytes at most. Safe to use from several threads.

    A kind is everything that makes two buffers alike: shape, dtype and device. Kinds not used for longest go first.
    """

    def __init__(self, cap: int) -> None:
        if cap < 0:
            raise UsageError(f"A pool cannot keep {cap} bytes: state 0 or more.")
        self.cap = cap
        self._lock = threading.Lock()
        self._kinds: OrderedDict[Hashable, list[Any]] = OrderedDict()
        self._bytes = self._buffers = self._hits = self._misses = self._dropped = 0

    def take(self, kind: Hashable) -> Any | None:
        """Return a buffer of this kind, which is no longer kept, or None."""
        with self._lock:
            if kind not in self._kinds:
                self._misses += 1
                return None
            self._hits += 1
            self._kinds.move_to_end(kind)
            return self._pop(kind)

    def put(self, kind: Hashable, buffer: Any) -> None:
        """Keep a buffer, which knows its `nbytes`; whoever puts it promises that nobody will touch it any more."""
        size = buffer.nbytes + _OVERHEAD
        with self._lock:
            if size > self.cap:  # it would push everything else out, and then itself
                self._dropped += 1
                return
            self._kinds.setdefault(kind, []).append(buffer)
            self._kinds.move_to_end(kind)
            self._bytes += size
            self._buffers += 1
        self.shrink(self.cap)

    def shrink(self, size: int, buffers: int | None = None) -> int:
        """Drop until at most `size` bytes in at most so many buffers are kept; return the bytes that were dropped."""
        with self._lock:
            before = self._bytes
            while self._buffers and (self._bytes > size or (buffers is not None and self._buffers > buffers)):
                self._pop(next(iter(self._kinds)))
                self._dropped += 1
            return before - self._bytes

    def kept(self) -> Kept:
        """Return what is kept now."""
        with self._lock:
            counts = (self._bytes, self._buffers, len(self._kinds), self._hits, self._misses, self._dropped)
            return Kept(*counts)

    def _pop(self, kind: Hashable) -> Any:
        """Take out the latest buffer of a kind: what was used last is most likely still in the processor's cache."""
        buffer = self._kinds[kind].pop()
        if not self._kinds[kind]:
            del self._kinds[kind]
        self._bytes -= buffer.nbytes + _OVERHEAD
        self._buffers -= 1
        return buffer


class Pool:
    """Lends numpy arrays and keeps at most `cap` bytes of them between uses. Safe to use from several threads."""

    def __init__(self, cap: int) -> None:
        self._shelf = Shelf(cap)
        self.unsafe = 0  # buffers that were not kept because something still referred to them

    @contextmanager
    def borrow(
        self, shape: int | tuple[int, ...], dtype: DTypeLike = "float32", *, zeroed: bool = False
    ) -> Iterator[NDArray[Any]]:
        """Lend an array, uninitialised unless `zeroed`, until the end of the block.

        To use it afterwards, under its own name or through a view, is a mistake. Writing raises ValueError, and an
        array that something else still refers to at the end (a view, a memoryview, a tensor that shares it, a second
        name) is not used again, so that it stays as it is. What cannot be seen: reading under the first name, and
        addresses that C code has kept.
        """
        kind = _kind(shape, dtype)
        buffer = self._shelf.take(kind)
        if buffer is None:
            buffer = _new(kind, zeroed)
        elif zeroed:
            buffer.fill(0)
        lent = buffer.view()
        try:
            yield lent
        finally:
            # Every view of `lent` refers to `buffer`, as numpy goes back to whoever owns the memory.
            if sys.getrefcount(lent) <= _USUAL and sys.getrefcount(buffer) <= _USUAL:
                lent.setflags(write=False)
                self._shelf.put(kind, buffer)
            else:
                self.unsafe += 1

    def clear(self) -> int:
        """Drop everything that is kept; return how many bytes that were."""
        return self._shelf.shrink(0)

    def kept(self) -> Kept:
        """Return what is kept now."""
        return self._shelf.kept()


def _kind(shape: int | tuple[int, ...], dtype: DTypeLike) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return what makes two arrays alike."""
    import numpy as np

    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    try:
        kind = sizes, np.dtype(dtype)
    except TypeError as error:
        raise UsageError(f"A pool cannot lend {dtype!r}: give it a dtype such as float32.") from error
    if kind[1].hasobject or any(size < 0 for size in sizes):
        raise UsageError(f"A pool cannot lend {dtype!r} in the shape {shape!r}: it holds numbers, 0 or more of them.")
    return kind


def _new(kind: tuple[tuple[int, ...], np.dtype[Any]], zeroed: bool) -> NDArray[Any]:
    import numpy as np

    # The system's own zeroes cost nothing until they are touched.
    return np.zeros(*kind) if zeroed else np.empty(*kind)
