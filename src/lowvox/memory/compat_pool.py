"""The pool of tensors that guides use: `get_tensor` and `return_tensor`. Never imports torch: takes it where it is."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from typing import TYPE_CHECKING, Any

from lowvox.errors import UsageError
from lowvox.memory import allocator, limit
from lowvox.memory.meter import MB
from lowvox.memory.pool import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = "LOWVOX_MEMORY_POOL_SIZE"
# Bytes that a pool keeps, however many tensors its size allows.
CAP = 64 * MB

_log = logging.getLogger("lowvox.memory")


class MemoryPool:
    """Tensors that are used again: at most `max_pool_size` of them are kept, and at most 64 MB.

    They are torch tensors where torch has been imported and `dtype` is torch's or left out, numpy arrays otherwise.
    `Pool.borrow` is the safer way: here the caller alone knows that a tensor is no longer used.
    """

    def __init__(self, max_pool_size: int | None = None) -> None:
        self.max_pool_size = _size() if max_pool_size is None else max_pool_size
        self._shelf = Shelf(CAP)
        self._lent: dict[int, tuple[weakref.ref[Any], tuple[object, ...], Any]] = {}
        shelf = self._shelf
        # Unused memory is the first to go when a limit is near; the subscription must not keep the pool alive.
        weakref.finalize(self, limit.subscribe(lambda excess: None if not excess else _drop(shelf)))

    def get_tensor(self, shape: int | tuple[int, ...], dtype: Any = None, device: Any = "cpu") -> Any:
        """Return a tensor of this shape, type (float32) and device; its content is whatever was there before."""
        kind, make, view = _kind(shape, dtype, device)
        buffer = self._shelf.take(kind)
        buffer = make() if buffer is None else buffer
        # A new object each time: what is given back twice, or after it has been lent anew, is known by it.
        lent = view(buffer)
        key, lents = id(lent), self._lent
        lents[key] = weakref.ref(lent, lambda _: lents.pop(key, None)), kind, buffer
        return lent

    def return_tensor(self, tensor: Any) -> None:
        """Keep a tensor for the next request; it must not be used from here on, nor any view of it.

        What did not come from this pool, or was given back before, is left alone. A numpy array of which a view is
        still alive is not used again.
        """
        found = self._lent.get(id(tensor))
        lent = found and found[0]()
        if found is None or lent is None or lent is not tensor:
            return
        del self._lent[id(tensor)]
        _, kind, buffer = found
        if hasattr(lent, "setflags"):
            # Who refers to the buffer: `found` and its name here, the call that counts, the array that was lent.
            if sys.getrefcount(buffer) > 4:
                return
            lent.setflags(write=False)
        self._shelf.put(kind, buffer)
        self._shelf.shrink(self._shelf.cap, buffers=self.max_pool_size)

    def clear(self) -> None:
        """Drop all that is kept and hand the memory back to the system."""
        _drop(self._shelf)

    def get_stats(self) -> dict[str, int]:
        """Return what is kept and how often it was of use; `pooled_bytes` in bytes."""
        kept = self._shelf.kept()
        return {
            "hits": kept.hits,
            "misses": kept.misses,
            "allocations": kept.misses,
            "pooled_tensors": kept.buffers,
            "pool_types": kept.kinds,
            "pooled_bytes": kept.bytes,
            "dropped": kept.dropped,
        }

    def log_stats(self) -> None:
        """Log them in one line."""
        stats = self.get_stats()
        asked = stats["hits"] + stats["misses"]
        _log.info(
            "Memory pool: %.1f %% of %d requests from the pool; %d tensors of %d kinds in %.1f MB kept.",
            100 * stats["hits"] / max(1, asked),
            asked,
            stats["pooled_tensors"],
            stats["pool_types"],
            stats["pooled_bytes"] / MB,
        )


def _size() -> int:
    """Read how many tensors a pool keeps."""
    text = os.environ.get(SIZE) or "100"
    if not text.isdecimal():
        raise UsageError(f"{SIZE} is {text!r}: it must be a whole number such as 100.")
    return int(text)


def _kind(
    shape: int | tuple[int, ...], dtype: Any, device: Any
) -> tuple[tuple[object, ...], Callable[[], Any], Callable[[Any], Any]]:
    """Return what makes two tensors alike, and how to make one and lend it."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    torch = sys.modules.get("torch")
    if torch is not None and (dtype is None or isinstance(dtype, torch.dtype)):
        dtype = torch.float32 if dtype is None else dtype
        kind = sizes, dtype, str(device)
        return kind, lambda: torch.empty(sizes, dtype=dtype, device=device), lambda buffer: buffer.detach()
    if str(device) != "cpu":
        raise UsageError(f"Without torch there is no device {str(device)!r}: use cpu, or import torch first.")
    import numpy as np

    precise = np.dtype("float32" if dtype is None else dtype)
    return (sizes, precise, "cpu"), lambda: np.empty(sizes, precise), lambda buffer: buffer.view()


def _drop(shelf: Shelf) -> None:
    shelf.shrink(0)
    allocator.trim()
