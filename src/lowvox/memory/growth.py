"""The growth of one worker: when it has to be replaced by a new one, because it gives less back than it takes.

Two bounds: what it holds at rest against what it held when it was new, and the slope over its last jobs. What its
hardest work takes may stay in its heap, where the next work finds it (PocketSphinx keeps 15 of 26 MB): that alone is no
growth. Told in private memory: pages of files change hands when other processes come and go. Pure.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.types import Footprint

# A heap that finds its size grows by less than this.
_SHARE, _LEAST = 0.05, 3 * MB
# What work may take, as a share of the rest, where that was never measured.
_UNMEASURED = 0.5
# A slope is trusted after so many jobs; a job that leaves less than this behind is none of our business.
_JOBS = 24
_BOUND = 64 * 1024


class Growth:
    """What one worker held at rest, job after job, in bytes."""

    def __init__(self, size: Footprint) -> None:
        self._measured = size.work
        self._new = 0
        self._held: deque[int] = deque(maxlen=2 * _JOBS)

    def begin(self, size: int) -> None:
        """It is new, or has opened another stream, and holds this."""
        self._new = max(size, self._new) if self._held else size
        self._held.clear()

    def suspect(self, size: int) -> bool:
        """Whether it holds more than the work that is just done explains, so that a closer look is worth its time."""
        return size > self._bound + self._work / 2

    def grown(self, size: int) -> bool:
        """Whether it holds clearly more at rest than when it was new."""
        return size > self._bound

    def add(self, size: int) -> bool:
        """Note what it holds after a job; True where it has to be replaced."""
        self._held.append(size)
        if size > max(self._bound, self._new + self._work):
            return True
        if len(self._held) < _JOBS:
            return False
        from lowvox.memory.leaks import slope

        # The later half: a heap that finds its size has found it by then.
        return slope(tuple(self._held)[len(self._held) // 2 :]).passes(_BOUND)

    @property
    def _bound(self) -> float:
        return self._new + max(_LEAST, _SHARE * self._new)

    @property
    def _work(self) -> float:
        return self._measured or _UNMEASURED * self._new
