"""The drawings of the page of variants as inline SVG: points joined in lines, one line for each variant.

They are as wide as a telephone, so that their letters stay readable there. Knows nothing of the page: colours and
classes are left to its style.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 340, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 16, 26, 44
_AIR = 1.12  # above the highest figure
_WIDE = 6.4  # units that a letter takes


@dataclass(frozen=True, slots=True)
class Point:
    """A place, what is written beside it and shown on hover, and how far up it may be: (low, high)."""

    x: float
    y: float
    name: str
    told: str
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A variant: its points in order, and its colour in CSS."""

    name: str
    points: tuple[Point, ...]
    colour: str


def plot(title: str, x_name: str, y_name: str, lines: Sequence[Line]) -> str:
    """Draw lines from zero up on both axes."""
    every = [point for line in lines for point in line.points]
    right = _AIR * max(point.x for point in every)
    top = _AIR * max(max(point.y, *(point.range or (0.0,))) for point in every)

    def x(value: float) -> float:
        return _LEFT + value / right * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)

    drawn = [f"<path class='grid' d='M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}'/>" for tick in _ticks(top)]
    drawn += [_text(_LEFT - 6, y(tick) + 4, f"{tick:g}", "end") for tick in _ticks(top)]
    drawn += [_text(x(tick), _HEIGHT - _BOTTOM + 16, f"{tick:g}") for tick in _ticks(right)]
    drawn += [_text(4, 14, y_name, "start"), _text(_WIDTH - _RIGHT, _HEIGHT - 8, x_name, "end")]
    for line in lines:
        places = [(x(point.x), y(point.y)) for point in line.points]
        drawn.append(_curve(places, line.colour))
        drawn += [
            _spread(at[0], *map(y, point.range)) for at, point in zip(places, line.points, strict=True) if point.range
        ]
        drawn += [_dot(*at, point, line) for at, point in zip(places, line.points, strict=True)]
    said = escape(title)
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{said}'><title>{said}</title>"
        f"{''.join(drawn)}</svg>"
    )


def _curve(places: Sequence[tuple[float, float]], colour: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f"<polyline class='curve' style='stroke:{colour}' points='{points}'/>"


def _spread(x: float, low: float, high: float) -> str:
    return f"<path class='spread' d='M{x:.1f} {low:.1f}V{high:.1f}'/>"


def _dot(x: float, y: float, point: Point, line: Line) -> str:
    told = escape(f"{line.name}, {point.told}")
    dot = f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4.5' style='fill:{line.colour}'><title>{told}</title></circle>"
    return dot + (_text(x, y - 8, point.name) if point.name else "")


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """Write at a place; centred text is pushed back in where it would leave the drawing."""
    half = len(text) * _WIDE / 2
    if anchor == "middle":
        x = min(max(x, half), _WIDTH - half)
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(text)}</text>"


def _ticks(top: float) -> list[float]:
    """Return round numbers from 0 to `top`, three to six of them: 1, 2 or 5 times a power of ten apart."""
    power = 10.0 ** floor(log10(top / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if top / (factor * power) <= 5)
    return [round(at * step, 9) for at in range(floor(top / step + 1e-9) + 1)]
