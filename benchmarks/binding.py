"""What binding a graph's inputs and outputs to buffers saves: feeds, a windowed decoder, a graph with a cache.

    python benchmarks/binding.py [--runs 3]

Each way is a process of its own, on one thread, the arena handed back after each run as in lowvox's sessions; the ways
take turns. "above" is the peak RSS above what the process held before its first run (MB by the kernel), "ms" the
processor's time of a run.

Feeds: 100 MB of floats that a graph hardly reads, in one piece, as a part of something longer in one piece, and with
gaps; a copy shows in the peak. Windows: the VITS decoder of the tests (14 M weights), 40 windows of 90 frames, what
it gives taken as it comes or bound to a buffer that lowvox's pool lends. Cache: keys and values of 128 and 1024
positions, 6 and 48 MB, of which 100 steps write one each and read all: written by numpy where the graph reads them; the
graph gives them back whole with its own row in them (ScatterND); the same with that output bound onto its input. All
three give the same numbers. The last line is one JSON object; figures are medians over the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MB = 2**20
FLOATS = 25 * MB
FRAMES, HOP, WINDOWS = 90, 256, 40
STEPS = 100
# Layers, keys and values, positions, heads, size of one.
HEADS = (6, 2, 16, 64)
SHORT, LONG = 128, 1024
SUBJECTS: dict[str, tuple[str, ...]] = {
    "feeds": ("in one piece", "a part of one piece", "with gaps"),
    "windows": ("as they come", "bound to the pool"),
    f"cache of {SHORT}": ("numpy", "whole", "bound"),
    f"cache of {LONG}": ("numpy", "whole", "bound"),
}
Row = dict[str, float]


class Graph:
    """A session with lowvox's settings, and ONNX Runtime's own way to bind."""

    def __init__(self, graph: bytes) -> None:
        from lowvox.onnx import options, runtime

        settings = options.Settings()
        self.how = options.run_options(settings)
        self.session = runtime().InferenceSession(
            graph, options.session_options(settings, graph), providers=["CPUExecutionProvider"]
        )

    def run(self, given: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run."""
        made: list[NDArray[Any]] = self.session.run(None, given, self.how)
        return made

    def bound(self, given: dict[str, NDArray[Any]], into: dict[str, NDArray[Any]]) -> None:
        """Run with all outputs in buffers."""
        binding = self.session.io_binding()
        for name, array in given.items():
            binding.bind_cpu_input(name, array)
        for name, array in into.items():
            binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        self.session.run_with_iobinding(binding, self.how)


def model(nodes: list[Any], takes: dict[str, list[Any]], gives: dict[str, list[Any]], weights: dict[str, Any]) -> bytes:
    """Return a graph; what begins with "at" are whole numbers, all else floats."""
    from onnx import TensorProto, helper, numpy_helper

    def values(shapes: dict[str, list[Any]]) -> list[Any]:
        kinds = {name: TensorProto.INT64 if name.startswith("at") else TensorProto.FLOAT for name in shapes}
        return [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in shapes.items()]

    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "graph", values(takes), values(gives), constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def measured(runs: int, work: Callable[[int], object]) -> Row:
    """Work so many times and return the peak above now, and the time of one."""
    from lowvox.memory import meter

    before, begun = meter.usage(os.getpid()).rss, time.process_time()
    meter.reset_peak(os.getpid())
    for index in range(runs):
        work(index)
    taken = time.process_time() - begun
    return {"above_mb": (meter.peak_rss(os.getpid()) - before) / MB, "ms": 1000 * taken / runs}


def feeds(way: str) -> Row:
    """Give a graph 100 MB."""
    import numpy as np

    from onnx import helper

    graph = Graph(
        model(
            [helper.make_node("Slice", ["x", "from", "to"], ["y"])],
            {"x": ["n"]},
            {"y": ["m"]},
            {"from": np.array([0]), "to": np.array([4])},
        )
    )
    long = np.ones(2 * FLOATS, np.float32)
    x = {"in one piece": long, "a part of one piece": long[3 : FLOATS + 3], "with gaps": long[::2]}[way]
    return measured(3, lambda _: graph.run({"x": x}))


def windows(way: str) -> Row:
    """Decode window after window."""
    import numpy as np

    from lowvox.memory.pool import Pool
    from replicas import graphs

    decoder, pool = Graph(graphs.decoder()), Pool(MB)
    z = np.random.default_rng(0).standard_normal((1, graphs.LATENT, FRAMES), np.float32)

    def bound(_: int) -> None:
        with pool.borrow((1, 1, FRAMES * HOP)) as sound:
            decoder.bound({"z": z}, {"audio": sound})

    return measured(WINDOWS, bound if way == "bound to the pool" else lambda _: decoder.run({"z": z}))


def cache(way: str, positions: int) -> Row:
    """Write a position and read them all, step by step."""
    import numpy as np

    graph = Graph(_steps(positions, whole=way != "numpy"))
    layers, kinds, heads, size = HEADS
    held = np.empty((layers, kinds, positions, heads, size), np.float32)
    held.fill(0)  # so that its pages are there
    new = np.random.default_rng(0).standard_normal(HEADS, np.float32)
    read = np.empty(HEADS, np.float32)
    total = 0.0

    def step(index: int) -> None:
        nonlocal held, read, total
        given = {"cache": held, "new": new, "at": np.array([index])}
        if way == "numpy":
            held[:, :, index] = new
            read = graph.run({"cache": held})[0]
        elif way == "whole":
            read, held = graph.run(given)
        else:
            graph.bound(given, {"y": read, "cache2": held})
        total += float(np.abs(read).sum())

    return {**measured(STEPS, step), "check": round(total, 3)}


def _steps(positions: int, *, whole: bool) -> bytes:
    """Return a graph that reads a cache; `whole`: it writes one position first and gives the cache back."""
    import numpy as np

    from onnx import helper

    layers, kinds, heads, size = HEADS
    shape = [layers, kinds, positions, heads, size]
    mean = helper.make_node("ReduceMean", ["cache2" if whole else "cache"], ["y"], axes=[2], keepdims=0)
    if not whole:
        return model([mean], {"cache": shape}, {"y": [*HEADS]}, {})
    places = np.stack(np.meshgrid(range(layers), range(kinds), indexing="ij"), -1).astype(np.int64)
    write = [
        helper.make_node("Expand", ["at", "each"], ["ats"]),
        helper.make_node("Concat", ["places", "ats"], ["where"], axis=2),
        helper.make_node("ScatterND", ["cache", "where", "new"], ["cache2"]),
    ]
    takes = {"cache": shape, "new": [*HEADS], "at": [1]}
    weights = {"each": np.array([layers, kinds, 1]), "places": places}
    return model([*write, mean], takes, {"y": [*HEADS], "cache2": shape}, weights)


def job(subject: str, way: str) -> Row:
    """Do one thing; to be called in a process of its own."""
    if subject == "feeds":
        return feeds(way)
    return windows(way) if subject == "windows" else cache(way, int(subject.rpartition(" ")[2]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(job(*asked.job)))
        return
    pairs = [(subject, way) for subject, ways in SUBJECTS.items() for way in ways]
    taken: dict[tuple[str, str], list[Row]] = {pair: [] for pair in pairs}
    for _ in range(asked.runs):
        for pair in pairs:
            command = [sys.executable, __file__, "--job", *pair]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            taken[pair].append(json.loads(done.stdout))
    line: dict[str, Any] = {"benchmark": "binding", "runs": asked.runs}
    print("| | | above, MB | ms |\n| --- | --- | --- | --- |")
    for (subject, way), rows in taken.items():
        row = {key: round(statistics.median(each[key] for each in rows), 3) for key in rows[0]}
        line.setdefault(subject, {})[way] = row
        print(f"| {subject} | {way} | {row['above_mb']:.1f} | {row['ms']:.2f} |")
    print(json.dumps(line))


if __name__ == "__main__":
    main()
