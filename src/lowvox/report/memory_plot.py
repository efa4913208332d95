"""The memory table as a PNG: the bar against the budget and memory over time, drawn by matplotlib.

Knows nothing of the file. Draws on matplotlib's own canvas: no window system is needed, and none is touched.
"""

from __future__ import annotations

import os
import warnings
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from lowvox import folders
from lowvox.report.memory import COLOURS, GREY, RED, REST, headroom, mb, short, stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lowvox.types import MemoryReport

# Inches, so that everything keeps its size whatever the number of parts and facts.
_WIDTH = 8.0
_MARGIN = 0.7
_LINE = 0.22
_BAR_AT = 1.2
_BAR = 0.55
_LEGEND_AT = _BAR_AT + _BAR + 0.6
_CURVE = 2.6
# Characters of the small print that fit on a line.
_FITS = 100
# More names than these would hide each other; the triangles stay.
_NAMED = 16
_SIGNS = {"load": ("^", COLOURS[2]), "run": ("|", COLOURS[3]), "end": ("|", GREY), "evict": ("v", COLOURS[5])}
_UNNAMED = ("run", "end")
# Of the width: labels nearer than this would lie on each other.
_CLOSE = 0.03


def png(
    report: MemoryReport,
    facts: Mapping[str, str],
    timeline: Sequence[tuple[float, float]] = (),
    marks: Sequence[tuple[float, str, str]] = (),
) -> bytes:
    """Return the picture; `facts` say what was run, `timeline` is (seconds, PSS in MB).

    `marks` are (seconds, kind, name) of what happened, drawn below the time line.
    """
    small = [line for key, value in facts.items() for line in wrap(f"{key}: {value}", _FITS, subsequent_indent="  ")]
    curve_at = _LEGEND_AT + _LINE * ((len(stack(report)) + 1) // 2) + 0.3
    small_at = curve_at + (_CURVE + 0.75 if timeline else 0)
    height = small_at + _LINE * len(small) + 0.25
    figure = drawing(figsize=(_WIDTH, height), dpi=150)

    def axes(top: float, tall: float) -> Any:
        """Give the axes that begin `top` inches below the upper edge."""
        return figure.add_axes((_MARGIN / _WIDTH, 1 - (top + tall) / height, 1 - 1.6 * _MARGIN / _WIDTH, tall / height))

    def write(top: float, text: str, **style: Any) -> None:
        figure.text(_MARGIN / _WIDTH, 1 - top / height, text, va="top", parse_math=False, **style)

    write(0.25, "The memory that lowvox took", size=15, weight="bold")
    write(0.6, headroom(report), size=12)
    _bar(axes(_BAR_AT, _BAR), report)
    if timeline:
        under = axes(curve_at, _CURVE)
        _curve(under, timeline, report.budget_mb)
        _marks(under, marks)
    for number, line in enumerate(small):
        write(small_at + _LINE * number, line, size=9, color="#5b6470")
    return encoded(figure)


def encoded(figure: Any) -> bytes:
    """Return a figure as PNG."""
    picture = BytesIO()
    with warnings.catch_warnings():
        # A name in letters that the font lacks is drawn as boxes; that is no reason to talk.
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(picture, format="png")
    return picture.getvalue()


def drawing(**options: Any) -> Any:
    """Begin a figure; matplotlib keeps its cache of fonts among lowvox's own files."""
    os.environ.setdefault("MPLCONFIGDIR", str(folders.cache() / "matplotlib"))
    from matplotlib.figure import Figure

    return Figure(**options)


def _bar(axes: Any, report: MemoryReport) -> None:
    """Draw the parts on one line to scale, the budget across it and the legend below."""
    left = 0.0
    for i, (name, size) in enumerate(stack(report)):
        colour = GREY if name == REST else COLOURS[i % len(COLOURS)]
        label = f"{short(name)}  {mb(size)} MB".replace("$", r"\$")
        axes.barh(0, size, left=left, color=colour, label=label)
        left += size
    axes.set(yticks=[], ylim=(-0.4, 0.4), xlim=(0, 1.06 * max(left, report.budget_mb or 0, 1)), xlabel="MB")
    axes.spines[["top", "right", "left"]].set_visible(False)
    if report.budget_mb:
        axes.axvline(report.budget_mb, color=RED, linestyle="--")
        axes.annotate(
            f"budget {mb(report.budget_mb)} MB",
            (report.budget_mb, 0.4),
            (0, 4),
            textcoords="offset points",
            ha="center",
            color=RED,
            annotation_clip=False,
        )
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.8), ncols=2, frameon=False, fontsize=9)


def _curve(axes: Any, timeline: Sequence[tuple[float, float]], budget: float | None) -> None:
    """Draw the samples from zero up, their highest point marked and the budget across."""
    seconds, sizes = zip(*timeline, strict=True)
    highest = max(timeline, key=lambda sample: sample[1])
    axes.fill_between(seconds, sizes, color=COLOURS[0], alpha=0.18, linewidth=0)
    axes.plot(seconds, sizes, color=COLOURS[0])
    axes.plot(*highest, "o", color=COLOURS[0])
    axes.annotate(f"{mb(highest[1])} MB", highest, (0, 7), textcoords="offset points", ha="center")
    if budget:
        axes.axhline(budget, color=RED, linestyle="--")
        axes.annotate(f"budget {mb(budget)} MB", (seconds[0], budget), (2, 4), textcoords="offset points", color=RED)
    axes.set(ylim=(0, 1.14 * max(highest[1], budget or 0, 1)), xlabel="seconds", ylabel="MB")
    axes.margins(x=0.01)
    axes.grid(axis="y", alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)


def _marks(axes: Any, marks: Sequence[tuple[float, str, str]]) -> None:
    """Draw what happened as signs on the ground line, each kind with its own, and the names of all but runs."""
    for kind in dict.fromkeys(kind for _, kind, _ in marks):
        sign, colour = _SIGNS.get(kind, ("o", GREY))
        times = [at for at, which, _ in marks if which == kind]
        axes.plot(times, [0] * len(times), sign, color=colour, label=kind, clip_on=False)
    begin, end = axes.get_xlim()
    labels: dict[float, str] = {}
    for at, kind, name in [mark for mark in marks if mark[1] not in _UNNAMED][:_NAMED]:
        # Who comes close behind another stands in one label with it.
        near = next((other for other in labels if abs(at - other) < _CLOSE * (end - begin)), at)
        labels[near] = labels.get(near, "") + f"\n{kind} {short(name)}".replace("$", r"\$")
    for at, text in labels.items():
        # Beside the step in the curve that it explains.
        axes.annotate(text[1:], (at, 0), (4, 8), textcoords="offset points", rotation=90, fontsize=7)
    if marks:
        axes.legend(loc="upper right", ncols=5, frameon=False, fontsize=8, bbox_to_anchor=(1, 1.12))
