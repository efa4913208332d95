"""The pages of a mapped file in this process: given back until they are read again.

The pages of a graph that was mapped count for the process that read them, though nobody may look at them for a long
time: all of them while a session packs its weights into memory of its own, those of a part that has done its work for
this sentence. Given back they are the system's; what is read again comes out of its cache, at a few milliseconds for
100 MB. Knows nothing of graphs. Elsewhere than on Linux nothing is given back.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_DONTNEED = 4  # MADV_DONTNEED of madvise(2)


def give_back(*paths: Path) -> int:
    """Give back the pages of every mapping of these files and return the bytes that they span.

    A mapping that somebody has written into keeps all of its pages, for what was written is nowhere else.
    """
    names = {str(path) for path in paths}
    spans = [(each.start, each.end - each.start) for each in _own() if each.file in names and not each.written]
    return sum(size for start, size in spans if _madvise()(start, size, _DONTNEED) == 0)


@dataclass(slots=True)
class Mapping:
    """A range of addresses; `written` is how many KB of it are no longer the file's."""

    start: int
    end: int
    file: str
    written: int = 0


def _own() -> list[Mapping]:
    if sys.platform != "linux":
        return []
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as file:
            return read(file)
    except OSError:  # a system that hides it
        return []


def read(lines: Iterable[str]) -> list[Mapping]:
    """Read the kernel's list of a process's mappings (proc_pid_smaps(5))."""
    found: list[Mapping] = []
    for line in lines:
        first, *rest = line.split(maxsplit=5)
        if first == "Anonymous:":
            found[-1].written = int(rest[0])
        elif not first.endswith(":"):
            start, end = (int(address, 16) for address in first.split("-"))
            found.append(Mapping(start, end, rest[4].rstrip("\n") if len(rest) > 4 else ""))
    return found


@cache
def _madvise() -> Any:
    import ctypes

    found = ctypes.CDLL(None).madvise
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return found
