"""What the kernel tells of a process besides its memory: whether it is alive, since when, and its processor time.

Linux reads /proc/PID/stat, other systems go through psutil. Knows nothing of lowvox.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass

_LINUX = sys.platform == "linux"
# Set from a process's birth until it runs a program of its own.
_FORKED = 0x40
# Usually a millisecond later; on a machine with too much to do it has been seen to take a tenth of a second.
_YOUNG_S = 2.0


@dataclass(frozen=True, slots=True)
class Process:
    """A living process: `started` is the kernel's, in seconds, and `cpu_s` counts children that have ended too."""

    started: float
    cpu_s: float
    forked: bool = False


def find(pid: int) -> Process | None:
    """Return a process, None where it has ended (one that nobody has buried yet has ended)."""
    return _linux(pid) if _LINUX else _psutil(pid)


def is_starting(pid: int) -> bool:
    """Whether a process was born just now and may still show its parent's memory as its own.

    Between vfork and exec both have the very same pages, and the kernel reports the whole of them for each. lowvox
    never forks without exec; whoever does is believed after two seconds.
    """
    process = find(pid)
    if process is None or not process.forked:
        return False
    return time.clock_gettime(time.CLOCK_BOOTTIME) - process.started < _YOUNG_S


def identity(pid: int) -> str | None:
    """Return what no other process has, not even a later one with the same number; None where it has ended."""
    process = find(pid)
    return None if process is None else f"{process.started:.2f} {_boot()}"


def _linux(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # read many times a second
            # The name, in brackets, may hold anything.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in b"ZX":
        return None
    tick = os.sysconf("SC_CLK_TCK")
    return Process(
        started=int(fields[19]) / tick,
        cpu_s=sum(map(int, fields[11:15])) / tick,
        forked=bool(int(fields[6]) & _FORKED),
    )


def _psutil(pid: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(process.create_time(), float(sum(process.cpu_times()[:4])))
    except psutil.Error:
        return None


def _boot() -> str:
    """Return what changes when the machine starts anew, where start times begin at 0 again."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123
            return file.read().strip()
    except OSError:
        return ""
