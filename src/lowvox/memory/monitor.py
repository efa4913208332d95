"""The monitor: samples the memory of lowvox's process tree while work goes on, and remembers the peaks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from lowvox.memory import meter
from lowvox.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_S = 0.1
# The time line is halved whenever it reaches this length: it never grows beyond, however long the job.
_LONGEST = 1200


class Monitor:
    """Samples in a thread from `start` to `stop`; `sample` may be called at moments that matter."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._every = INTERVAL_S / 2
        self.peak = Usage(0, 0, 0, 0)
        self.timeline: list[tuple[float, int]] = []  # (seconds since the start, PSS in bytes)
        self.peak_rss = 0  # the kernel's own peaks, summed over the processes that lived at one time

    def start(self) -> None:
        """Begin sampling."""
        self.sample()
        self._thread = threading.Thread(target=self._run, name="lowvox-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end; may be called twice."""
        if self._thread is None:
            return
        self._stopped.set()
        self._thread.join()
        self._thread = None
        self.sample()

    def sample(self) -> Usage:
        """Read the tree now."""
        with self._lock:
            pids = meter.tree()
            now = meter.total(pids)
            self.peak_rss = max(self.peak_rss, sum(meter.peak_rss(pid) for pid in pids))
            self.peak = Usage(*(max(getattr(self.peak, name), getattr(now, name)) for name in Usage.__slots__))
            self._remember(self._clock() - self._begun, now.pss)
            return now

    def _remember(self, at: float, pss: int) -> None:
        """Add to the time line, or to its last entry where that is recent; a peak is never thinned away."""
        line = self.timeline
        if line and at - line[-1][0] < self._every:
            line[-1] = (line[-1][0], max(line[-1][1], pss))
            return
        line.append((at, pss))
        if len(line) >= _LONGEST:
            pairs = zip(line[::2], [*line[1::2], line[-1]], strict=False)
            line[:] = [(first, max(one, other)) for (first, one), (_, other) in pairs]
            self._every *= 2

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            self.sample()
