"""`lowvox pull`: bring a model from the network or from disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, common
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.models import Installed


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox pull vosk-model-small-de-0.15\n"
    "  lowvox pull vosk-model-small-de-0.15 --mirror http://192.168.1.5:8000\n"
    "  lowvox pull ./my-model.zip --name mine\n"
)
@click.argument("model", metavar="NAME|PATH")
@click.option("--mirror", metavar="URL", help="Fetch from this folder of another server.")
@click.option("--name", metavar="NAME", help="Call a model from disk so.")
@common
def command(console: Console, model: str, mirror: str | None, name: str | None) -> None:
    """Install a model by name, or from a folder or archive on disk.

    `lowvox models` lists the names. A download that was cut goes on where it stopped. A name of that list wins over a
    file of the same name; write ./NAME for the file.
    """
    from lowvox.errors import UsageError
    from lowvox.models import records

    by_name = model in records() or not (_looks_like_path(model) or Path(model).exists())
    if by_name and name:
        raise UsageError("--name is for models from disk; those of `lowvox models` keep their names.")
    if mirror and not by_name:
        raise UsageError("--mirror is for models of `lowvox models`; one from disk is copied.")
    found = _pull(console, model, mirror) if by_name else _bring(console, Path(model), name)
    if console.json:
        console.emit({"name": found.name, "path": str(found.path), "size_mb": round(found.size / MB, 1)})
    else:
        console.note(f"Installed {found.name} ({found.size / MB:.0f} MB) in {found.path}.")


def _looks_like_path(model: str) -> bool:
    return "/" in model or "\\" in model


def _pull(console: Console, name: str, mirror: str | None) -> Installed:
    """Download, with a bar that starts where the last download stopped."""
    from lowvox.models import install

    with console.progress(f"Pulling {name}") as reach:
        return install.pull(name, mirror=mirror, progress=reach)


def _bring(console: Console, path: Path, name: str | None) -> Installed:
    """Copy from disk."""
    from lowvox import engines
    from lowvox.models import install

    found = install.bring(path, name)
    if not found.languages:
        option = "-v" if engines.entry(found.engine).role == "synthesizer" else "-m"
        console.note(f"Its name does not tell its language: choose it with `{option} {found.name}`.")
    return found
