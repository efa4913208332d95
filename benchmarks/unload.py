"""What stays in memory when a model is unloaded, again and again: lowvox's way, the usual way, and workers.

    python benchmarks/unload.py [--turns 20] [--only NAME ...] [--plot PATH.png]

Every line is a process of its own that loads, runs and unloads a model (3 s of sound, 80 characters of text). Memory
is anonymous memory, read from outside after each turn: pages of files come and go as the system likes. In-process,
lowvox collects and trims after unloading, and the usual way is `del` and `gc.collect()`; what is above the memory
before the first load stays once for the library. A worker is judged by what its starter holds before and after. Vosk
runs the stand-in model of the tests, ONNX Runtime a random decoder of 14 M parameters with two threads. The slope is
that of the later half of the turns. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from lowvox import engines, models
from lowvox.memory import allocator
from lowvox.memory.exercise import Held, exercise
from lowvox.memory.leaks import Finding, judge
from lowvox.types import Model, Profile

TESTS = Path(__file__).resolve().parents[1] / "tests"
MB = 2**20
KB = 2**10


class Case(NamedTuple):
    """An engine and its model; `usual` is the engine for the usual way, `worker` whether a worker is tried too."""

    name: str
    at: str
    usual: str
    model: Model
    profile: Profile = Profile()
    worker: bool = True


def cases(folder: Path) -> list[Case]:
    """Return what runs here, and build the stand-ins."""
    sys.path.insert(0, str(TESTS))
    from replicas import graphs, kaldi

    (folder / "decoder.onnx").write_bytes(graphs.decoder())
    decoder = Model("decoder-14m", "onnxruntime", "recognizer", (), folder / "decoder.onnx")
    vosk = Model("vosk-replica", "vosk", "recognizer", ("en",), kaldi.build(folder / "kaldi"))
    known = [models.find("vad"), models.find("recognizer", "en"), models.find("synthesizer", "en"), vosk]
    found = []
    for model in known:
        if engines.available(model.engine):
            at = engines.entry(model.engine).at
            found.append(Case(model.engine, at, at, model, worker=model.role != "vad"))
    ways = ("replicas.graph_engine:Graph", "replicas.graph_engine:Usual")
    return [*found, Case("onnxruntime", *ways, decoder, Profile(threads=2))]


def measure(case: Case, turns: int) -> dict[str, Finding]:
    """Take a case through its ways; each is a process without the settings that lowvox gives its workers."""
    with patch.dict(allocator.ENVIRONMENT, clear=True):
        ways = {
            "in-process": judge("load", exercise(case.at, case.model, case.profile, "load", turns)),
            "usual": judge("load", exercise(case.usual, case.model, case.profile, "load", turns, trim=False)),
        }
        if case.worker:
            ways["worker"] = judge("worker", exercise(case.at, case.model, case.profile, "worker", turns))
    return ways


def row(name: str, way: str, found: Finding) -> dict[str, object]:
    """Return and print the figures of one way."""
    held, slope = found.held, found.slope
    ends = (slope.per_cycle, slope.low, slope.high)
    base = held.before if way == "worker" else held.after[0]
    figures: dict[str, object] = {
        "engine": name,
        "way": way,
        "before_mb": round(held.before / MB, 2),
        "first_mb": round(held.after[0] / MB, 2),
        "last_mb": round(held.after[-1] / MB, 2),
        "once_mb": round((held.after[0] - held.before) / MB, 2),
        "ratio": round(max(held.after) / base, 4),
        "slope_kb": [round(size / KB, 2) if math.isfinite(size) else None for size in ends],
        "verdict": found.verdict,
    }
    interval = f"{slope.per_cycle / KB:7.1f} [{slope.low / KB:.1f}, {slope.high / KB:.1f}]"
    sizes = "".join(f"{figures[key]:>9}" for key in ("before_mb", "first_mb", "last_mb", "once_mb", "ratio"))
    print(f"{name:13}{way:11}{sizes}  {interval:28} {found.verdict}", flush=True)
    return figures


def draw(path: Path, results: dict[str, dict[str, Finding]]) -> None:
    """Draw all ways, a panel for each."""
    from lowvox.report.memory import COLOURS
    from lowvox.report.memory_plot import drawing, encoded

    titles = {"usual": "del and gc.collect()", "in-process": "lowvox, in-process", "worker": "lowvox, beside a worker"}
    figure = drawing(figsize=(10.0, 4.2), dpi=150)
    panels: Any = figure.subplots(1, len(titles), sharey=True)
    for axes, (way, title) in zip(panels, titles.items(), strict=True):
        for colour, (name, ways) in zip(COLOURS, results.items(), strict=False):
            if way in ways:
                held: Held = ways[way].held
                axes.plot([size / MB for size in (held.before, *held.after)], color=colour, label=name)
        axes.set(title=title, xlabel="loaded and unloaded, times", ylim=(0, None))
        axes.grid(axis="y", alpha=0.4)
    panels[0].set_ylabel("anonymous MB that stay")
    panels[1].legend(loc="upper right", frameon=False, fontsize=9)  # where it covers nothing
    figure.tight_layout()
    path.write_bytes(encoded(figure))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--plot", type=Path)
    chosen = parser.parse_args()
    os.environ["PYTHONPATH"] = str(TESTS)
    print(f"{'engine':13}{'way':11}{'before':>9}{'first':>9}{'last':>9}{'once':>9}{'ratio':>9}  KB a turn [95 %]")
    results: dict[str, dict[str, Finding]] = {}
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder)):
            if not chosen.only or case.name in chosen.only:
                results[case.name] = measure(case, chosen.turns)
                rows += [row(case.name, way, found) for way, found in results[case.name].items()]
    if chosen.plot:
        draw(chosen.plot, results)
    line: dict[str, object] = {"benchmark": "unload", "turns": chosen.turns}
    for way in ("in-process", "worker", "usual"):
        line[f"{way}_worst_ratio"] = max((float(str(one["ratio"])) for one in rows if one["way"] == way), default=None)
    line["without_growth"] = sum(one["verdict"] == "no growth" for one in rows if one["way"] != "usual")
    line["judged"] = sum(one["way"] != "usual" for one in rows)
    print(json.dumps(line | {"rows": rows}))


if __name__ == "__main__":
    main()
