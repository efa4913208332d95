"""The meter: what the kernel says that a process, or a process and all it started, holds in memory.

Linux reads /proc itself: `smaps_rollup` takes 0.3 ms and gives PSS, which shares every page out among the processes
that map it, so that a sum over processes counts nothing twice. Other systems go through psutil, where PSS does not
exist: there the unique memory (USS) stands in for it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lowvox.memory import processes
from lowvox.types import Usage

MB = 2**20
_LINUX = sys.platform == "linux"


def usage(pid: int) -> Usage:
    """Read one process; one that has ended, or belongs to somebody else, holds nothing of ours."""
    return _usage_linux(pid) if _LINUX else _usage_psutil(pid)


def tree(root: int | None = None) -> list[int]:
    """Return `root` (by default this process) and every process below it."""
    root = os.getpid() if root is None else root
    return _tree_linux(root) if _LINUX else _tree_psutil(root)


def tree_usage(root: int | None = None) -> Usage:
    """Read a whole process tree: the sum over its processes, but for those that are only being started."""
    return total([pid for pid in tree(root) if not processes.is_starting(pid)])


def total(pids: list[int]) -> Usage:
    """Read several processes: the sum over them."""
    parts = [usage(pid) for pid in pids]
    return Usage(*(sum(getattr(part, field) for part in parts) for field in ("pss", "rss", "uss", "anonymous")))


def peak_rss(pid: int) -> int:
    """Return the kernel's own record of a process's largest RSS in bytes (0 where there is none)."""
    if not _LINUX:
        return usage(pid).rss
    return _fields(f"/proc/{pid}/status").get("VmHWM", 0)


def reset_peak(pid: int) -> bool:
    """Start the kernel's record of the largest RSS anew; False where that is not possible."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def text(path: str) -> bytes:
    """Read a small file of the kernel's; one that is not there, or may not be read, says nothing.

    Many times a second: without buffers and without `pathlib`, which would take as long as the kernel does.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.readall()
    except OSError:
        return b""


def _fields(path: str) -> dict[str, int]:
    """Read `Name:  123 kB` lines as bytes; a file that has gone gives nothing."""
    fields: dict[str, int] = {}
    # A process's name is cut at 15 bytes, which may be inside a character.
    for line in text(path).decode(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            fields[name] = fields.get(name, 0) + int(value[:-3]) * 1024
    return fields


def _usage_linux(pid: int) -> Usage:
    fields = _fields(f"/proc/{pid}/smaps_rollup")
    return Usage(
        pss=fields.get("Pss", fields.get("Rss", 0)),  # some kernels are built without PSS
        rss=fields.get("Rss", 0),
        uss=fields.get("Private_Clean", 0) + fields.get("Private_Dirty", 0),
        anonymous=fields.get("Anonymous", 0),
    )


def _tree_linux(root: int) -> list[int]:
    found = [root]
    for pid in found:  # grows while we walk it
        try:
            for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
                found += map(int, text(f"/proc/{pid}/task/{task}/children").split())
        except OSError:  # ended meanwhile
            continue
    return found


def _usage_psutil(pid: int) -> Usage:
    import psutil

    try:
        process = psutil.Process(pid)
        try:
            info = process.memory_full_info()
        except psutil.AccessDenied:  # macOS tells the whole of a process, but not its own share, to root alone
            rss = process.memory_info().rss
            return Usage(rss, rss, rss, rss)
    except psutil.Error:
        return Usage(0, 0, 0, 0)
    return Usage(pss=info.uss, rss=info.rss, uss=info.uss, anonymous=info.uss)


def _tree_psutil(root: int) -> list[int]:
    import psutil

    try:
        return [root, *(child.pid for child in psutil.Process(root).children(recursive=True))]
    except psutil.Error:
        return [root]
