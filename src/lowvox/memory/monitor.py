"""The monitor: watches the memory of lowvox's process tree while work goes on, and remembers.

It keeps the peaks, a time line of the job with its marks, the rings (ten minutes by the second, a day by the minute)
and alerts. It enforces nothing: whoever does is told of every look by `on_sample`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox.memory.alerts import Alarm, Alert
from lowvox.memory.glance import Glance
from lowvox.memory.history import History
from lowvox.memory.rings import Entry
from lowvox.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INTERVAL_S = 0.1
# While nothing is at work.
IDLE_S = 1.0
# The time line is halved whenever it reaches this length: it never grows beyond, however long the job.
_LONGEST = 1200


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened `at` (seconds since the start): a "load", "run" or "evict", and of what."""

    at: float
    kind: str
    name: str


class Monitor:
    """Looks in a thread from `start` to `stop`; `sample` may be called at moments that matter, by any thread.

    `budget` and `attributed` (bytes; None where unknown) are what alerts go by. `on_sample` and `on_alert` are called
    by the monitor's own thread, which holds no lock then; what they raise is shown, and the watch goes on. With
    `history`, the rings are kept in that file too.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        wall: Callable[[], float] = time.time,
        history: Path | None = None,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._begun = clock()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._glance = Glance()
        self._alarm = Alarm()
        self._busy = True
        self._every = INTERVAL_S / 2
        self.budget: int | None = None
        self.attributed: int | None = None
        self.on_sample: Callable[[Usage], None] = lambda _: None
        self.on_alert: Callable[[Alert], None] = lambda _: None
        self.peak = Usage(0, 0, 0, 0)
        self.peak_rss = 0  # the kernel's own peaks, summed over the processes that lived at one time
        self.timeline: list[tuple[float, int]] = []  # (seconds since the start, PSS in bytes)
        self.marks: deque[Mark] = deque(maxlen=1000)
        self.alerts: deque[Alert] = deque(maxlen=100)
        self.history = History(history)

    def start(self) -> None:
        """Begin watching."""
        self.sample()
        self._thread = threading.Thread(target=self._run, name="lowvox-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end; may be called twice."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._woken.set()
        thread.join()
        self.sample()
        self.history.close()

    def pace(self, *, busy: bool) -> None:
        """Look ten times a second while something is at work (as at first), once a second otherwise."""
        woken, self._busy = busy and not self._busy, busy
        if woken:
            self._woken.set()

    def mark(self, kind: str, name: str) -> None:
        """Remember that something happened now; `kind` is "load", "run", "evict" or the like."""
        self.marks.append(Mark(self._clock() - self._begun, kind, name))

    def sample(self) -> Usage:
        """Measure the tree now."""
        return self._look(whole=True)[1]

    def look(self) -> Usage:
        """Do once what the thread does at every turn: look, raise alerts, tell `on_sample`."""
        at, now = self._look(whole=False)
        for alert in self._alarm.check(at, now.pss, self.budget, self.attributed):
            self.alerts.append(alert)
            _told(self.on_alert, alert)
        _told(self.on_sample, now)
        return now

    def _look(self, *, whole: bool) -> tuple[float, Usage]:
        with self._lock:
            at = self._clock() - self._begun
            look = self._glance.look(at, whole=whole)
            now = look.usage
            self.peak_rss = max(self.peak_rss, look.peak_rss)
            self.peak = Usage(*(max(getattr(self.peak, name), getattr(now, name)) for name in Usage.__slots__))
            self._remember(at, now.pss)
            self.history.feed(at, Entry(self._wall(), now.pss, now.rss, now.uss, look.cpu_s, now.pss))
            return at, now

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
        while self._thread is not None:
            self._woken.wait(INTERVAL_S if self._busy else IDLE_S)
            self._woken.clear()
            self.look()


def _told(listener: Callable[[Any], None], what: object) -> None:
    """Call a listener; the watch must not end because it fails."""
    try:
        listener(what)
    except Exception:
        sys.excepthook(*sys.exc_info())
