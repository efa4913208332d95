"""`lowvox rm`: remove an installed model."""

from __future__ import annotations

import sys

import click

from lowvox.commands.common import Console, common


@click.command(epilog="Example: lowvox rm vosk-model-small-de-0.15 --yes")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def command(console: Console, name: str, yes: bool) -> None:
    """Remove an installed model.

    Removes what was downloaded of it, too. Without a terminal to ask on, --yes is needed.
    """
    from lowvox.errors import UsageError
    from lowvox.models import install

    install.removable(name)
    if not yes and not sys.stdin.isatty():
        raise UsageError(f"Nobody is there to ask: run `lowvox rm {name} --yes`.")
    if not yes and not click.confirm(f"Remove {name}?", err=True):
        console.note("Nothing was removed.")
        return
    install.remove(name)
    if console.json:
        console.emit({"name": name, "removed": True})
    else:
        console.note(f"Removed {name}.")
