"""`lowvox leaks`: whether a model gives its memory back, tried out in processes that are thrown away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, common

if TYPE_CHECKING:
    from lowvox.engines import Entry
    from lowvox.memory.exercise import Lifetime
    from lowvox.memory.leaks import Finding
    from lowvox.types import Model


@click.command(
    epilog="\b\nExamples:\n  lowvox leaks espeak\n  lowvox leaks vosk-model-small-de-0.15 -n 50 --plot leaks.png\n"
)
@click.argument("name", metavar="ENGINE|MODEL")
@click.option("-n", "turns", metavar="N", default=20, show_default=True, type=click.IntRange(4), help="Turns of each.")
@click.option("--plot", metavar="PATH", type=click.Path(path_type=Path), help="Draw the memory as .png.")
@common
def command(name: str, turns: int, plot: Path | None, console: Console) -> int:
    """Find out whether an engine gives its memory back, with numbers.

    It loads, runs and unloads the model N times, opens and closes N streams, runs one stream N times, and starts N
    workers where the engine has them. The exit status is 1 when growth is proven, 0 when there is none or more turns
    are needed to tell.
    """
    from lowvox import engines
    from lowvox.memory.leaks import overall
    from lowvox.report import leaks as report

    if plot:
        _check(plot)  # now rather than after the work
    model = subject(name)
    engines.require(model.engine)
    findings = _findings(model, engines.entry(model.engine), turns, console)
    if plot:
        _draw(plot, model, findings)
    if console.json:
        console.emit(report.document(model, findings))
    else:
        click.echo(report.text(model, findings), nl=False)
    return 1 if overall(findings) == "grows" else 0


def subject(name: str) -> Model:
    """Return the model of that name, or one of the engine's; NotFoundError says which command brings one."""
    from lowvox import engines, models
    from lowvox.errors import NotFoundError
    from lowvox.models import choose, store

    here = {record.name: record.engine for record in models.records().values() if record.embedded}
    here |= {found.name: found.engine for found in models.installed()}
    if name in engines.ENGINES:
        engine: str | None = name
        name = next((model for model, its in here.items() if its == engine), "")
        if not name:
            raise NotFoundError(f"No model of the engine {engine!r} is installed; `lowvox models` lists what there is.")
    elif (folder := Path(name).expanduser()).is_dir():
        engine = store.read(folder.resolve()).engine
    else:
        engine = here.get(name)
    if engine is None:
        raise choose.missing(name)
    return models.find(engines.entry(engine).role, name=name)


def _findings(model: Model, entry: Entry, turns: int, console: Console) -> list[Finding]:
    from lowvox.memory.exercise import exercise
    from lowvox.memory.leaks import judge

    lifetimes: list[Lifetime] = ["load", "stream", "run"]
    if "worker" in entry.placements:
        lifetimes.append("worker")
    findings: list[Finding] = []
    with console.progress("Loading, running, unloading") as reach:
        for lifetime in lifetimes:

            def told(turn: int) -> None:
                reach(len(findings) * turns + turn, len(lifetimes) * turns)

            held = exercise(entry.at, model, entry.ways(model)[0], lifetime, turns, told=told)
            findings.append(judge(lifetime, held))
    return findings


def _check(plot: Path) -> None:
    from lowvox import report
    from lowvox.errors import UsageError

    if plot.suffix.lower() != ".png":
        raise UsageError(f"The memory is drawn as .png; {plot.name!r} does not end in it.")
    report.check(plot)


def _draw(plot: Path, model: Model, findings: list[Finding]) -> None:
    from lowvox.files import replacing
    from lowvox.report import leaks as report

    series = {report.TURNS[finding.lifetime]: finding.held for finding in findings}
    with replacing(plot, "wb") as file:
        file.write(report.png(f"{model.name}: what stays after each turn", series))
