"""`lowvox top`: what every running lowvox holds, live."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, common

if TYPE_CHECKING:
    from lowvox.memory.survey import Snapshot

_UP = "\x1b[{}A"
_CLEAR = "\r\x1b[J"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


@click.command(epilog="\b\nExamples:\n  lowvox top\n  lowvox top --interval 5\n  lowvox top -n 1\n")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds from look to look."
)
@click.option("-n", "times", type=click.IntRange(min=1), metavar="N", help="End after N looks.")
@common
def command(interval: float, times: int | None, console: Console) -> None:
    """Watch what every running lowvox holds, until `q` or Ctrl-C.

    On a terminal it is drawn in place; elsewhere each look gives one line a process, with `--json` one object.
    """
    from lowvox.commands.keys import pressed
    from lowvox.memory.survey import survey

    drawn = not console.json and sys.stdout.isatty()
    view = _View() if drawn else _Lines(console)
    with pressed() as key:
        try:
            looks = 0
            while True:
                view.show(survey())
                looks += 1
                if looks == times or key(interval) == "q":
                    return
        finally:
            view.end()


class _Lines:
    """One line a process, or one object."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, snapshots: tuple[Snapshot, ...]) -> None:
        from lowvox.report import holdings, live

        if self._console.json:
            self._console.emit(holdings.document(snapshots))
            return
        clock = time.strftime("%H:%M:%S")
        for text in [live.line(snapshot, clock) for snapshot in snapshots] or [f"{clock}  {holdings.NOTHING}"]:
            click.echo(text)
        sys.stdout.flush()

    def end(self) -> None:
        """Nothing is left to do."""


class _View:
    """A picture that is drawn over itself."""

    def __init__(self) -> None:
        self._height = 0
        self._seen: dict[int, list[tuple[float, int]]] = {}

    def show(self, snapshots: tuple[Snapshot, ...]) -> None:
        from shutil import get_terminal_size

        from lowvox.report import live

        now = time.time()
        columns, rows = get_terminal_size()
        histories = {snapshot.pid: self._history(snapshot, now) for snapshot in snapshots}
        # The last column and row stay free: a terminal that wraps or scrolls would break the picture.
        lines = live.frame(snapshots, histories, now, (columns - 1, rows - 2), sys.stdout.encoding)
        lines.append("q ends")
        up = _UP.format(self._height) if self._height else _HIDE
        click.echo(up + _CLEAR + "\n".join(lines))
        self._height = len(lines)

    def _history(self, snapshot: Snapshot, now: float) -> list[tuple[float, int]]:
        """Return the last ten minutes: what the process keeps, and what was seen here where it keeps nothing."""
        from lowvox.memory import history, running
        from lowvox.report.live import SPAN_S

        seconds, minutes = history.read(running.history(snapshot.pid))
        seen = [(at, size) for at, size in self._seen.get(snapshot.pid, []) if at > now - SPAN_S]
        self._seen[snapshot.pid] = [*seen, (now, snapshot.usage.pss)]
        return [*seen, *((entry.time, entry.peak) for entry in seconds or minutes)]

    def end(self) -> None:
        click.echo(_SHOW, nl=False)
