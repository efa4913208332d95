"""`lowvox tune`: the best ways to run a model on this machine, measured, and remembered for plans."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lowvox.commands.common import Console, budget_option, common

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.engines import Entry
    from lowvox.memory.footprints import Footprints
    from lowvox.memory.stated import Session
    from lowvox.memory.tuning import Row, Tuning
    from lowvox.settings import Settings
    from lowvox.types import Choice, Model


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox tune lowvox-voice\n"
    "  lowvox tune en_US-amy-medium --threads 1,2 --budget 150MB --plot front.png\n"
    "  lowvox tune en_US-amy-medium --forget\n"
)
@click.argument("name", metavar="MODEL")
@click.option("--threads", metavar="LIST", help="Numbers of threads to try, such as 1,2; without it up to all cores.")
@budget_option
@click.option("--plot", metavar="PATH", type=click.Path(path_type=Path), help="Draw peak against speed as .png.")
@click.option("--forget", is_flag=True, help="Run the model as usual again.")
@common
def command(
    name: str, threads: str | None, budget: str | None, plot: Path | None, forget: bool, console: Console
) -> None:
    """Find the best ways to run a model on this machine, in memory and in speed.

    It measures session profiles, window sizes and numbers of threads in processes that are thrown away, which takes
    seconds for a small model and minutes for a large voice. From then on the model runs as the fastest way does that
    fits the budget. What the settings state ([onnx], threads) stays as stated.
    """
    from lowvox import engines, settings
    from lowvox.commands.leaks import subject
    from lowvox.memory import stated as said

    if plot:
        _check(plot)  # now rather than after the work
    told = settings.load()
    model = subject(name)
    entry = engines.entry(model.engine)
    engines.require(model.engine)
    stated, own = _stated(entry, told, console)
    if forget:
        _forget(model, entry, stated, console)
        return
    counts = _counts(threads, own)
    limit = said.budget(budget, told.memory.budget)
    if not _tunable(entry):
        _nothing(model, console)
        return
    _tuned(model, entry, counts, stated, None if limit is None else limit.bytes, plot, console)


def _tuned(
    model: Model,
    entry: Entry,
    counts: list[int],
    stated: Session,
    room: int | None,
    plot: Path | None,
    console: Console,
) -> None:
    """Tune, keep what was found and show it."""
    from lowvox.memory import tuned, tuning
    from lowvox.memory.footprints import Footprints
    from lowvox.report import tuning as report

    footprints = Footprints()
    _warn(console)
    with console.progress(f"Tuning {model.name}") as reach:
        found = tuning.tune(model, entry, counts, stated, footprints.of, _pace(model, entry), reach)
    ways = [row.way for row in found.timed]
    stored = tuning.sessions(entry) and tuned.keep(model, entry.package, stated, ways, found.tolerance)
    if plot:
        _draw(plot, found)
    chosen = _fitting(found, room, footprints)
    if console.json:
        console.emit(report.document(found, chosen, room, stored=stored))
    else:
        click.echo(report.text(found, chosen), nl=False)
    if chosen is None:
        raise _too_large(found, room or 0, footprints)
    if not stored:
        console.note(_kept_not(model, entry))


def _pace(model: Model, entry: Entry) -> Callable[[Choice], float]:
    """Return what times a way."""
    from functools import partial

    from lowvox.memory import pace

    return partial(pace.rtf, entry=entry, heard=pace.sound(model))


def _tunable(entry: Entry) -> bool:
    """Whether there is more than one way."""
    from lowvox.memory.tuning import sessions

    return sessions(entry) or len(entry.placements) > 1


def _nothing(model: Model, console: Console) -> None:
    sentence = f"There is nothing to tune: {model.name} runs in one way only."
    if console.json:
        console.emit({"model": model.name, "engine": model.engine, "rows": [], "stored": False, "note": sentence})
    else:
        click.echo(sentence)


def _kept_not(model: Model, entry: Entry) -> str:
    from lowvox.memory.tuning import sessions

    if sessions(entry):
        return "The choice could not be kept: the folder of lowvox's measurements cannot be written (`lowvox doctor`)."
    return f"Nothing was changed: where {model.name} runs follows from the budget (`lowvox fit`)."


def _stated(entry: Entry, told: Settings, console: Console) -> tuple[Session, int | None]:
    """Return what the settings state of sessions, and of threads."""
    from lowvox.memory import stated as said
    from lowvox.memory.tuning import sessions

    pairs = dict(said.session(told.onnx, console.note)) if sessions(entry) else {}
    own = pairs.pop("intra_op_num_threads", None)
    return tuple(pairs.items()), own or told.recognition.threads


def _counts(threads: str | None, own: int | None) -> list[int]:
    """Return the numbers of threads to try: as listed, else as the settings state, else all powers of two and cores."""
    from lowvox.errors import UsageError

    cores = os.cpu_count() or 1
    if threads is None:
        return [own] if own else sorted({1, cores, *(count for count in (2, 4, 8, 16, 32) if count < cores)})
    try:
        counts = sorted({int(count) for count in threads.split(",")})
    except ValueError:
        counts = [0]
    if counts[0] < 1 or counts[-1] > cores:
        raise UsageError(f"--threads takes whole numbers from 1 to {cores} with commas between; got {threads!r}.")
    return counts


def _forget(model: Model, entry: Entry, stated: Session, console: Console) -> None:
    from lowvox.memory import tuned

    forgotten = tuned.forget(model, entry.package, stated)
    if console.json:
        console.emit({"model": model.name, "forgotten": forgotten})
    else:
        click.echo(f"{model.name} runs as usual again." if forgotten else f"{model.name} was not tuned.")


def _base(found: Tuning, footprints: Footprints) -> int:
    """Bytes that are there anyway."""
    return footprints.base + (footprints.sound() if found.model.role in ("vad", "recognizer") else 0)


def _fitting(found: Tuning, room: int | None, footprints: Footprints) -> Row | None:
    """Return the fastest of the best that fits, None where none does."""
    left = float("inf") if room is None else room - _base(found, footprints)
    return next((row for row in found.front if row.footprint.peak() <= left), None)


def _too_large(found: Tuning, room: int, footprints: Footprints) -> Exception:
    from lowvox.errors import BudgetError
    from lowvox.memory.meter import MB
    from lowvox.memory.planner import offer

    needed = found.front[-1].footprint.peak() + _base(found, footprints)
    return BudgetError(
        f"The smallest way to run {found.model.name} needs {-(-needed // MB)} MB at its peak and the budget is "
        f"{room // MB} MB; give it --budget {offer(needed)}MB or more.",
        needed=needed,
        budget=room,
    )


def _warn(console: Console) -> None:
    """Say so where other work would slow the timing down."""
    cores = os.cpu_count() or 1
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > cores / 2:
        console.note("Other programs keep the processor busy: threads may look slower than they are.")


def _check(plot: Path) -> None:
    from lowvox import report
    from lowvox.errors import UsageError

    if plot.suffix.lower() != ".png":
        raise UsageError(f"The front is drawn as .png; {plot.name!r} does not end in it.")
    report.check(plot)


def _draw(plot: Path, found: Tuning) -> None:
    from lowvox.files import replacing
    from lowvox.report import tuning as report

    with replacing(plot, "wb") as file:
        file.write(report.png(found))
