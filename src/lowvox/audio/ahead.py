"""Listening ahead: live sound is taken from its source at once, and waits while what shall hear it is still loading.

A thread reads the source into a bounded queue. Knows no models.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_BLOCKS = 600  # a minute of the microphone's
_PATIENCE_S = 0.2


class Ahead:
    """Iterate over it for the blocks of `source`; `since` is when the first one came, None before that.

    `close` stops the thread, at the next block that the source gives.
    """

    def __init__(self, source: Iterable[bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self.since: float | None = None
        self._source = source
        self._clock = clock
        self._blocks: queue.Queue[bytes | BaseException | None] = queue.Queue(_BLOCKS)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="lowvox-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        """Give the blocks in order, and raise what the source raises."""
        while True:
            block = self._blocks.get()
            if block is None:
                return
            if isinstance(block, BaseException):
                raise block
            yield block

    def close(self) -> None:
        """Take no more; may be called twice."""
        self._closed.set()

    def _read(self) -> None:
        try:
            for block in self._source:
                self.since = self.since or self._clock()
                if not self._put(block):
                    break
        except BaseException as error:  # it is raised where the blocks are used
            self._put(error)
        else:
            self._put(None)
        finally:
            if close := getattr(self._source, "close", None):
                close()

    def _put(self, what: bytes | BaseException | None) -> bool:
        """Wait for room; False when nobody takes any more."""
        while not self._closed.is_set():
            try:
                self._blocks.put(what, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        return False
