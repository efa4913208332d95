"""The live view of `lowvox top` as lines of text: bars against the budget and the last ten minutes as a spark line.

Knows nothing of terminals except their size and the characters they have.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from lowvox.memory.meter import MB
from lowvox.report.holdings import NOTHING, headline, plain, status, tenths
from lowvox.report.memory import mb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lowvox.memory.survey import Snapshot

SPAN_S = 600.0
_SPARKS = "▁▂▃▄▅▆▇█"
_PLAIN_SPARKS = "_.:-=+*#"
_NAME = 24
_STATUS = 12


def frame(
    snapshots: Sequence[Snapshot],
    histories: Mapping[int, Sequence[tuple[float, int]]],
    now: float,
    size: tuple[int, int] = (80, 24),
    encoding: str = "utf-8",
) -> list[str]:
    """Return the lines of one picture, inside `size` (columns, rows); `histories` are (time, PSS in bytes) by pid."""
    columns, height = size
    lines = [line for one in snapshots for line in _process(one, histories.get(one.pid, ()), now, columns, encoding)]
    lines = lines or [NOTHING]
    if len(lines) > height:
        lines = [*lines[: height - 1], "..."]
    return [line[:columns].encode(encoding, "replace").decode(encoding) for line in lines]


def line(snapshot: Snapshot, clock: str) -> str:
    """Return one process on one line, for where nothing can be drawn."""
    rest = tenths(snapshot.lines)[-1]
    return f"{clock}  {headline(snapshot)}; {mb(rest)} MB unattributed"


def spark(samples: Iterable[tuple[float, int]], now: float, columns: int, encoding: str = "utf-8") -> str:
    """Draw the highest value of each column's time between its lowest (0) and the highest of all; gaps stay empty."""
    highest: dict[int, int] = {}
    for at, size in samples:
        column = floor((at - now + SPAN_S) / SPAN_S * columns)
        # What is sampled now belongs into the last column.
        column = min(column, columns - 1) if at <= now + 1 else columns
        if 0 <= column < columns:
            highest[column] = max(highest.get(column, 0), size)
    top = max([1, *highest.values()])
    signs = _SPARKS if _has(_SPARKS, encoding) else _PLAIN_SPARKS
    return "".join(
        signs[min(len(signs) - 1, highest[column] * len(signs) // top)] if column in highest else " "
        for column in range(columns)
    )


def _process(
    snapshot: Snapshot, samples: Sequence[tuple[float, int]], now: float, columns: int, encoding: str
) -> list[str]:
    full = max(snapshot.budget or 0, snapshot.usage.pss, 1)
    room = max(8, columns - _NAME - _STATUS - 14)
    lines = [headline(snapshot)]
    for part, size in zip(snapshot.lines, tenths(snapshot.lines), strict=True):
        what = status(part.holding) if part.holding else ""
        name = plain(part.name)[:_NAME]
        lines.append(f"  {name:{_NAME}}{what:{_STATUS}} {size:8.1f}  {_bar(part.bytes / full, room, encoding)}")
    lines.append(
        f"  {'total':{_NAME + _STATUS}} {snapshot.usage.pss / MB:8.1f}  "
        f"{_bar(snapshot.usage.pss / full, room, encoding)}"
    )
    highest = max([snapshot.usage.pss, *(size for at, size in samples if at > now - SPAN_S)])
    label = f"{'ten minutes, highest':{_NAME + _STATUS}} {highest / MB:8.1f}"
    lines.append(f"  {label}  {spark([*samples, (now, snapshot.usage.pss)], now, room, encoding)}")
    return [*lines, ""]


def _bar(share: float, room: int, encoding: str) -> str:
    full, empty = ("█", "░") if _has("█░", encoding) else ("#", ".")
    filled = round(room * min(1.0, share))
    return full * filled + empty * (room - filled)


def _has(characters: str, encoding: str) -> bool:
    return characters.encode(encoding, "replace").decode(encoding) == characters
