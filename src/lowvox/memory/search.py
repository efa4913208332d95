"""The search: the best option of each need such that all fit together.

What parts take adds up, so each wish in turn is granted exactly if the least that is left of every other part still
fits beside it: that finds the best of all combinations without trying them. Pure, and measures only what can matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.memory.options import Rank

if TYPE_CHECKING:
    from lowvox.memory.options import Option, Prices

Groups = list[list["Option"]]


def inside(groups: Groups, room: int | None, prices: Prices) -> list[Option] | None:
    """Return the best option of each need such that together they fit; None when nothing does."""
    if room is None:
        return [group[0] for group in groups]
    groups = [[option for option in group if prices.size(option) <= room] for group in groups]
    if not all(groups) or not _feasible(groups, room, prices):
        return None
    for wish in range(len(Rank._fields)):
        for number in range(len(groups)):
            groups = _granted(groups, number, wish, room, prices)
    for number, group in enumerate(groups):
        fitting = [option for option in group if _feasible(_with(groups, number, [option]), room, prices)]
        quickest = min(fitting, key=lambda option: (prices.pace(option), prices.peak(option)))
        groups = _with(groups, number, [quickest])
    return [option for (option,) in groups]


def _granted(groups: Groups, number: int, wish: int, room: int, prices: Prices) -> Groups:
    """Narrow one group, of groups that fit, to its best value of one wish with which they still fit."""
    *better, last = sorted({option.rank[wish] for option in groups[number]})
    for value in better:
        narrow = _with(groups, number, [option for option in groups[number] if option.rank[wish] == value])
        if _feasible(narrow, room, prices):
            return narrow
    return _with(groups, number, [option for option in groups[number] if option.rank[wish] == last])


def _with(groups: Groups, number: int, group: list[Option]) -> Groups:
    return [*groups[:number], group, *groups[number + 1 :]]


def _feasible(groups: Groups, room: int, prices: Prices) -> bool:
    """Whether one option of each group fits beside the others; measures until that is certain, and no more."""
    while True:
        if sum(min(map(prices.least, group)) for group in groups) > room:
            return False
        known = [[prices.peak(option) for option in group if prices.known(option)] for group in groups]
        if all(known) and sum(map(min, known)) <= room:
            return True
        # What decides most: a group of which nothing is known, else the one that takes the most so far.
        open_ = [number for number, group in enumerate(groups) if len(known[number]) < len(group)]
        number = max(open_, key=lambda number: min(known[number], default=float("inf")))
        prices.of(next(option for option in groups[number] if not prices.known(option)))


def cheapest(group: list[Option], room: int | None, prices: Prices) -> Option:
    """Return the option that takes the least, unmeasured where the files of every model pass `room`."""
    best, *others = sorted(group, key=lambda option: prices.floor(option.choice.model))
    if room is not None and prices.floor(best.choice.model) > max(0, room):
        return best
    prices.of(best)
    for option in others:
        if prices.floor(option.choice.model) < prices.peak(best):
            best = min(best, option, key=prices.peak)
    return best
