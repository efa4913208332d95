"""The reading of pressure: how much memory the machine, and the cgroup around this process, still have to give.

The parsers take text and `wanted` takes a reading, so that neither needs a machine in trouble. Knows nothing of what
lowvox holds, nor of what is given back: it says how much.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lowvox.memory import meter
from lowvox.memory.meter import MB

_LINUX = sys.platform == "linux"
# Per cent of the last 10 s in which some process waited for memory. Below this a machine is busy, not in trouble.
STALLED = 10.0
# (limit, used) as each version of cgroups calls them; v2 slows a group down at its `high` and kills at its `max`.
_LIMITS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.high", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


@dataclass(frozen=True, slots=True)
class Pressure:
    """One reading, in bytes: what the machine has in all and what of it is available without swapping.

    `limit` is the smallest limit of the cgroups that this process is in, `headroom` what the tightest of them has left;
    None where none is limited below the machine's own memory. `stalled` is the share of the last 10 s, in per cent, in
    which some process of this cgroup, or of the system, waited for memory; None where the kernel does not say.
    """

    available: int
    total: int
    headroom: int | None = None
    limit: int | None = None
    stalled: float | None = None

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """(Bytes left, bytes in all) of whatever may run out: the machine, and the cgroup where one is limited."""
        machine = (self.available, self.total)
        return (machine,) if self.headroom is None or self.limit is None else (machine, (self.headroom, self.limit))

    @property
    def room(self) -> int:
        """Bytes that this process could still take."""
        return min(left for left, _ in self.sides)

    @property
    def most(self) -> int:
        """Bytes that it could ever take, were nothing else there."""
        return min(whole for _, whole in self.sides)


def read(root: Path = Path("/")) -> Pressure:
    """Read it now, in half a millisecond; `root` is where /proc and /sys are."""
    if not _LINUX:
        return _psutil()
    available, total = meminfo(_text(f"{root}/proc/meminfo"))
    folders = _folders(_text(f"{root}/proc/self/cgroup"), f"{root}/sys/fs/cgroup")
    limits = [found for folder in folders for found in _limits(folder) if found[0] < total]
    stalls = (
        psi(_text(file)) for file in (*(f"{each}/memory.pressure" for each in folders), f"{root}/proc/pressure/memory")
    )
    return Pressure(
        available=available,
        total=total,
        headroom=min((max(0, limit - used) for limit, used in limits), default=None),
        limit=min((limit for limit, _ in limits), default=None),
        stalled=next((stalled for stalled in stalls if stalled is not None), None),
    )


def reserve(total: int) -> int:
    """Return the bytes that should stay free of `total`: 5 %, at least 64 MB, at most 512 MB or an eighth of it all.

    The kernel begins to reclaim at about 1 %, by throwing away programs' own pages, which is felt as stutter: 5 % is
    before that. Another program grows by tens of MB between two readings, on a large machine too, so that a share alone
    would be too little on 1 GB and needlessly much on 64.
    """
    return min(max(total // 20, 64 * MB), 512 * MB, total // 8)


def wanted(pressure: Pressure) -> int:
    """Return how many bytes should be given back now; 0 when none.

    What is free has fallen under the reserve, or, while processes wait for memory, under four times the reserve: pages
    that are thrown away and read again count as available. Asked for is half as much again as it takes to be above
    that mark, lest the next few MB that anything takes ask anew.
    """
    waiting = pressure.stalled is not None and pressure.stalled >= STALLED
    return max(_short(left, whole, waiting) for left, whole in pressure.sides)


def meminfo(text: str) -> tuple[int, int]:
    """Return (available, total) in bytes from the text of /proc/meminfo."""
    fields = {name: int(value) * 1024 for name, value in re.findall(r"^(\w+):\s*(\d+) kB$", text, re.MULTILINE)}
    # A sandbox that writes its own meminfo may leave out the newer line.
    return fields.get("MemAvailable", fields.get("MemFree", 0)), fields.get("MemTotal", 0)


def psi(text: str) -> float | None:
    """Return the per cent of the last 10 s in which some process stalled, from the text of a pressure file."""
    found = re.search(r"^some avg10=(\d+(?:\.\d+)?)\b", text, re.MULTILINE)
    return float(found[1]) if found else None


def cgroups(text: str, root: Path) -> list[Path]:
    """Return the folders below `root` of the memory cgroups in the text of /proc/self/cgroup, own first, then above.

    In a container the path may be that of the host, which is not there: then the root of the tree is the container's.
    """
    folders: list[Path] = []
    for line in text.splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        # Version 2 has one tree; beside version 1's it is mounted in a folder of its own.
        top = root / (controllers or ("unified" if (root / "unified").is_dir() else ""))
        own = top / path.lstrip("/")
        folders += [own, *(above for above in own.parents if above.is_relative_to(top))]
    return folders


def _short(left: int, whole: int, waiting: bool) -> int:
    mark = reserve(whole) * (4 if waiting else 1)
    return mark + mark // 2 - left if left < mark else 0


@lru_cache(maxsize=4)
def _folders(text: str, root: str) -> tuple[str, ...]:
    """Return `cgroups` as text; it is asked for once a second, and changes hardly ever."""
    return tuple(map(str, cgroups(text, Path(root))))


def _limits(folder: str) -> list[tuple[int, int]]:
    """Return (limit, used) of a cgroup; pages of files that nobody has used lately make room, so they are not used."""
    found = []
    for limit, used, idle in _LIMITS:
        try:
            most, now = int(_text(f"{folder}/{limit}")), int(_text(f"{folder}/{used}"))
        except ValueError:  # not of this version, or "max": no limit
            continue
        match = re.search(rf"^{idle} (\d+)$", _text(f"{folder}/memory.stat"), re.MULTILINE)
        found.append((most, max(0, now - int(match[1] if match else 0))))
    return found


def _text(path: str) -> str:
    return meter.text(path).decode(errors="replace")


def _psutil() -> Pressure:
    import psutil

    memory = psutil.virtual_memory()
    return Pressure(int(memory.available), int(memory.total))
