"""What tuning found, as text, as an object for JSON and as a picture. Measures nothing and chooses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.memory.meter import MB
from lowvox.report.memory import COLOURS, GREY, RED, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.memory.tuning import Row, Tuning
    from lowvox.types import Placement

_HEAD = ("", "profile", "threads", "window", "runs in", "peak MB", "RTF", "+-", "load s")


@dataclass(frozen=True, slots=True)
class Line:
    """One way; the field names are the keys of `--json`. `rtf` and `spread` are null where it was not timed.

    `front` says that it is among the best, `usual` that lowvox runs the model so where it was not tuned, `chosen` that
    it does from now on, within the budget.
    """

    profile: str
    threads: int
    window: int | None
    placement: Placement
    peak_mb: float
    resident_mb: float
    rtf: float | None
    spread: float | None
    runs: int
    load_s: float
    front: bool
    usual: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Document:
    """The object of `lowvox tune --json`. `tolerance` is the share by which equal times differ."""

    model: str
    engine: str
    rows: tuple[Line, ...]
    tolerance: float
    budget_mb: float | None
    stored: bool
    failed: tuple[str, ...]


def document(found: Tuning, chosen: Row | None, budget: int | None, *, stored: bool) -> Document:
    """Return what was found as an object; `chosen` is the way that fits the budget of so many bytes."""
    return Document(
        model=found.model.name,
        engine=found.model.engine,
        rows=tuple(_line(row, found, chosen) for row in (*found.rows, *found.elsewhere)),
        tolerance=round(found.tolerance, 4),
        budget_mb=None if budget is None else round(budget / MB, 1),
        stored=stored,
        failed=found.failed,
    )


def text(found: Tuning, chosen: Row | None) -> str:
    """Return the table, the best ways marked, and what follows in plain words; ends with a line end."""
    rows = [_HEAD, *(_cells(_line(row, found, chosen)) for row in (*_ordered(found), *found.elsewhere))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        words = [cell.ljust(width) for cell, width in zip(row[:5], widths[:5], strict=True)]
        figures = [cell.rjust(width) for cell, width in zip(row[5:], widths[5:], strict=True)]
        lines.append("  ".join([*words, *figures]).rstrip())
    return "\n".join([*lines, "", *_words(found, chosen)]) + "\n"


def png(found: Tuning) -> bytes:
    """Draw peak against speed, the front as a line; needs matplotlib."""
    from lowvox.report.memory_plot import drawing, encoded

    figure = drawing(figsize=(8.0, 5.0), dpi=150)
    axes = figure.add_axes((0.1, 0.12, 0.86, 0.76))
    rest = [row for row in found.rows if row not in found.front]
    axes.scatter([row.rtf for row in rest], [row.footprint.peak() / MB for row in rest], color=GREY, label="measured")
    best = [(row.rtf, row.footprint.peak() / MB) for row in found.front]
    axes.plot(*zip(*best, strict=True), "o-", color=COLOURS[0], label="the best")
    axes.plot(
        found.usual.rtf, found.usual.footprint.peak() / MB, "s", color=RED, label="usual", fillstyle="none", ms=11
    )
    for row, point in zip(found.front, best, strict=True):
        axes.annotate(described(row), point, (6, 6), textcoords="offset points", fontsize=8)
    axes.set(xlabel="time of a run over that of its sound (RTF)", ylabel="peak, MB")
    axes.margins(x=0.15, y=0.12)
    axes.grid(alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.text(0.1, 0.93, short(found.model.name).replace("$", r"\$"), size=14, weight="bold")
    return encoded(figure)


def described(row: Row) -> str:
    """Name a way: "no-arena, 2 threads, window 64"."""
    profile = row.choice.profile
    threads = "1 thread" if profile.threads == 1 else f"{profile.threads} threads"
    return ", ".join([profile.name, threads, *([f"window {profile.window}"] if profile.window else [])])


def _ordered(found: Tuning) -> list[Row]:
    """Return the rows by speed."""
    return sorted(found.rows, key=lambda row: row.rtf or 0.0)


def _line(row: Row, found: Tuning, chosen: Row | None) -> Line:
    profile = row.choice.profile
    return Line(
        profile=profile.name,
        threads=profile.threads,
        window=profile.window,
        placement=row.choice.placement,
        peak_mb=round(row.footprint.peak() / MB, 1),
        resident_mb=round((row.footprint.resident + row.footprint.stream) / MB, 1),
        rtf=None if row.rtf is None else float(f"{row.rtf:.4g}"),
        spread=round(row.spread, 4) if row.rtfs else None,
        runs=len(row.rtfs),
        load_s=round(row.footprint.load_s, 3),
        front=row in found.front,
        usual=row == found.usual,
        chosen=row == chosen,
    )


def _cells(line: Line) -> tuple[str, ...]:
    sign = "*" if line.front else ""
    return (
        sign + (">" if line.chosen else "") + ("u" if line.usual else ""),
        line.profile,
        str(line.threads),
        str(line.window or "-"),
        "its own process" if line.placement == "worker" else "lowvox's process",
        f"{line.peak_mb:.1f}",
        "-" if line.rtf is None else f"{line.rtf:.3g}",
        "-" if line.spread is None else f"{100 * line.spread:.0f} %",
        f"{line.load_s:.2f}",
    )


def _words(found: Tuning, chosen: Row | None) -> Iterator[str]:
    yield (
        "* among the best: no other is as fast and smaller. > how it will run. u as it runs where it is not tuned. "
        f"Times that differ by less than {100 * found.tolerance:.0f} % count as equal."
    )
    yield from (f"Left out: {sentence}" for sentence in found.failed)
    if chosen is not None:
        yield _gain(found.usual, chosen)


def _gain(usual: Row, chosen: Row) -> str:
    """Say what the choice takes against the usual way."""
    if chosen == usual:
        return f"The usual way ({described(usual)}) is the best there is."
    pace = (chosen.rtf or 0.0) / max(usual.rtf or 0.0, 1e-12)
    peak = chosen.footprint.peak() / max(usual.footprint.peak(), 1)
    return f"It will run as {described(chosen)}: {pace:.2f} x the time and {peak:.2f} x the peak of the usual way."
