"""What a plan gives up against the best, in sentences. Knows nothing of how the plan was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.memory.options import CAPS, Option, Prices, Rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Model, Profile

MB = 2**20


def sentences(chosen: list[Option], groups: list[list[Option]], prices: Prices, there: int) -> Iterator[str]:
    """Say what was given up for each need: better models first, then what the chosen one runs without.

    `groups` holds all options of each need, the best first; `there` is the bytes of what is there anyway.
    """
    for option, group in zip(chosen, groups, strict=True):
        others = there + sum(prices.size(other) for other in chosen if other is not option)
        yield from _models(option, group, prices, others)
        best = next(other for other in group if other.choice.model == option.choice.model)
        for wish in range(1, len(Rank._fields)):
            if option.rank[wish] != best.rank[wish]:
                yield _without(option, best, Rank._fields[wish]) + _saving(option, best, wish, group, prices)


def label(model: Model) -> str:
    """Name a model, with its precision where there are several."""
    return model.name if model.variant == "default" else f"{model.name} {model.variant}"


def _models(option: Option, group: list[Option], prices: Prices, others: int) -> Iterator[str]:
    """Name each better model, and what it would take."""
    for level in range(option.rank.model):
        ways = [other for other in group if other.rank.model == level]
        model = ways[0].choice.model
        quality = "" if model.error_rate is None else f" (error rate {model.error_rate:g} %)"
        if sizes := [prices.peak(way) for way in ways if prices.known(way)]:
            yield f"{label(model)}{quality} would need {-(-(others + min(sizes)) // MB)} MB"
        else:
            yield f"{label(model)}{quality} has files of {prices.floor(model) / MB:.0f} MB alone"


def _without(option: Option, best: Option, wish: str) -> str:
    """Say how an option falls short of the best way to run the same model in one wish."""
    name, choice = label(option.choice.model), option.choice
    if wish == "cap":
        what, unit = {"recognizer": ("utterances", "s")}.get(option.need.role, ("sentences", "characters"))
        return f"{what} are cut at {choice.cap:g} {unit}, not {best.choice.cap or CAPS[option.need.role][0]:g}"
    if wish == "placement":
        where = "in lowvox's own process" if choice.placement == "in-process" else "in a process of its own"
        return f"{name} runs {where}"
    if wish == "way":
        return f"{name} runs as {_way(choice.profile)}, not {_way(best.choice.profile)}"
    if wish == "threads":
        return f"{name} has threads={choice.profile.threads}, not {best.choice.profile.threads}"
    return f"{choice.runs} of {option.capacity} streams of {name} work at once, not {best.choice.runs}"


def _way(profile: Profile) -> str:
    window = f" window={profile.window}" if profile.window else ""
    return f"{profile.name} threads={profile.threads}{window}"


def _saving(option: Option, best: Option, wish: int, group: list[Option], prices: Prices) -> str:
    """Say what one of these saves by itself, where both ways have been measured."""
    rank = (*option.rank[:wish], best.rank[wish], *option.rank[wish + 1 :])
    same = (other for other in group if other.choice.model == option.choice.model and other.rank == rank)
    other = next((other for other in same if prices.known(other) and prices.known(option)), None)
    saved = 0 if other is None else round((prices.peak(other) - prices.peak(option)) / MB)
    return f": saves {saved} MB" if saved > 0 else ""
