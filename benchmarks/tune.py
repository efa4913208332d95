"""`lowvox tune` on models of lowvox: does what it measures repeat, and what does the tuned way save?

    python benchmarks/tune.py [--models lowvox-te,lowvox-voice,piper-INT8] [--runs 5] [--home FOLDER]

Each model is tuned in a home of its own by the command; "piper" and "piper-INT8" are the stand-in voice of
benchmarks/chapters.py (36 M random weights), split, in FP32 and in 8 bits. Then the usual way and the chosen one are
measured again, in turns: the peak of `memory.measure` and the RTF of `memory.pace`, each time in a fresh process.

A row says for both ways the median peak in MB and the median RTF, what the chosen one takes of the usual one, and by
how much either differed over the runs, (largest - least) / median; "cold" is the RTF of the footprint's one run, which
plans had until now. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import chapters

MB = 2**20
KEYS = ("peak_mb", "rtf", "cold")


def bring(home: Path, name: str, place: Path) -> None:
    """Install a model that is not there yet."""
    if name.startswith("piper"):
        chapters.bring(home, "piper", place)


def choices(told: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the usual way and the chosen one, out of what the command said."""
    from lowvox.commands.leaks import subject
    from lowvox.types import Choice, Profile

    rows = {key: next(row for row in told["rows"] if row[key]) for key in ("usual", "chosen")}
    return {
        key: Choice(subject(name), Profile(row["profile"], row["threads"], row["window"]), row["placement"])
        for key, row in rows.items()
    }


def measured(ways: dict[str, Any], runs: int) -> dict[str, dict[str, list[float]]]:
    """Measure these ways in turns; return the figures of each."""
    from lowvox import engines
    from lowvox.memory import measure, pace

    seen: dict[str, dict[str, list[float]]] = {key: {name: [] for name in KEYS} for key in ways}
    model = next(iter(ways.values())).model
    entry = engines.entry(model.engine)
    timed = partial(pace.rtf, entry=entry, heard=pace.sound(model))
    for _ in range(runs):
        for key, choice in ways.items():
            found = measure.footprint(choice, entry)
            for name, value in zip(KEYS, (found.peak() / MB, timed(choice), found.rtf), strict=True):
                seen[key][name].append(value)
    return seen


def row(name: str, told: dict[str, Any], seen: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Put the figures of one model together."""
    chosen = next(line for line in told["rows"] if line["chosen"])
    medians = {
        key: {name: statistics.median(values) for name, values in figures.items()} for key, figures in seen.items()
    }
    usual, best = medians["usual"], medians["chosen"]
    spreads = {f"spread_{what}": round(max(_spread(figures[what]) for figures in seen.values()), 4) for what in KEYS}
    return {
        "model": name,
        "chosen": {key: chosen[key] for key in ("profile", "threads", "window", "placement")},
        "ways_looked_at": len(told["rows"]),
        "front": sum(line["front"] for line in told["rows"]),
        "tolerance": told["tolerance"],
        "usual_peak_mb": round(usual["peak_mb"], 1),
        "chosen_peak_mb": round(best["peak_mb"], 1),
        "peak_ratio": round(best["peak_mb"] / usual["peak_mb"], 3),
        "usual_rtf": float(f"{usual['rtf']:.4g}"),
        "chosen_rtf": float(f"{best['rtf']:.4g}"),
        "rtf_ratio": round(best["rtf"] / usual["rtf"], 3),
        **spreads,
    }


def _spread(values: list[float]) -> float:
    return (max(values) - min(values)) / statistics.median(values)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="lowvox-te,lowvox-voice,piper-INT8")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder) / "home"
        os.environ["LOWVOX_HOME"] = str(home)
        for name in asked.models.split(","):
            bring(home, name, Path(folder))
            told = chapters.lowvox(home, "tune", name)
            rows.append(row(name, told, measured(choices(told, name), asked.runs)))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print("| model | tuned way | peak, MB: usual, tuned | x | RTF: usual, tuned | x |\n" + "| --- " * 6 + "|")
    for each in rows:
        way = " ".join(str(each["chosen"][key]) for key in ("profile", "threads", "window"))
        print(
            f"| {each['model']} | {way} | {each['usual_peak_mb']}, {each['chosen_peak_mb']} | {each['peak_ratio']} | "
            f"{each['usual_rtf']}, {each['chosen_rtf']} | {each['rtf_ratio']} |"
        )
    print(json.dumps({"benchmark": "tune", "load": os.getloadavg()[0], "rows": rows}))


if __name__ == "__main__":
    main()
