"""A glance at lowvox's process tree, ten times a second for next to nothing.

What makes a measurement dear is `smaps_rollup`, which walks every page (0.3 ms for 100 MB). `status` costs a hundredth
of that and tells anonymous and file pages apart. Anonymous pages count in full, so PSS follows from them exactly; file
pages may be shared, so their growth is an upper bound until the tree is measured anew: once a second, when file pages
have grown by a MB, and when a process has come or gone. Keeps no history and knows no budget.
"""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.memory import meter, processes
from lowvox.types import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

_LINUX = sys.platform == "linux"
_LIST_S = 0.5
_MEASURE_S = 2.0
# A large tree takes longer to measure: it is measured less often, so that it never takes more than 1/1000 of the time.
_SHARE = 1000
_STEP = meter.MB
_TRIES = 3  # of a process that takes and gives back memory while it is measured
_STATUS = re.compile(rb"^(VmHWM|RssAnon|RssFile|RssShmem):\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Counters:
    """What the kernel counts for one process, in bytes."""

    anonymous: int
    files: int
    peak: int

    @property
    def rss(self) -> int:
        """What is held."""
        return self.anonymous + self.files


@dataclass(frozen=True, slots=True)
class Look:
    """The tree at one moment: bytes, the kernel's peaks added up, and processor seconds so far.

    `own` is what the kernel counted for this process at that moment.
    """

    usage: Usage
    peak_rss: int
    cpu_s: float
    own: Counters


class Glance:
    """Remembers the last measurement of each process. Used by one thread at a time."""

    def __init__(self, cost: Callable[[], float] = time.thread_time) -> None:
        self._cost = cost
        self._measured: dict[int, tuple[Usage, Counters]] = {}
        self._list_at = self._measure_at = float("-inf")
        self._cpu_s = 0.0

    def look(self, now: float, *, whole: bool = False) -> Look:
        """Look at the tree; `now` is in seconds on a clock that never goes back, `whole` measures every process."""
        counters = self._count(now, whole)
        # Who comes or goes changes what the others share.
        if whole or now >= self._measure_at or counters.keys() != self._measured.keys():
            self._measure(counters, now)
        for pid, found in counters.items():
            if found.files - self._measured[pid][1].files > _STEP:
                self._measured[pid] = _measured(pid, found)
                counters[pid] = self._measured[pid][1]
        usages = [self._usage(pid, found) for pid, found in counters.items()]
        return Look(
            Usage(*(sum(getattr(usage, name) for usage in usages) for name in Usage.__slots__)),
            sum(found.peak for found in counters.values()),
            self._cpu_s,
            counters[os.getpid()],
        )

    def _count(self, now: float, whole: bool) -> dict[int, Counters]:
        """Return the counters of every process; the tree itself is listed anew twice a second."""
        pids = list(self._measured)
        if whole or now >= self._list_at:
            pids = meter.tree()
            self._list_at = now + _LIST_S
        found = {pid: _counters(pid) for pid in pids if pid in self._measured or not processes.is_starting(pid)}
        return {pid: counters for pid, counters in found.items() if counters}

    def _measure(self, counters: dict[int, Counters], now: float) -> None:
        """Measure each process; `counters` become those of the moments at which they were measured."""
        begun = self._cost()
        self._measured = {pid: _measured(pid, found) for pid, found in counters.items()}
        counters.update((pid, then) for pid, (_, then) in self._measured.items())
        self._cpu_s = sum(process.cpu_s for pid in counters if (process := processes.find(pid)))
        self._measure_at = now + max(_MEASURE_S, _SHARE * (self._cost() - begun))

    def _usage(self, pid: int, found: Counters) -> Usage:
        """Return a process's memory: what was measured, and what its counters have gained or lost since."""
        usage, then = self._measured[pid]
        gained = found.anonymous - then.anonymous
        files = max(0, found.files - then.files)
        return Usage(
            pss=max(0, usage.pss + gained) + files,
            rss=found.rss,
            uss=max(0, usage.uss + gained) + files,
            anonymous=max(0, usage.anonymous + gained),
        )


def _measured(pid: int, found: Counters) -> tuple[Usage, Counters]:
    """Measure a process, with counters of the same moment; `found` are those of just before.

    What comes or goes between the two would be taken for growth or loss until the next measurement.
    """
    for _ in range(_TRIES):
        usage, before = meter.usage(pid), found
        found = _counters(pid) or before
        if abs(found.anonymous - before.anonymous) + abs(found.files - before.files) <= _STEP:
            break
    return usage, found


def _counters(pid: int) -> Counters | None:
    """Read one process; None for one that has ended."""
    if not _LINUX:
        usage = meter.usage(pid)
        return Counters(usage.uss, usage.rss - usage.uss, usage.rss) if usage.rss else None
    fields = dict(_STATUS.findall(meter.text(f"/proc/{pid}/status")))
    if not fields:
        return None
    sizes = {name: int(size) * 1024 for name, size in fields.items()}
    return Counters(sizes[b"RssAnon"], sizes[b"RssFile"] + sizes[b"RssShmem"], sizes[b"VmHWM"])
