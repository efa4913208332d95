"""Rounding a graph to 8 bits by lowvox beside ONNX Runtime's own tools: what comes out, and what calibrating takes.

    python benchmarks/quantize.py [--graph FILE --samples PATH] [--runs 40]
    python benchmarks/quantize.py --calibration

The graph is the decoder of a voice of 36 M weights, random ones, that `lowvox shrink split` cut off; its samples are
four sentences, and a fifth is what noise and time are measured on. With --graph it is any, and every fifth sample is
kept back. Each variant is in a process of its own: file, the kernel's record of its largest RSS, processor time over
FP32's (medians of runs in turns; quarters behind), and signal over difference to FP32's output. "defaults" is
`quantize_static(graph, out, reader)` of ONNX Runtime with nothing else said; "channels" the same with `per_channel`.

--calibration measures the ranges of a small decoder on 8, 64 and 512 samples of 32 frames, in a process each: the
kernel's record of its largest RSS above what it held before, and seconds. A way that would take more than is stated
(--limit) is ended there, which is said. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

MB = 2**20
LENGTHS, UNSEEN = (25, 30, 35, 40), 33
COUNTS = (8, 64, 512)
FRAMES, CHANNELS = 32, 64
OURS, THEIRS = ("minmax", "percentile", "entropy"), ("MinMax", "Percentile", "Entropy")


def main() -> None:
    """Measure, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graph", type=Path)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--calibration", action="store_true")
    parser.add_argument("--limit", type=float, default=8, metavar="GB")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # a way and a count, in a process of its own
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(calibrated(asked.one[0], Path(asked.one[1]), asked.limit)))
        return
    with tempfile.TemporaryDirectory() as lent:
        result = calibration(Path(lent), asked.limit) if asked.calibration else compared(Path(lent), asked)
    print(json.dumps(result))


def compared(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Round one graph in all ways and measure each."""
    from lowvox.shrink.graph import read
    from lowvox.shrink.rounding import samples
    from lowvox.shrink.trials import measuring, trial

    if asked.graph:
        graph = asked.graph
        known, kept = samples.parted(samples.read(asked.samples, read(graph)))
        calibrating, judging = list(known), list(kept)
    else:
        graph, calibrating, judging = decoder(folder)
    made = {"fp32": graph, **variants(graph, folder, calibrating)}
    subjects = [replace(trial.of_graph(path, judging, (1,)), variant=name) for name, path in made.items()]
    found: dict[str, dict[str, Any]] = {}
    rows = [row for (row,) in measuring.measured(subjects, (1,), asked.runs)]
    for row in rows:
        (far,) = (one.distance_db for one in trial.graph(made[row.variant], judging, graph, (1,), runs=1))
        found[row.variant] = told(row, rows[0], far)
        print(f"{row.variant:22} {found[row.variant]}")
    return {"graph": graph.name, "variants": found}


def told(row: Any, first: Any, far: float | None) -> dict[str, Any]:
    """Return the columns of a variant."""
    low, high = row.cpu_spread_s
    return {
        "size_mb": round(row.size_mb, 3),
        "size": round(row.size_mb / first.size_mb, 4),
        "peak_rss_mb": round(row.peak_rss_mb, 1),
        "time": round(row.cpu_s / first.cpu_s, 3),
        "time_quarters": [round(low / first.cpu_s, 3), round(high / first.cpu_s, 3)],
        "signal_over_noise_db": None if row is first or far is None else round(far, 2),
    }


def decoder(folder: Path) -> tuple[Path, list[Any], list[Any]]:
    """Write the decoder of a large voice; return it, samples to calibrate on and one to judge by."""
    from lowvox.onnx.session import Session
    from lowvox.shrink.voices.split import split
    from replicas import vits

    def feeds(symbols: int) -> dict[str, NDArray[Any]]:
        ids = np.random.default_rng(symbols).integers(3, 100, (1, symbols))
        return {"input": ids, "input_lengths": np.array([symbols]), "scales": np.array([0.6, 1, 0], np.float32)}

    whole = folder / "voice.onnx"
    whole.write_bytes(vits.graph(vits.FULL))
    parts, _ = split(whole, folder, feeds)
    sessions = [Session(folder / name, seed=1) for name in parts.files]
    seen = []
    for symbols in (*LENGTHS, UNSEEN):
        values: dict[str, Any] = dict(feeds(symbols))
        for session in sessions:
            given = {name: values[name] for name in session.inputs}
            if session is not sessions[-1]:
                values |= zip(session.outputs, session.run(given), strict=True)
        seen.append(given)
    return folder / parts.files[-1], seen[:-1], seen[-1:]


def variants(graph: Path, folder: Path, samples: list[Any]) -> dict[str, Path]:
    """Round a graph in all ways; return the files by way."""
    from lowvox.onnx import quantization
    from lowvox.shrink.graph import read, roundable
    from lowvox.shrink.quiet import quiet
    from lowvox.shrink.rounding import calibrate, qdq

    found = {}
    for name, options in {"defaults": {}, "channels": {"per_channel": True}}.items():
        found[f"onnxruntime {name}"] = folder / f"theirs-{name}.onnx"
        begun = time.process_time()
        with quiet():
            target = str(found[f"onnxruntime {name}"])
            quantization().quantize_static(str(graph), target, reader(samples), **options)
        print(f"onnxruntime {name}: rounded in {time.process_time() - begun:.1f} s")
    model = read(graph)
    nodes = roundable(model)
    for method in calibrate.METHODS:
        begun = time.process_time()
        ranges = calibrate.ranges(model, samples, qdq.needed(model, nodes), method)
        for name, per_channel in {"tensor": False, "channel": True}.items():
            path = found[f"lowvox {method} {name}"] = folder / f"ours-{method}-{name}.onnx"
            path.write_bytes(qdq.rounded(model, ranges, nodes, per_channel=per_channel).SerializeToString())
        print(f"lowvox {method}: rounded in {time.process_time() - begun:.1f} s")
    return found


def reader(samples: Iterable[Mapping[str, Any]]) -> Any:
    """Return samples in the shape that ONNX Runtime takes them in."""
    from lowvox.onnx import quantization

    class Reader(quantization().CalibrationDataReader):  # type: ignore[misc]  # it has no types
        def __init__(self) -> None:
            self._left: Iterator[Mapping[str, Any]] = iter(samples)

        def get_next(self) -> Mapping[str, Any] | None:
            return next(self._left, None)

    return Reader()


def calibration(folder: Path, limit: float) -> dict[str, Any]:
    """Calibrate in all ways on more and more samples, each in a process of its own."""
    from replicas import graphs

    (folder / "graph.onnx").write_bytes(graphs.decoder(CHANNELS))
    found: dict[str, dict[int, Any]] = {}
    for count in COUNTS:
        where = folder / str(count)
        where.mkdir()
        for at in range(count):
            noise = np.random.default_rng(at).standard_normal((1, 192, FRAMES), np.float32)
            np.savez(where / f"{at:03}.npz", z=noise)
        for way in (*(f"lowvox {name}" for name in OURS), *(f"onnxruntime {name}" for name in THEIRS)):
            command = [sys.executable, __file__, "--one", way, str(where), "--limit", str(limit)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            figures = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"ended": True}
            found.setdefault(way, {})[count] = figures
            print(f"{way:24} {count:4} samples: {figures}", flush=True)
    return {"frames": FRAMES, "limit_gb": limit, "calibration": found}


def calibrated(way: str, folder: Path, limit: float) -> dict[str, float]:
    """Measure ranges in this process; return MB above what it held before, and seconds."""
    import os

    from lowvox.memory import meter
    from lowvox.onnx import quantization
    from lowvox.shrink import graph
    from lowvox.shrink.rounding import calibrate, qdq, samples

    source = folder.parent / "graph.onnx"
    model = graph.read(source)
    given = samples.read(folder, model)
    quantization()
    resource.setrlimit(resource.RLIMIT_DATA, (int(limit * 2**30),) * 2)
    base, begun = meter.usage(os.getpid()).rss, time.process_time()
    meter.reset_peak(os.getpid())
    name = way.split()[1]
    if way.startswith("lowvox"):
        calibrate.ranges(model, given, qdq.needed(model, graph.roundable(model)), name)  # type: ignore[arg-type]
    else:
        theirs(source, name, given)
    peak = meter.peak_rss(os.getpid()) - base
    return {"peak_mb": round(peak / MB, 1), "seconds": round(time.process_time() - begun, 1)}


def theirs(source: Path, method: str, given: Iterable[Any]) -> None:
    """Measure ranges as `quantize_static` does it."""
    from lowvox.onnx import quantization
    from lowvox.shrink.quiet import quiet

    tools = quantization()
    with quiet(), tempfile.TemporaryDirectory() as lent:
        calibrater = tools.calibrate.create_calibrator(
            source,
            ["Conv", "ConvTranspose", "Gemm", "MatMul"],
            str(Path(lent) / "augmented.onnx"),
            calibrate_method=tools.CalibrationMethod[method],
        )
        calibrater.collect_data(reader(given))
        calibrater.compute_data()


if __name__ == "__main__":
    main()
