"""Ahead of need: what a source gives is taken at once and waits, up to a limit, until it is asked for.

A thread reads the source. So live sound is heard while what shall understand it is still loading, and the next sentence
is spoken while the one before is played. Knows no models.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

_BLOCKS = 600  # a minute of the microphone's


class Ahead(Generic[T]):
    """Iterate over it for what `source` gives; `since` is when the first came, None before that.

    What waits weighs `most` and at most one block more, a block by itself as `weigh` says. `close` stops the thread at
    the next block that the source gives.
    """

    def __init__(
        self,
        source: Iterable[T],
        most: float = _BLOCKS,
        weigh: Callable[[T], float] = lambda _: 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.since: float | None = None
        self._source, self._most, self._weigh, self._clock = source, most, weigh, clock
        self._waiting: deque[T] = deque()
        self._weight = 0.0
        self._ended: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="lowvox-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        """Give the blocks in order, and raise what the source raises."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                block = self._waiting.popleft()
                self._weight -= self._weigh(block)
                self._changed.notify_all()
            yield block
        if not isinstance(self._ended, StopIteration):
            assert self._ended
            raise self._ended

    def close(self) -> None:
        """Take no more; may be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read(self) -> None:
        ended: BaseException = StopIteration()
        try:
            for block in self._source:
                self.since = self.since or self._clock()
                if not self._put(block):
                    break
        except BaseException as error:  # it is raised where the blocks are used
            ended = error
        finally:
            if close := getattr(self._source, "close", None):
                close()
            with self._changed:
                self._ended = ended
                self._changed.notify_all()

    def _put(self, block: T) -> bool:
        """Wait for room; False when nobody takes any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._weight < self._most)
            if self._closed:
                return False
            self._waiting.append(block)
            self._weight += self._weigh(block)
            self._changed.notify_all()
        return True
