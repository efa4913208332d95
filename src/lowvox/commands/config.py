"""`lowvox config`: where the settings file is, what is set, and a commented file to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, common

if TYPE_CHECKING:
    from lowvox.settings import Key


@click.group(epilog="Example: lowvox config show")
def command() -> None:
    """Show the settings, where each comes from, and where the file is."""


@command.command(epilog="Example: lowvox config path")
@common
def path(console: Console) -> None:
    """Print where the settings file is, or would be."""
    from lowvox import settings

    file = settings.path()
    if console.json:
        console.emit({"path": str(file), "exists": file.exists()})
        return
    click.echo(file)
    if not file.exists():
        console.note("It is not there yet, so the defaults hold; `lowvox config init` writes one to begin with.")


@command.command(epilog="Example: lowvox config show --json")
@common
def show(console: Console) -> None:
    """Show every setting with its source: default, file or environment."""
    from lowvox import settings

    values = settings.values()
    if console.json:
        console.emit({"path": str(settings.path()), "settings": values})
        return
    rows = [(found.key, toml(found.value), found.source) for found in values]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, value, source in rows:
        click.echo(f"{key:{widths[0]}}  {value:{widths[1]}}  {source}")


@command.command(epilog="Example: lowvox config init")
@common
def init(console: Console) -> None:
    """Write a commented file to begin with. One that is there stays as it is."""
    from lowvox import settings
    from lowvox.errors import UsageError
    from lowvox.files import replacing, unwritable

    file = settings.path()
    if file.exists():
        raise UsageError(f"The settings file {file} is there already; edit it, or move it away first.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(file, error) from error
    with replacing(file) as beside:
        beside.write(_template(settings.KEYS))
    if console.json:
        console.emit({"path": str(file), "exists": True})
    else:
        click.echo(file)


def toml(value: object) -> str:
    """Write a value as the settings file would."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _template(keys: dict[str, Key]) -> str:
    """Return a settings file that changes nothing until a line is uncommented."""
    lines = ["# Settings of lowvox. Remove the # before a line to make it hold; docs/settings.md says more."]
    table = ""
    for key in keys.values():
        if key.name.partition(".")[0] != table:
            table = key.name.partition(".")[0]
            lines += ["", f"[{table}]"]
        value = "..." if key.default is None else toml(key.default)
        lines += [f"# {key.meaning}: {key.allowed}", f"# {key.name.partition('.')[2]} = {value}"]
    return "\n".join(lines) + "\n"
