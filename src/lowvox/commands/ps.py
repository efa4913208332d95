"""`lowvox ps`: what every running lowvox holds, and its last 24 hours as a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, common

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.memory.survey import Snapshot


@click.command(epilog="\b\nExamples:\n  lowvox ps\n  lowvox ps --json\n  lowvox ps --export day.csv\n")
@click.option("--export", metavar="PATH", help="Write the last 24 hours as .csv, .json or .png.")
@common
def command(export: str | None, console: Console) -> None:
    """Show what every running lowvox holds in memory, every byte attributed.

    The bytes are measured now (PSS, the same that a budget counts), each resident model's among them.
    """
    from pathlib import Path

    from lowvox.memory.survey import survey
    from lowvox.report import history, holdings

    if export:
        history.check(export)
    snapshots = survey()
    if export:
        _export(Path(export), snapshots)
        console.note(f"Written: {export}")
    if console.json:
        console.emit(holdings.document(snapshots))
    elif not export:
        click.echo(holdings.table(snapshots, sys.stdout.encoding), nl=False)


def _export(path: Path, snapshots: tuple[Snapshot, ...]) -> None:
    from lowvox.errors import NotFoundError
    from lowvox.memory import history as kept
    from lowvox.memory import running
    from lowvox.report import history

    stories = []
    for snapshot in snapshots:
        seconds, minutes = kept.read(running.history(snapshot.pid))
        if seconds or minutes:
            stories.append(history.Story(snapshot.pid, snapshot.command, snapshot.budget, minutes, seconds))
    if not stories:
        raise NotFoundError("No running lowvox has a history yet; start one, and try again after some seconds.")
    history.save(path, stories)
