"""A plan as text for a terminal, and as the object of `lowvox fit --json`. Plans nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.memory.meter import MB
from lowvox.memory.planner import offer
from lowvox.memory.tradeoffs import label
from lowvox.report.memory import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.memory.planner import Plan, Planned
    from lowvox.types import Placement, Role

_HEAD = ("part", "role", "runs in", "streams", "resident MB", "peak MB")


@dataclass(frozen=True, slots=True)
class Row:
    """One part; the field names are the keys of `--json`.

    `cap` is the longest input, None for the role's own. `tuned` says that `lowvox tune` found its profile.
    """

    role: Role
    model: str
    variant: str
    profile: str
    resident_mb: float | None
    peak_mb: float | None
    placement: Placement
    streams: int
    residents: int
    runs: int
    cap: float | None
    threads: int
    window: int | None
    tuned: bool


@dataclass(frozen=True, slots=True)
class Base:
    """What is there whatever runs."""

    name: str
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A plan; the field names are the keys of `--json`.

    Where nothing fits, parts and peak are those of what takes the least. None: not measured.
    """

    fits: bool
    budget_mb: float | None
    peak_mb: float | None
    parts: tuple[Row, ...]
    base: tuple[Base, ...]
    smallest_budget_mb: int | None
    gives: tuple[str, ...]


def fit(plan: Plan) -> Fit:
    """Return the plan with sizes in MB; the smallest budget is one that can be stated as it stands."""
    return Fit(
        fits=plan.fits,
        budget_mb=None if plan.budget is None else _mb(plan.budget),
        peak_mb=_mb(plan.peak) if _measured(plan) else None,
        parts=tuple(map(_row, plan.parts)),
        base=tuple(Base(name, _mb(size)) for name, size in plan.base),
        smallest_budget_mb=_smallest(plan),
        gives=plan.gives,
    )


def text(plan: Plan, encoding: str = "utf-8") -> str:
    """Return the plan in plain words, in characters that `encoding` has; ends with a line end."""
    said = "\n".join([summary(plan), "", *_table(plan), *_given(plan), *_less(plan)]) + "\n"
    return said.encode(encoding, "replace").decode(encoding)


def summary(plan: Plan) -> str:
    """Say in one line whether it fits, what it needs and what it leaves, in whole MB."""
    needs = f"needs {'' if _measured(plan) else 'at least '}{_whole(plan.peak)} MB"
    if plan.budget is None:
        return f"{needs} at its peak; no budget is set"
    if not plan.fits:
        return f"does not fit {_whole(plan.budget)} MB; the least there is {needs} at its peak"
    return f"{needs} of {_whole(plan.budget)} at its peak; leaves {_whole(plan.budget) - _whole(plan.peak)}"


def _table(plan: Plan) -> Iterator[str]:
    """Yield aligned lines: the parts, what is there anyway, and the sum."""
    rows = [_HEAD, *map(_cells, plan.parts)]
    rows += [(name, "", "", "", "", _figure(size)) for name, size in plan.base]
    rows.append(("all of it", "", "", "", "", _figure(plan.peak if _measured(plan) else None)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = [cell.ljust(width) for cell, width in zip(row[:4], widths[:4], strict=True)]
        figures = [cell.rjust(width) for cell, width in zip(row[4:], widths[4:], strict=True)]
        yield "  ".join([*words, *figures])


def _given(plan: Plan) -> Iterator[str]:
    """Yield what was given up."""
    if plan.gives:
        yield from ("", "Given up against the best:", *(f"  {sentence}" for sentence in plan.gives))


def _less(plan: Plan) -> Iterator[str]:
    """Yield how small the budget could be."""
    if plan.fits and (smallest := _smallest(plan)) is not None:
        yield from ("", f"The smallest budget that holds these roles is {smallest} MB.")


def _cells(part: Planned) -> tuple[str, ...]:
    choice, measured, together = part.choice, part.measured, part.residents * part.choice.runs
    own = "its own process" if part.residents == 1 else f"{part.residents} own processes"
    return (
        short(label(choice.model)),
        part.role,
        (own if choice.placement == "worker" else "lowvox's process") + (", tuned" if part.tuned else ""),
        str(part.streams) if together >= part.streams else f"{part.streams}, {together} at once",
        _figure(part.resident if measured else None),
        _figure(part.peak if measured else None),
    )


def _row(part: Planned) -> Row:
    choice, measured = part.choice, part.measured
    return Row(
        role=part.role,
        model=choice.model.name,
        variant=choice.model.variant,
        profile=choice.profile.name,
        resident_mb=_mb(part.resident) if measured else None,
        peak_mb=_mb(part.peak) if measured else None,
        placement=choice.placement,
        streams=part.streams,
        residents=part.residents,
        runs=choice.runs,
        cap=choice.cap,
        threads=choice.profile.threads,
        window=choice.profile.window,
        tuned=part.tuned,
    )


def _smallest(plan: Plan) -> int | None:
    """Return the smallest budget in MB, where it is known: without a measurement it would be a guess."""
    if plan.smallest is None or (not plan.fits and not _measured(plan)):
        return None
    return offer(plan.smallest)


def _measured(plan: Plan) -> bool:
    return all(part.measured for part in plan.parts)


def _mb(size: int) -> float:
    return round(size / MB, 1)


def _whole(size: int) -> int:
    """Round up, so that what is needed, given and left add up, and a plan that fits never looks too large."""
    return -(-size // MB)


def _figure(size: int | None) -> str:
    return "-" if size is None else f"{size / MB:.1f}"
