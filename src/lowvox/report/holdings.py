"""What every running lowvox holds, as a table for a terminal and as an object for JSON. Measures nothing.

Figures are rounded together, so that the lines add up to the total as they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lowvox.memory.attribution import apportion
from lowvox.memory.meter import MB
from lowvox.report.memory import mb, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lowvox.memory.attribution import Line
    from lowvox.memory.survey import Snapshot
    from lowvox.types import Holding

NOTHING = "No lowvox is running."
_HEAD = ("NAME", "ROLE", "WHERE", "STATUS", "KEPT", "MB", "PEAK")
_LEFT = 5  # columns that are text


def table(snapshots: Sequence[Snapshot], encoding: str = "utf-8") -> str:
    """Return the table, in characters that `encoding` has; ends with a line end."""
    if not snapshots:
        return NOTHING + "\n"
    rows = [_rows(snapshot) for snapshot in snapshots]
    cells = [_HEAD, *(row for part in rows for row in part)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for snapshot, part in zip(snapshots, rows, strict=True):
        lines += [headline(snapshot), f"  {_aligned(_HEAD, widths)}"]
        lines += [f"  {_aligned(row, widths)}" for row in part]
        if any(line.cut for line in snapshot.lines):
            lines.append("  * less than its footprint: part of it is shared with other programs, or swapped out")
        lines.append("")
    if len(snapshots) > 1:
        lines += [f"all of lowvox: {mb(sum(snapshot.usage.pss for snapshot in snapshots) / MB)} MB", ""]
    return "\n".join(lines[:-1]).encode(encoding, "replace").decode(encoding) + "\n"


def headline(snapshot: Snapshot) -> str:
    """Say in one line which process it is and what it takes of its budget."""
    taken = f"{plain(snapshot.command)} (pid {snapshot.pid}): {mb(snapshot.usage.pss / MB)} MB"
    if snapshot.budget is None:
        return f"{taken}; no budget"
    share = f", shared: {mb(snapshot.reserved / MB)} MB reserved" if snapshot.shared else ""
    return f"{taken} of {mb(snapshot.budget / MB)} MB{share}"


def document(snapshots: Iterable[Snapshot]) -> dict[str, Any]:
    """Return the object of `lowvox ps --json`: all parts, what is unattributed, and the same by process."""
    processes = [_process(snapshot) for snapshot in snapshots]
    return {
        "parts": [{"pid": process["pid"], **part} for process in processes for part in process["parts"]],
        "unattributed_mb": round(sum(process["unattributed_mb"] for process in processes), 1),
        "total_mb": round(sum(process["pss_mb"] for process in processes), 1),
        "processes": processes,
    }


def tenths(lines: Sequence[Line]) -> list[float]:
    """Round to tenths of a MB so that the lines still add up to their rounded sum."""
    sizes = [line.bytes for line in lines]
    return [share / 10 for share in apportion(round(sum(sizes) / MB * 10), sizes)]


def plain(text: str) -> str:
    """Keep what a file told on one line, and a terminal from obeying it."""
    return "".join(letter if letter.isprintable() else "?" for letter in short(text))


def status(holding: Holding) -> str:
    """Say what a resident does."""
    if holding.status == "idle":
        return f"idle {span(holding.idle_s)}"
    return f"{holding.status} x{holding.leases}" if holding.leases > 1 else holding.status


def span(seconds: float) -> str:
    """Write a time in its largest unit."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _rows(snapshot: Snapshot) -> list[tuple[str, ...]]:
    figures = tenths(snapshot.lines)
    rows = [_row(line, size) for line, size in zip(snapshot.lines, figures, strict=True)]
    return [*rows, ("total", "", "", "", "", f"{sum(figures):.1f}", "")]


def _row(line: Line, size: float) -> tuple[str, ...]:
    name, figure, holding = plain(line.name) + "*" * line.cut, f"{size:.1f}", line.holding
    if holding is None:
        return (name, "", "", "", "", figure, "")
    where = "in-process" if holding.pid is None else f"worker {holding.pid}"
    return (name, holding.role, where, status(holding), _kept(holding), figure, f"{holding.peak / MB:.1f}")


def _kept(holding: Holding) -> str:
    if holding.pinned:
        return "pinned"
    if holding.keep_alive < 0:
        return "for ever"
    return span(holding.keep_alive) if holding.keep_alive else "not kept"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if i < _LEFT else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _process(snapshot: Snapshot) -> dict[str, Any]:
    *figures, rest = tenths(snapshot.lines)
    return {
        "pid": snapshot.pid,
        "command": snapshot.command,
        "budget_mb": None if snapshot.budget is None else round(snapshot.budget / MB, 1),
        "shared": snapshot.shared,
        "reserved_mb": round(snapshot.reserved / MB, 1),
        "pss_mb": round(sum(figures) + rest, 1),
        "rss_mb": round(snapshot.usage.rss / MB, 1),
        "uss_mb": round(snapshot.usage.uss / MB, 1),
        "unattributed_mb": rest,
        "parts": [_part(line, size) for line, size in zip(snapshot.lines[:-1], figures, strict=True)],
    }


def _part(line: Line, size: float) -> dict[str, Any]:
    holding = line.holding
    if holding is None:
        return {"name": line.name, "resident_mb": size, "peak_mb": None}
    return {
        "name": line.name,
        "resident_mb": size,
        "peak_mb": round(holding.peak / MB, 1),
        "role": holding.role,
        "placement": holding.placement,
        "worker_pid": holding.pid,
        "status": holding.status,
        "streams": holding.streams,
        "leases": holding.leases,
        "idle_s": round(holding.idle_s, 1),
        "keep_alive_s": holding.keep_alive,
        "pinned": holding.pinned,
    }
