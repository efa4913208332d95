"""What a model leaves behind: as text, as an object for JSON and as a picture. Measures nothing.

Memory here is anonymous memory, which is what a leak is made of; the pages of files come and go as the system likes.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from lowvox.memory.leaks import overall
from lowvox.memory.meter import MB
from lowvox.report.memory import COLOURS, mb
from lowvox.types import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lowvox.memory.cycles import Cycle
    from lowvox.memory.exercise import Held, Lifetime
    from lowvox.memory.leaks import Finding, Slope, Verdict
    from lowvox.types import Model

# What is done in a turn, and where what stays behind would be.
TURNS: dict[Lifetime, str] = {
    "load": "load, run and unload",
    "stream": "open, run and close a stream",
    "run": "run one open stream",
    "worker": "the same in a worker, seen here",
}
_SHOWN = 3


def text(model: Model, findings: Sequence[Finding]) -> str:
    """Return one line for each lifetime, the reference cycles, and the verdict in plain words; ends with a line end."""
    width = max(len(TURNS[finding.lifetime]) for finding in findings)
    lines = [f"{model.name}: memory after each of {len(findings[0].held.after)} turns"]
    for finding in findings:
        first, last = (mb(size / MB) for size in (finding.held.after[0], finding.held.after[-1]))
        words = sentence(finding.slope, finding.verdict)
        lines.append(f"  {TURNS[finding.lifetime]:{width}}  {first:>6} -> {last:>6} MB  {words}")
    lines += ["Reference cycles that a turn leaves to Python's collector:", *_cycles(_counted(findings))]
    lines.append(_conclusion(overall(findings), findings))
    return "\n".join(lines) + "\n"


def sentence(slope: Slope, verdict: Verdict) -> str:
    """Say what is known of the growth."""
    if verdict == "undecided":
        return f"undecided ({_interval(slope)}): run more turns"
    if verdict == "no growth":
        return f"no growth ({_interval(slope)})"
    return f"grows by {slope.per_cycle / 1024:.1f} KB a turn ({_interval(slope)})"


def document(model: Model, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the object of `lowvox leaks --json`; KB are 1024 bytes, null where nothing is known."""
    parts, rest = _parts(findings[0])
    return {
        "model": model.name,
        "engine": model.engine,
        "turns": len(findings[0].held.after),
        "verdict": overall(findings),
        "growth": [_growth(finding) for finding in findings],
        "cycles": [
            {"count": count, "types": cycle.types, "size": cycle.size, "holders": cycle.holders}
            for cycle, count in _counted(findings).most_common()
        ],
        "parts": parts,
        "unattributed_mb": rest,
    }


def png(title: str, series: Mapping[str, Held]) -> bytes:
    """Draw what was held after each turn, with what was before as turn 0; needs matplotlib."""
    from lowvox.report.memory_plot import drawing, encoded

    figure = drawing(figsize=(9.0, 4.2), dpi=150)
    axes = figure.add_axes((0.08, 0.24, 0.89, 0.64))
    for i, (name, held) in enumerate(series.items()):
        sizes = [size / MB for size in (held.before, *held.after)]
        axes.plot(sizes, color=COLOURS[i % len(COLOURS)], label=name)
    axes.set(xlabel="turns", ylabel="anonymous MB", ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.margins(x=0.01)
    axes.grid(axis="y", alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14), ncols=2, frameon=False, fontsize=9)
    figure.text(0.08, 0.93, title.replace("$", r"\$"), size=14, weight="bold")
    return encoded(figure)


def _interval(slope: Slope) -> str:
    if math.isinf(slope.low) or math.isinf(slope.high):
        return "too few turns to tell"
    return f"95 % interval {slope.low / 1024:.1f} to {slope.high / 1024:.1f} KB"


def _conclusion(verdict: Verdict, findings: Sequence[Finding]) -> str:
    if verdict == "undecided":
        return "Undecided: run it with more turns (-n)."
    if verdict == "no growth":
        return "It gives its memory back."
    if any(finding.verdict == "grows" and finding.lifetime == "worker" for finding in findings):
        return "It leaks, and a worker does not help."
    return "It leaks; only the end of its process gives that back."


def _counted(findings: Sequence[Finding]) -> Counter[Cycle]:
    """Count the cycles that are alike; a longer lifetime's turn contains those of the shorter."""
    fullest: Counter[Cycle] = Counter()
    for finding in findings:
        fullest |= Counter(finding.held.cycles)
    return fullest


def _cycles(counted: Counter[Cycle]) -> list[str]:
    lines = [
        f"  {count} x {', '.join(f'{n} {kind}' for kind, n in Counter(cycle.types).items())} ({cycle.size} bytes), "
        f"held by {', '.join(cycle.holders[:_SHOWN])}{', ...' if len(cycle.holders) > _SHOWN else ''}"
        for cycle, count in counted.most_common()
    ]
    return lines or ["  none"]


def _growth(finding: Finding) -> dict[str, Any]:
    slope = finding.slope
    low, high = (None if math.isinf(end) else round(end / 1024, 2) for end in (slope.low, slope.high))
    return {
        "lifetime": finding.lifetime,
        "verdict": finding.verdict,
        "kb_per_turn": round(slope.per_cycle / 1024, 2),
        "low_kb": low,
        "high_kb": high,
        "before_mb": round(finding.held.before / MB, 2),
        "after_mb": [round(size / MB, 2) for size in finding.held.after],
    }


def _parts(loaded: Finding) -> tuple[list[Part], float]:
    """Attribute what the process held at the end: itself, the libraries, proven growth; and what is none of these."""
    held = loaded.held
    grown = loaded.slope.per_cycle * (len(held.after) - 1) if loaded.verdict == "grows" else 0.0
    sizes = {
        "the process itself": held.before,
        "kept once by libraries": held.after[0] - held.before,
        "growth": grown,
    }
    parts = [Part(name, round(size / MB, 2), None) for name, size in sizes.items()]
    return parts, round(held.after[-1] / MB - sum(part.resident_mb for part in parts), 2)
