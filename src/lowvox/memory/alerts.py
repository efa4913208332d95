"""Alerts: when memory comes near the budget, passes it, or grows where no model accounts for it.

Each is raised once, and again only after memory has come down. Knows neither where figures come from nor who listens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lowvox.memory.meter import MB

_NEAR = 0.9
_FAR = 0.85
_MINUTE_S = 60
_GROWTH = 16 * MB


@dataclass(frozen=True, slots=True)
class Alert:
    """What happened `at` (seconds since the start), the bytes it is about, and a sentence for people."""

    at: float
    kind: Literal["near", "over", "growth"]
    bytes: int
    text: str


class Alarm:
    """Remembers what has been said."""

    def __init__(self) -> None:
        self._near = self._over = False
        self._minute: int | None = None
        self._lowest = 0
        self._floor: int | None = None

    def check(self, at: float, pss: int, budget: int | None, attributed: int | None) -> list[Alert]:
        """Return what is to be said of a sample; None where there is no budget, or nobody knows what is attributed."""
        found = []
        if budget and (alert := self._level(at, pss, budget)):
            found.append(alert)
        if attributed is not None and (alert := self._growth(at, max(0, pss - attributed), attributed)):
            found.append(alert)
        return found

    def _level(self, at: float, pss: int, budget: int) -> Alert | None:
        if pss < _FAR * budget:
            self._near = self._over = False
        if pss > budget and not self._over:
            self._near = self._over = True
            return Alert(at, "over", pss, f"lowvox takes {_mb(pss)} MB and its budget is {_mb(budget)} MB.")
        if pss > _NEAR * budget and not self._near:
            self._near = True
            return Alert(at, "near", pss, f"lowvox takes {_mb(pss)} MB of its budget of {_mb(budget)} MB.")
        return None

    def _growth(self, at: float, rest: int, attributed: int) -> Alert | None:
        """Compare each minute's lowest rest with the lowest before: work comes and goes, a leak stays."""
        minute = int(at // _MINUTE_S)
        if minute == self._minute:
            self._lowest = min(self._lowest, rest)
            return None
        lowest, first = self._lowest, self._minute is None
        self._minute, self._lowest = minute, rest
        if first:
            return None
        if self._floor is None or lowest < self._floor:
            self._floor = lowest
        grown = lowest - self._floor
        if grown <= max(_GROWTH, attributed // 10):
            return None
        self._floor = lowest
        return Alert(
            at,
            "growth",
            grown,
            f"{_mb(grown)} MB have come that no model accounts for; `lowvox leaks ENGINE` tells if an engine leaks.",
        )


def _mb(size: int) -> str:
    return f"{size / MB:.0f}"
