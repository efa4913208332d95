"""The memory table as text for a terminal, and what its other forms share with it: sentence, stack, scale, colours.

Knows nothing of how memory is measured or where the text goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lowvox.types import MemoryReport, Part

WIDTH = 80
_LONGEST_NAME = 32

# What no part accounts for: memory that runs take and give back, and what the libraries share.
REST = "at work, shared and unattributed"

# Okabe and Ito's colours, which people with any kind of colour vision tell apart. REST is grey.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c7a00")
GREY = "#aab2bd"
RED = "#b3261e"


def table(report: MemoryReport, encoding: str = "utf-8") -> str:
    """Return the table, at most 80 columns wide, in characters that `encoding` has; ends with a line end.

    A bar shows a part's peak against the budget, or against the highest figure where there is none.
    """
    full, empty, none = ("█", "░", "–") if _has(encoding, "█░–") else ("#", ".", "-")
    head = ("part", "resident MB", "peak MB")
    rows = [(short(part.name), _figure(part.resident_mb), _figure(part.peak_mb, none)) for part in report.parts]
    rows.append(("all of it", "", _figure(report.peak_pss_mb)))
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    room = WIDTH - sum(widths) - 2 * len(widths)
    heights = [*(_height(part) for part in report.parts), report.peak_pss_mb]
    lines = [f"{_aligned(head, widths)}  of {'the budget, ' if report.budget_mb else ''}{mb(scale(report))} MB"]
    for row, height in zip(rows, heights, strict=True):
        filled = round(room * min(1.0, height / scale(report)))
        lines.append(f"{_aligned(row, widths)}  {full * filled}{empty * (room - filled)}")
    lines += [f"PSS is what counts; RSS was {mb(report.peak_rss_mb)} MB, USS {mb(report.peak_uss_mb)} MB"]
    return _encodable("\n".join([*lines, headroom(report)]), encoding) + "\n"


def headroom(report: MemoryReport) -> str:
    """Say in plain words what the peak was, and what it left of the budget."""
    peak, budget = report.peak_pss_mb, report.budget_mb
    if budget is None:
        return f"peak {mb(peak)} MB; no budget was set"
    # From the rounded figures, so that the three add up as they stand.
    left = round(budget, 1) - round(peak, 1)
    if peak > budget:
        return f"peak {mb(peak)} MB of {mb(budget)} MB; {mb(max(0.1, -left))} MB over the budget"
    return f"peak {mb(peak)} MB of {mb(budget)} MB; {mb(max(0.0, left))} MB left"


def stack(report: MemoryReport) -> list[tuple[str, float]]:
    """Return (name, MB) of what lies in memory: each part's resident share, then REST up to the peak."""
    parts = [(part.name, part.resident_mb) for part in report.parts]
    rest = report.peak_pss_mb - sum(size for _, size in parts)
    return [*parts, (REST, rest)] if rest > 0 else parts


def scale(report: MemoryReport) -> float:
    """Return how many MB a full bar stands for; more than 0."""
    if report.budget_mb:
        return report.budget_mb
    return max([report.peak_pss_mb, 0.1, *map(_height, report.parts)])


def mb(size: float) -> str:
    """Write MB with one decimal, and without it where that is 0."""
    return f"{size:.1f}".removesuffix(".0")


def short(name: str) -> str:
    """Keep a name on one line and inside its column."""
    name = " ".join(name.split())
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


def _aligned(row: Iterable[str], widths: list[int]) -> str:
    """Put names to the left and figures to the right of their columns."""
    name, *figures = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([name.strip().ljust(widths[0]), *figures])


def _height(part: Part) -> float:
    """How much of the bar a part takes, in MB."""
    return part.resident_mb if part.peak_mb is None else part.peak_mb


def _figure(size: float | None, none: str = "") -> str:
    """Write MB for a column: one decimal, always."""
    return none if size is None else f"{size:.1f}"


def _has(encoding: str, characters: str) -> bool:
    return _encodable(characters, encoding) == characters


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "replace").decode(encoding)
