"""The two drawings of the memory page as inline SVG: the stacked bar against the budget, and memory over time.

Knows nothing of the page: colours come in, classes are left to its style.
"""

from __future__ import annotations

from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

from lowvox.report.memory import headroom, mb, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.types import MemoryReport

# In units of the drawing, which the page scales to its width.
_WIDTH = 720
_EDGE = 1
_LEFT = 52
_RIGHT = 28
_BAR_TOP = 26
_BAR_BOTTOM = 66
_CURVE_TOP = 24
_CURVE_BOTTOM = 220
_ROOT = "<svg xmlns='http://www.w3.org/2000/svg' width='720'"


def bar(report: MemoryReport, fills: Sequence[str]) -> str:
    """Draw the parts on one line to scale, and the budget as a mark across it."""
    parts = stack(report)
    top = _roof(max([report.budget_mb or 0, report.peak_pss_mb, sum(size for _, size in parts)]))
    wide = (_WIDTH - 2 * _EDGE) / top
    drawn, left = [], float(_EDGE)
    for (name, size), fill in zip(parts, fills, strict=True):
        drawn.append(
            f"<rect x='{left:.1f}' y='{_BAR_TOP}' width='{size * wide:.1f}' height='{_BAR_BOTTOM - _BAR_TOP}' "
            f"style='fill:{fill}'><title>{escape(name)}: {mb(size)} MB</title></rect>"
        )
        left += size * wide
    drawn.append(f"<path class='track' d='M{_EDGE} {_BAR_TOP}V{_BAR_BOTTOM}H{_WIDTH - _EDGE}V{_BAR_TOP}Z'/>")
    for tick in _ticks(top):
        at = _EDGE + tick * wide
        drawn.append(f"<path class='grid' d='M{at:.1f} {_BAR_BOTTOM}v5'/>")
        drawn.append(_text(at, _BAR_BOTTOM + 20, f"{mb(tick)}{' MB' * (tick == 0)}"))
    if report.budget_mb:
        at = _EDGE + report.budget_mb * wide
        drawn.append(f"<path class='limit' d='M{at:.1f} {_BAR_TOP - 8}V{_BAR_BOTTOM + 8}'/>")
        drawn.append(_text(at, _BAR_TOP - 12, f"budget {mb(report.budget_mb)} MB", "limit"))
    return _svg(_BAR_BOTTOM + 28, headroom(report), drawn)


def curve(
    timeline: Sequence[tuple[float, float]], budget: float | None, marks: Sequence[tuple[float, str, str]] = ()
) -> str:
    """Draw (seconds, MB) samples from zero up, with their highest point marked and the budget across.

    `marks` are (seconds, kind, name) of what happened, drawn on the ground line.
    """
    begin, end = timeline[0][0], max(timeline[-1][0], timeline[0][0] + 1e-3)
    highest = max(timeline, key=lambda sample: sample[1])
    top = _roof(max(highest[1], budget or 0))

    def x(seconds: float) -> float:
        return _LEFT + (seconds - begin) / (end - begin) * (_WIDTH - _LEFT - _RIGHT)

    def y(size: float) -> float:
        return _CURVE_BOTTOM - size / top * (_CURVE_BOTTOM - _CURVE_TOP)

    points = " ".join(f"{x(seconds):.1f},{y(size):.1f}" for seconds, size in timeline)
    ground = f"{x(end):.1f},{_CURVE_BOTTOM} {x(begin):.1f},{_CURVE_BOTTOM}"
    drawn = [f"<polygon class='area' points='{points} {ground}'/>"]
    for tick in _ticks(top):
        drawn.append(f"<path class='grid' d='M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}'/>")
        drawn.append(_text(_LEFT - 8, y(tick) + 4, mb(tick), anchor="end"))
    drawn += [_text(x(begin + tick), _CURVE_BOTTOM + 18, f"{tick:g}") for tick in _ticks(end - begin)]
    drawn += [_text(_LEFT - 8, 12, "MB", anchor="end"), _text(_WIDTH / 2, _CURVE_BOTTOM + 36, "seconds")]
    drawn.append(f"<polyline class='curve' points='{points}'/>")
    if budget:
        drawn.append(f"<path class='limit' d='M{_LEFT} {y(budget):.1f}H{_WIDTH - _RIGHT}'/>")
        drawn.append(_text(_LEFT + 6, y(budget) - 6, f"budget {mb(budget)} MB", "limit", "start"))
    drawn += [_mark(x(min(max(at, begin), end)), kind, name) for at, kind, name in marks]
    drawn.append(f"<circle class='peak' cx='{x(highest[0]):.1f}' cy='{y(highest[1]):.1f}' r='4'/>")
    drawn.append(_text(x(highest[0]), y(highest[1]) - 9, f"{mb(highest[1])} MB"))
    said = f"Memory over {end - begin:.3g} seconds; highest {mb(highest[1])} MB after {highest[0] - begin:.3g} seconds"
    return _svg(_CURVE_BOTTOM + 42, said, drawn)


def _mark(x: float, kind: str, name: str) -> str:
    """Draw what happened: a load points up, an eviction down, anything else is a stroke; its name shows on hover."""
    at = f"M{x:.1f} {_CURVE_BOTTOM}"
    shape = {"load": "l-5 9h10z", "evict": "m-5 0h10l-5 9z"}.get(kind, "v7")
    said = escape(f"{kind} {name}")
    return f"<path class='mark {escape(kind)}' d='{at}{shape}'><title>{said}</title></path>"


def standalone(drawn: str, style: str) -> str:
    """Make a drawing a file of its own."""
    head, _, rest = drawn.partition(">")
    return f"{head.replace('<svg', _ROOT, 1)}><style>{escape(style)}</style>{rest}\n"


def _svg(height: int, said: str, drawn: Sequence[str]) -> str:
    """Wrap a drawing; `said` is what a screen reader reads."""
    return (
        f"<svg viewBox='0 0 {_WIDTH} {height}' role='img' aria-label='{escape(said)}'>"
        f"<title>{escape(said)}</title>{''.join(drawn)}</svg>"
    )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    """Write at a place; centred text is pushed back in where it would leave the drawing."""
    half = len(text) * 4
    if anchor == "middle" and not half <= x <= _WIDTH - half:
        x, anchor = (0, "start") if x < half else (_WIDTH, "end")
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' class='{kind}'>{escape(text)}</text>"


def _ticks(top: float) -> list[float]:
    """Return round numbers from 0 to `top`, three to eight of them."""
    step = _step(top)
    return [round(i * step, 9) for i in range(floor(top / step + 1e-9) + 1)]


def _step(top: float) -> float:
    """Return 1, 2 or 5 times a power of ten that divides `top` into at most seven."""
    power = 10.0 ** floor(log10(top / 7))
    return next(factor * power for factor in (1, 2, 5, 10) if top / (factor * power) <= 7)


def _roof(highest: float) -> float:
    """Leave a little air above the highest figure."""
    return max(highest, 1.0) * 1.06
