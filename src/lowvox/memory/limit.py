"""The limits in force: how much a stretch of work may take at most, whoever does it in this process.

    with limited(500 * 2**20) as limit:
        ...
    print(limit.peak)

Bytes are PSS summed over the process tree, as a budget counts them. Of limits in force at one time the smallest holds.
What lowvox does inside is planned within it: `Manager` asks `current` before it admits work. What else the program does
inside cannot be planned, so it is watched: twenty times a second the tree is read, and the kernel's record of this
process's largest RSS shows a spike in between. When the limit is near, those who hold idle memory are asked for it; a
block that took more all the same ends with BudgetError. Only `hard` makes allocations fail, and only in this process.

Knows no model, no manager and no budget: whoever holds memory that can go subscribes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox.errors import BudgetError, UsageError
from lowvox.memory import allocator, meter
from lowvox.memory.glance import Glance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERVAL_S = 0.05
# From this share of a limit on, idle memory is asked for: at the limit itself it would be too late.
NEAR = 0.9


class Limit:
    """One limit: `bytes` is what it allows, `peak` the highest that was seen while it was in force."""

    def __init__(self, size: int) -> None:
        self.bytes = size
        self.peak = 0
        self.data: int | None = None  # bytes that this process may have mapped, where the limit is hard

    @staticmethod
    def used() -> int:
        """Return the bytes that the process tree takes now."""
        return meter.tree_usage().pss


class TreeGauge:
    """Reads the tree: the bytes that it takes now, and how much more it took in between. By one thread at a time."""

    def __init__(self) -> None:
        self._glance = Glance()
        self._record = 0

    def __call__(self, whole: bool) -> tuple[int, int]:
        """Read, `whole` to the page; a new record of this process's RSS was above it by what is gone again."""
        look = self._glance.look(time.monotonic(), whole=whole)
        gone = look.own.peak - look.own.rss if look.own.peak > self._record else 0
        self._record = look.own.peak
        return look.usage.pss, max(0, gone)


class Ceiling:
    """RLIMIT_DATA of this process: lowered to what is asked for, and put back."""

    def __init__(self) -> None:
        self._before: int | None = None

    def set(self, size: int | None) -> None:
        """Let this process map `size` bytes of private memory in all; None is what it was before."""
        if size is None and self._before is None:
            return
        import resource

        soft, most = resource.getrlimit(resource.RLIMIT_DATA)
        before = soft if self._before is None else self._before
        self._before = None if size is None else before
        wanted = [limit for limit in (size, before) if limit not in (None, resource.RLIM_INFINITY)]
        resource.setrlimit(resource.RLIMIT_DATA, (min(wanted, default=resource.RLIM_INFINITY), most))


class Limits:
    """The limits of one process. Safe to use from several threads; they may be left in any order."""

    def __init__(self, gauge: Callable[[bool], tuple[int, int]] | None = None) -> None:
        self._gauge = gauge or TreeGauge()
        self._ceiling = Ceiling()
        self._lock = threading.Lock()
        self._limits: list[Limit] = []
        self._callbacks: list[Callable[[int], None]] = []
        self._nearness = 0
        self._watched: tuple[threading.Thread, threading.Event] | None = None

    @contextmanager
    def limited(self, size: int, *, hard: bool = False) -> Iterator[Limit]:
        """Hold everything inside to `size` bytes of PSS over the process tree.

        Raises BudgetError at entry when the tree takes more already, once idle memory has gone; and at the end when it
        took more at any time, unless another error is on its way.

        `hard` (Linux) also makes this process's own allocations fail, as MemoryError in Python and numpy, once it has
        mapped as much more private memory as the limit left at entry. Memory counts when it is asked for, not when it
        is used: a new thread's stack is 8 MB. A library that does not survive a failed allocation ends the process.
        """
        if size <= 0:
            raise UsageError(f"A limit of {size} bytes is not possible: state how many bytes the work may take.")
        if hard and sys.platform != "linux":
            raise UsageError("Only Linux can make allocations fail: leave `hard` out, and the limit is watched.")
        limit = Limit(size)
        self._enter(limit, hard)
        try:
            yield limit
        except BaseException:
            self._leave(limit)
            raise
        self._leave(limit)
        if limit.peak > size:
            raise _refusal("The work inside took {taken} at its peak, the limit is {limit}.", limit.peak, size)

    def current(self) -> int | None:
        """Return the smallest limit in force in bytes, None where there is none."""
        with self._lock:
            return self._smallest()

    def spare(self) -> int | None:
        """Return the bytes that the limit in force leaves now, below 0 when it is passed; None where there is none."""
        size = self.current()
        return None if size is None else size - self._read()

    def check(self) -> None:
        """Raise BudgetError while the tree takes more than the limit in force."""
        size = self.current()
        if size is not None and (taken := self._read()) > size:
            raise _refusal("lowvox and this program take {taken}, the limit in force is {limit}.", taken, size)

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Have `callback(excess)` called, from whatever thread, until what this returns is called.

        `excess` is 0 when the limit in force may have changed; else so many bytes of what is idle should go. Then it
        returns only when what can go has gone: whoever enters a limit is refused by what is measured right after.
        """
        with self._lock:
            self._callbacks.append(callback)

        def end() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return end

    def look(self) -> None:
        """Read the tree, and ask for idle memory whenever the limit has come nearer."""
        now = self._read(whole=False)
        with self._lock:
            size = self._smallest()
            nearness = 0 if size is None else (now > NEAR * size) + (now > size)
            nearer, self._nearness = nearness > self._nearness, nearness
        if nearer and size is not None:
            self._tell(now - int(NEAR * size))
            allocator.trim()

    def _read(self, *, whole: bool = True) -> int:
        """Read the tree into the peaks of the limits in force; return what it takes now."""
        with self._lock:
            now, gone = self._gauge(whole)
            if not whole and now + gone > (self._smallest() or now + gone):  # nobody is judged by an estimate
                now, since = self._gauge(True)
                gone = max(gone, since)
            for limit in self._limits:
                limit.peak = max(limit.peak, now + gone)
        return now

    def _smallest(self) -> int | None:
        return min((limit.bytes for limit in self._limits), default=None)

    def _enter(self, limit: Limit, hard: bool) -> None:
        """Put a limit in force; where the tree does not fit, raise BudgetError and leave everything as it was."""
        self._read()  # what was before is no peak of this limit
        with self._lock:
            self._limits.append(limit)
            self._nearness = 0
            if self._watched is None:
                ended = threading.Event()
                watcher = threading.Thread(target=self._watch, args=(ended,), name="lowvox-limit", daemon=True)
                watcher.start()
                self._watched = watcher, ended
        try:
            self._make_fit(limit)
            if hard:
                with self._lock:
                    limit.data = _mapped() + limit.bytes - limit.peak
                    self._lower()
        except BaseException:
            self._leave(limit)
            raise

    def _make_fit(self, limit: Limit) -> None:
        """Have what is idle go where that is needed; `peak` counts from here on."""
        excess = max(0, self._read() - limit.bytes)
        self._tell(excess)
        if excess:
            allocator.trim()
        with self._lock:
            limit.peak = taken = self._gauge(True)[0]
        if taken > limit.bytes:
            text = "lowvox and this program take {taken} already, the limit is {limit}; nothing was begun."
            raise _refusal(text, taken, limit.bytes)

    def _leave(self, limit: Limit) -> None:
        self._read()
        watched = None
        with self._lock:
            self._limits.remove(limit)
            self._nearness = 0
            self._lower()
            if not self._limits:
                watched, self._watched = self._watched, None
        if watched is not None:
            watched[1].set()
            watched[0].join()
        self._tell(0)

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(INTERVAL_S):
            self.look()

    def _tell(self, excess: int) -> None:
        """Call back, without the lock: those who are called ask for `current`."""
        with self._lock:
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback(excess)

    def _lower(self) -> None:
        self._ceiling.set(min((limit.data for limit in self._limits if limit.data is not None), default=None))


def _mapped() -> int:
    """Return the bytes of private memory that this process has mapped, as RLIMIT_DATA counts them."""
    return int(Path("/proc/self/statm").read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")


def _refusal(text: str, taken: int, size: int) -> BudgetError:
    """Build the error: what is wrong, and what to do."""
    words = text.format(taken=_mb(taken), limit=_mb(size))
    offer = -(-int(taken * 1.05) // (5 * meter.MB)) * 5
    advice = f"Make the work smaller, or the limit {offer} MB or more."
    return BudgetError(f"{words} {advice}", needed=taken, budget=size)


def _mb(size: int) -> str:
    return f"{size / meter.MB:.1f}".removesuffix(".0") + " MB"


# The limits of this process.
_limits = Limits()
limited = _limits.limited
current = _limits.current
spare = _limits.spare
check = _limits.check
subscribe = _limits.subscribe
