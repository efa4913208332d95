"""What ONNX Runtime sessions take as they come and in lowvox's profiles: peaks, what stays, time.

    python benchmarks/sessions.py [--runs 5]

Two graphs with random weights: a VITS decoder of 14 M parameters and a stack of 18 matrices of 1024 x 1024. Each way is
a process of its own that loads a graph three times, the third time for the figures: the peak of loading, what is held
then, the peak of a run of long input (200 frames; 1000 rows), and what is held after it; the first load's own peak
stands beside. MB above the process before the first load, by the kernel (RSS). Time is the processor's, the median of
short runs (32 frames; 8 rows) and of long ones, where the ways and their processes take turns. "As it comes" is a
session with its defaults on one thread; "shrinking alone" hands the arena back after each run but leaves glibc as it
is. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
MB = 2**20
PLAIN, SHRINKING = "as it comes", "shrinking alone"
ROUNDS = 3
LENGTHS = {"decoder": (32, 200), "stack": (8, 1000)}


class Raw:
    """A session with its defaults, in the shape of lowvox's own."""

    def __init__(self, path: Path, *, shrinking: bool) -> None:
        from lowvox.onnx import runtime

        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._options = onnxruntime.RunOptions()
        if shrinking:
            self._options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, feeds: dict[str, Any]) -> None:
        """Run."""
        self._session.run(None, feeds, self._options)

    def close(self) -> None:
        """Forget the graph."""
        del self._session


def session(way: str, path: Path) -> Any:
    """Build one in a way."""
    from lowvox.onnx.session import Session
    from lowvox.types import Profile

    return Raw(path, shrinking=way == SHRINKING) if way in (PLAIN, SHRINKING) else Session(path, Profile(way))


def feeds(graph: str, length: int) -> dict[str, Any]:
    """Return noise of a length."""
    import numpy as np

    noise = np.random.default_rng(length)
    shape = (1, 192, length) if graph == "decoder" else (length, 1024)
    return {"z" if graph == "decoder" else "x": noise.standard_normal(shape, np.float32)}


def memory(way: str, graph: str, path: Path) -> dict[str, float]:
    """Return MB above what the process held before; to be called in a process of its own."""
    import os

    from lowvox.memory import allocator, meter
    from lowvox.onnx import runtime

    def peak() -> float:
        highest = meter.peak_rss(os.getpid()) - base
        meter.reset_peak(os.getpid())
        return round(highest / MB, 1)

    def held() -> float:
        return round((meter.usage(os.getpid()).rss - base) / MB, 1)

    runtime()
    long = feeds(graph, LENGTHS[graph][1])
    base = meter.usage(os.getpid()).rss
    figures: dict[str, float] = {}
    for turn in range(3):
        meter.reset_peak(os.getpid())
        current = session(way, path)
        figures |= {"first_load_peak_mb": peak()} if turn == 0 else {"load_peak_mb": peak(), "loaded_mb": held()}
        current.run(long)
        current.run(long)
        figures |= {"run_peak_mb": peak(), "after_run_mb": held()}
        current.close()
        allocator.trim()
    return figures


def times(ways: list[str], graph: str, path: Path, runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of short and long runs by way; to be called in a process of its own."""
    sessions = {way: session(way, path) for way in ways}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for length, count in zip(LENGTHS[graph], (4 * runs, runs), strict=True):
        given = feeds(graph, length)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(count + 1):
            for way in ways:
                begun = time.process_time()
                sessions[way].run(given)
                if turn:
                    taken[way].append(1000 * (time.process_time() - begun))
        for way in ways:
            found[way].append(round(statistics.median(taken[way]), 2))
    return found


def apart(call: str) -> Any:
    """Evaluate a call in a new process."""
    code = f"import json, sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from sessions import *; "
    command = [sys.executable, "-c", f"{code}print(json.dumps({call}))"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def middle(rows: list[list[float]]) -> list[float]:
    """Return the median of each column."""
    return [round(statistics.median(column), 2) for column in zip(*rows, strict=True)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    from lowvox.onnx.session import PROFILES
    from replicas import graphs

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for graph, content in (("decoder", graphs.decoder()), ("stack", graphs.stack(1024, 18))):
            path = Path(folder) / f"{graph}.onnx"
            path.write_bytes(content)
            ways = [PLAIN, SHRINKING, *PROFILES]
            # glibc's settings are the process's: what lowvox sets would change the others.
            groups = [ways[:2], ways[2:]] * ROUNDS
            rounds = [apart(f"times({group!r}, {graph!r}, Path({str(path)!r}), {runs})") for group in groups]
            taken = {way: middle([one[way] for one in rounds if way in one]) for way in ways}
            for way in ways:
                figures = apart(f"memory({way!r}, {graph!r}, Path({str(path)!r}))")
                rows.append({"graph": graph, "way": way, **figures, "ms": taken[way]})
                print(f"{graph:8} {way:16}", *(f"{name} {size:6.1f} " for name, size in figures.items()), taken[way])
    print(json.dumps({"benchmark": "sessions", "rows": rows}))


if __name__ == "__main__":
    main()
