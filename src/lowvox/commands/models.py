"""`lowvox models`: the models that are here and those that `pull` can bring, as a table or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from lowvox.commands.common import Console, budget_option, common
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from lowvox.models import Installed, Quality, Record

State = Literal["installed", "damaged", "built in", "available"]
# Longer lists of languages are counted instead.
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One model; the field names are the keys of `--json`. None: not published, or not known."""

    name: str
    state: State
    role: str
    engine: str
    languages: tuple[str, ...]
    size_mb: float | None
    quality: Quality | None
    memory_mb: int | None
    licence: str | None
    problem: str | None = None


@click.command(epilog="\b\nExamples:\n  lowvox models -l de\n  lowvox models --voices -l en --budget 100MB\n")
@click.option("-l", "--language", metavar="LANG", help="Only models for this language, such as en, ru or pt-br.")
@click.option("--voices", is_flag=True, help="Only voices, and which of them speaks where none is asked for.")
@budget_option
@common
def command(console: Console, language: str | None, voices: bool, budget: str | None) -> None:
    """List the models that are installed and those that `pull` can bring.

    The quality is the error rate that its makers publish, each on a test set of its own.
    """
    from lowvox.models import catalogue

    if budget and not voices:
        raise click.UsageError("--budget is for --voices: `lowvox fit` plans the other roles.")
    rows = [row for row in _rows() if row.role == "synthesizer" or not voices]
    if language:
        rows = [row for row in rows if catalogue.serves(row.languages, language)]
        if not rows:
            raise catalogue.unknown(language)
    chosen = _speaker(language, budget, console) if voices else {}
    if console.json:
        console.emit({"models": rows, **chosen})
        return
    _show(rows)
    for row in rows:
        if row.problem:
            console.note(row.problem)
    if chosen:
        console.note(f"\nWhere no voice is asked for, {chosen['voice']} speaks {chosen['language']}.")


def _speaker(language: str | None, budget: str | None, console: Console) -> dict[str, str]:
    """Ask the planner who speaks a language, inside a budget."""
    from lowvox.speech import Speech

    with Speech(language=language, budget=budget, on_note=console.note) as speech:
        return {"voice": speech.speaker().model.name, "language": speech.language}


def _rows() -> list[Row]:
    """Return what is installed, what is built in, and what is left to pull."""
    from lowvox.models import installed, records

    here = [_installed(found, records().get(found.name)) for found in installed()]
    names = {row.name for row in here}
    built_in = [_listed(record, "built in") for record in records().values() if record.embedded]
    left = [record for record in records().values() if not record.embedded and record.name not in names]
    return [*here, *built_in, *(_listed(record, "available") for record in left)]


def _installed(found: Installed, record: Record | None) -> Row:
    from lowvox.engines import entry

    return Row(
        name=found.name,
        state="damaged" if found.problem else "installed",
        role=entry(found.engine).role,
        engine=found.engine,
        languages=found.languages,
        size_mb=round(found.size / MB, 1),
        quality=record.quality if record else None,
        memory_mb=record.memory_mb if record else None,
        licence=record.licence if record else None,
        problem=found.problem,
    )


def _listed(record: Record, state: State) -> Row:
    return Row(
        name=record.name,
        state=state,
        role=record.role,
        engine=record.engine,
        languages=record.languages,
        size_mb=round(record.size / MB, 1) if record.size else None,
        quality=record.quality,
        memory_mb=record.memory_mb,
        licence=record.licence,
    )


def _show(rows: list[Row]) -> None:
    """Print a table with a headline for each state."""
    table = [("NAME", "LANGUAGE", "SIZE", "PUBLISHED QUALITY", "LICENCE"), *map(_cells, rows)]
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    states: set[str] = set()
    for row, cells in zip([None, *rows], table, strict=True):
        if row and row.state not in states:
            states.add(row.state)
            how = " (`lowvox pull NAME` brings one)" if row.state == "available" else ""
            click.echo(f"\n{row.state.capitalize()}{how}")
        click.echo("  ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    """Return what the table shows of a model."""
    spoken = row.languages if len(row.languages) <= _SHOWN else (f"{len(row.languages)} languages",)
    return (
        row.name,
        ", ".join(spoken) or "any",
        f"{row.size_mb:.0f} MB" if row.size_mb is not None else "-",
        f"{row.quality.value:g} % {row.quality.metric}" if row.quality else "-",
        row.licence or "not stated",
    )
