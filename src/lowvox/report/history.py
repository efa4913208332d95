"""The history of running lowvox processes as CSV, JSON or PNG; the ending of the name says which.

That is the last 24 hours by the minute, then by the second what no minute holds yet. Reads no history itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowvox import extras
from lowvox.errors import NotFoundError, UsageError
from lowvox.memory.meter import MB
from lowvox.report.memory import COLOURS, RED, mb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.memory.rings import Entry

_FORMS = (".csv", ".json", ".png")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry; the field names are the columns. `time` is in UTC; `peak_mb` is the highest PSS of the interval."""

    time: str
    interval_s: int
    pss_mb: float
    rss_mb: float
    uss_mb: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Story:
    """The history of one process, oldest first; `budget` in bytes."""

    pid: int
    command: str
    budget: int | None
    minutes: Sequence[Entry]
    seconds: Sequence[Entry]

    def samples(self) -> list[tuple[int, Entry]]:
        """Return (length of its interval in seconds, entry): minutes, then the seconds that no minute holds yet."""
        covered = self.minutes[-1].time if self.minutes else 0.0
        later = [(1, entry) for entry in self.seconds if entry.time > covered]
        return [*((60, entry) for entry in self.minutes), *later]


def check(path: str | Path) -> None:
    """Raise UsageError where no form belongs to the ending, NotFoundError for .png without matplotlib."""
    from importlib.util import find_spec

    form = Path(path).suffix.lower()
    if form not in _FORMS:
        raise UsageError(f"A history is saved as .csv, .json or .png; {Path(path).name!r} ends in none of them.")
    if form == ".png" and find_spec("matplotlib") is None:
        raise NotFoundError(
            f"A PNG needs matplotlib: run `{extras.command('plot')}`, or name a file that ends in .csv or .json."
        )


def save(path: str | Path, stories: Sequence[Story]) -> None:
    """Write the histories to `path`; raises what `check` raises, and OutputError where writing fails."""
    from lowvox.files import replacing

    check(path)
    render = {".csv": _csv, ".json": _json, ".png": _png}[Path(path).suffix.lower()]
    content = render(stories)
    with replacing(Path(path), "wb") as file:
        file.write(content)


def rows(story: Story) -> list[Row]:
    """Return the history of one process in MB of 2^20 bytes."""
    return [
        Row(
            datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="seconds"),
            interval,
            pss_mb=round(entry.pss / MB, 2),
            rss_mb=round(entry.rss / MB, 2),
            uss_mb=round(entry.uss / MB, 2),
            cpu_s=round(entry.cpu_s, 2),
            peak_mb=round(entry.peak / MB, 2),
        )
        for interval, entry in story.samples()
    ]


def _csv(stories: Sequence[Story]) -> bytes:
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["pid", *Row.__slots__])
    for story in stories:
        writer.writerows([story.pid, *asdict(row).values()] for row in rows(story))
    return text.getvalue().encode()


def _json(stories: Sequence[Story]) -> bytes:
    import msgspec

    processes = [
        {
            "pid": story.pid,
            "command": story.command,
            "budget_mb": None if story.budget is None else round(story.budget / MB, 1),
            "entries": rows(story),
        }
        for story in stories
    ]
    return msgspec.json.encode({"processes": processes}) + b"\n"


def _png(stories: Sequence[Story]) -> bytes:
    from lowvox.report.memory_plot import drawing, encoded

    figure = drawing(figsize=(9.0, 4.2), dpi=150)
    axes = figure.add_axes((0.08, 0.2, 0.89, 0.66))
    zone = datetime.now().astimezone().tzinfo
    for i, story in enumerate(stories):
        samples = [entry for _, entry in story.samples()]
        times = [datetime.fromtimestamp(entry.time, zone) for entry in samples]
        colour, name = COLOURS[i % len(COLOURS)], f"{story.command} (pid {story.pid})".replace("$", r"\$")
        axes.plot(times, [entry.peak / MB for entry in samples], color=colour, label=name)
        axes.fill_between(times, [entry.pss / MB for entry in samples], color=colour, alpha=0.15, linewidth=0)
    _frame(axes, stories, zone)
    figure.text(0.08, 0.93, "The memory that lowvox took", size=14, weight="bold")
    return encoded(figure)


def _frame(axes: Any, stories: Sequence[Story], zone: Any) -> None:
    """Draw budgets, scale and legend."""
    from importlib import import_module

    dates: Any = import_module("matplotlib.dates")  # which tells no types
    for budget in sorted({story.budget for story in stories if story.budget}):
        axes.axhline(budget / MB, color=RED, linestyle="--", label=f"budget {mb(budget / MB)} MB")
    locator = dates.AutoDateLocator(minticks=3, tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("MB (highest PSS of each minute)")
    axes.margins(x=0.01)
    axes.grid(axis="y", alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.1), ncols=2, frameon=False, fontsize=9)
