"""The planner: the best way to run a job inside a budget, found before anything is loaded.

Best means: the best model of each role, then inputs of full length, then speed, then size; where roles compete, the
need that stands first wins. Pure: no files, no clock, no engines; what things take it asks `footprint`, and only where
the answer can matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lowvox import engines
from lowvox.errors import BudgetError
from lowvox.memory import tradeoffs
from lowvox.memory.options import Need, Option, Prices, options
from lowvox.memory.search import cheapest, inside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lowvox.engines import Entry
    from lowvox.types import Choice, Footprint, Model, Role

__all__ = ["Need", "Plan", "Planned", "most", "offer", "plan", "refusal"]

MB = 2**20


@dataclass(frozen=True, slots=True)
class Planned:
    """One part of a plan, in bytes: `resident` with all streams open, `peak` with as many at work as may be.

    The streams are spread over `residents`, each of which has `choice.runs` of its streams at work at a time. Where it
    was not `measured`, both sizes are what it takes at the very least. `tuned` says that tuning found this way.
    """

    role: Role
    choice: Choice
    streams: int
    residents: int
    resident: int
    peak: int
    measured: bool = True
    tuned: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What will run, and how. Where nothing fits the budget, the best of what takes the least.

    `base` is (name, bytes) of what is there anyway. `smallest` is the smallest budget that anything fits, None where
    that was not asked for. `gives` says in sentences what was given up against the best.
    """

    fits: bool
    budget: int | None
    peak: int
    parts: tuple[Planned, ...]
    base: tuple[tuple[str, int], ...] = ()
    smallest: int | None = None
    gives: tuple[str, ...] = ()


def plan(
    needs: Sequence[Need],
    budget: int | None,
    base: tuple[tuple[str, int], ...],
    footprint: Callable[[Choice], Footprint],
    entry: Callable[[str], Entry] = engines.entry,
    *,
    floor: Callable[[Model], int] = lambda _: 0,
    cores: int | None = None,
    thorough: bool = False,
) -> Plan:
    """Plan a job: one option for each need; `budget` is in bytes, None for no limit.

    `floor` is what a model takes at the very least (the size of its files): one that cannot fit is never measured.
    Without a budget nothing is measured. `thorough` also measures what is merely told: every part of the plan, and the
    smallest budget where the stated one is enough.
    """
    prices, groups = Prices(footprint, floor), [options(need, entry, cores) for need in needs]
    there = sum(size for _, size in base)
    room = None if budget is None else budget - there
    chosen, smallest = inside(groups, room, prices), None
    fits = chosen is not None
    if thorough or chosen is None:
        least = [cheapest(group, None if thorough else room, prices) for group in groups]
        smallest = there + sum(map(prices.size, least))
        measured = [[option for option in group if prices.known(option)] for group in groups]
        chosen = chosen or inside(measured, smallest - there, prices) or least
    parts = tuple(_planned(option, prices, ask=thorough) for option in chosen)
    return Plan(
        fits=fits,
        budget=budget,
        peak=there + sum(part.peak for part in parts),
        parts=parts,
        base=base,
        smallest=smallest,
        gives=tuple(tradeoffs.sentences(chosen, groups, prices, there)),
    )


def most(
    needs: Sequence[Need],
    jobs: int,
    budget: int | None,
    base: tuple[tuple[str, int], ...],
    footprint: Callable[[Choice], Footprint],
    entry: Callable[[str], Entry] = engines.entry,
    *,
    floor: Callable[[Model], int] = lambda _: 0,
    cores: int | None = None,
) -> int:
    """Return how many of `jobs` at once fit, each as good and as fast as one alone would be; 0 when not even one."""
    prices = Prices(footprint, floor)
    room = None if budget is None else budget - sum(size for _, size in base)

    def together(count: int) -> list[tuple[int, ...]] | None:
        """Return how good the best plan for so many is, but for how many streams work at once."""
        many = [replace(need, streams=need.streams * count) for need in needs]
        found = inside([options(need, entry, cores) for need in many], room, prices)
        return None if found is None else [option.rank[:-1] for option in found]

    # One job alone would have to be measured in its own right: not where all of them have the best there is.
    if together(jobs) == [options(need, entry, cores)[0].rank[:-1] for need in needs]:
        return jobs
    if (one := together(1)) is None:
        return 0
    return next((count for count in range(jobs, 1, -1) if together(count) == one), 1)


def offer(size: int) -> int:
    """Return the budget to state, in whole MB, for a need in bytes: 2 % more.

    What this process shares with other programs changes from run to run, and what is offered must be enough.
    """
    return -(-size * 102 // (100 * MB))


def refusal(refused: Plan) -> BudgetError:
    """Return the error for a plan that does not fit: what takes how much, and which budget would do."""
    assert refused.budget is not None
    smallest = refused.peak if refused.smallest is None else refused.smallest
    stated = f"the budget is {refused.budget / MB:.1f}".removesuffix(".0") + " MB; nothing was loaded."
    if unmeasured := next((part for part in refused.parts if not part.measured), None):
        message = (
            f"The files of {unmeasured.choice.model.name} have {unmeasured.peak / MB:.0f} MB and {stated} Take a "
            "smaller model (`lowvox models`) or a larger --budget."
        )
    else:
        sizes = [(part.choice.model.name, part.peak) for part in refused.parts] + list(refused.base)
        listed = ", ".join(f"{name} {size / MB:.0f}" for name, size in sizes)
        told = "; `lowvox fit` tells what that gives up" if refused.gives else ""
        message = (
            f"This needs {-(-smallest // MB)} MB at its peak ({listed}) and {stated} Give it --budget "
            f"{offer(smallest)}MB or more{told}.{_split(refused)}"
        )
    return BudgetError(message, needed=smallest, budget=refused.budget)


def _split(refused: Plan) -> str:
    """Say which voice would take far less in parts."""
    for model in (part.choice.model for part in refused.parts):
        known = engines.ENGINES.get(model.engine)
        if known and known.windows and model.path and not model.split:
            return f" Split, the voice takes far less: `lowvox shrink split {model.name}`."
    return ""


def _planned(option: Option, prices: Prices, *, ask: bool) -> Planned:
    measured = ask or prices.known(option)
    return Planned(
        role=option.need.role,
        choice=option.choice,
        streams=option.need.streams,
        residents=option.residents,
        resident=prices.resident(option) if measured else prices.size(option),
        peak=prices.peak(option) if measured else prices.size(option),
        measured=measured,
        tuned=option.tuned,
    )
