"""Turns: lanes are lent to one caller each, in the order in which they ask.

A lock alone is not fair: who calls again and again may keep another waiting for as long as it likes. Knows no worker.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lowvox.memory.wire import Lane


class Turns:
    """The free lanes and who waits for one. Safe to use from several threads."""

    def __init__(self, lanes: list[Lane]) -> None:
        self._free = lanes
        self._waiting: deque[object] = deque()
        self._closed = False
        self._changed = threading.Condition()

    def take(self) -> Lane:
        """Wait for a lane; EOFError once they are closed."""
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                while not self._closed and (not self._free or self._waiting[0] is not me):
                    self._changed.wait()
                if self._closed:
                    raise EOFError
                # The last one: with few callers the others are never used, nor what their threads would take.
                return self._free.pop()
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()

    def give(self, lane: Lane) -> None:
        """Give a lane back."""
        with self._changed:
            self._free.append(lane)
            self._changed.notify_all()
            if self._closed:
                self._close_free()

    def close(self) -> None:
        """Close the free lanes and lend no more; what is lent is closed when it comes back. May be called twice."""
        with self._changed:
            self._closed = True
            self._close_free()
            self._changed.notify_all()

    def _close_free(self) -> None:
        while self._free:
            self._free.pop().close()
