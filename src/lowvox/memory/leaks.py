"""Growth: how many bytes each turn of a piece of work leaves behind, with what is sure about it.

A turn is whatever is done again and again: loading and unloading, a conversation, an utterance. Pure; knows neither
engines nor processes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, groupby
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lowvox.memory.exercise import Held, Lifetime

Verdict = Literal["no growth", "grows", "undecided"]

# A page, the finest that the kernel counts. Growth of less is none: a thousand turns, hours of dictation, take 4 MB.
NEGLIGIBLE = 4096
_CONFIDENCE = 1.96  # standard deviations of a normal distribution within which 95 % of it lie


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in bytes a turn, and the interval in which it lies with 95 % confidence (infinite: nothing is known)."""

    per_cycle: float
    low: float
    high: float

    def passes(self, bound_bytes: float) -> bool:
        """Whether the growth is surely above a bound, in bytes a turn."""
        return self.low > bound_bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What the turns of one lifetime left behind, and what follows from it."""

    lifetime: Lifetime
    held: Held
    slope: Slope
    verdict: Verdict


def judge(lifetime: Lifetime, held: Held) -> Finding:
    """Judge by the later half of the turns: what a library takes once, and a heap that finds its size, is over then."""
    growth = slope(held.after[len(held.after) // 2 :])
    return Finding(lifetime, held, growth, verdict(growth))


def overall(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict."""
    worst: tuple[Verdict, ...] = ("grows", "undecided", "no growth")
    return min((finding.verdict for finding in findings), key=worst.index)


def slope(values: Sequence[float]) -> Slope:
    """Return the growth of `values`, the bytes held after each turn.

    It is the median of the slopes between all pairs (Theil and Sen), its interval follows from their order. Memory
    grows in pages and arenas, with jumps: a jump that stays or a turn that went wrong would bend a least-squares line,
    whose interval counts on small and even errors; of this one a quarter of all turns may be wrong in any way.
    """
    if len(values) < 2:
        return Slope(0.0, -math.inf, math.inf)
    pairs = combinations(enumerate(values), 2)
    slopes = sorted((later - earlier) / (after - before) for (before, earlier), (after, later) in pairs)
    spread = _CONFIDENCE * math.sqrt(_variance(values))
    low, high = math.floor((len(slopes) - spread) / 2) - 1, math.ceil((len(slopes) + spread) / 2)
    return Slope(
        median(slopes),
        slopes[low] if low >= 0 else -math.inf,
        slopes[high] if high < len(slopes) else math.inf,
    )


def verdict(growth: Slope, negligible: float = NEGLIGIBLE) -> Verdict:
    """Say whether there is growth, or that only more turns can tell."""
    if growth.passes(negligible):
        return "grows"
    return "no growth" if growth.high <= negligible else "undecided"


def _variance(values: Sequence[float]) -> float:
    """Return the variance of the count of rising less falling pairs where nothing grows; equal values lower it."""
    ties = [len(list(same)) for _, same in groupby(sorted(values))]
    return sum(sign * n * (n - 1) * (2 * n + 5) for sign, n in [(1, len(values)), *((-1, n) for n in ties)]) / 18
