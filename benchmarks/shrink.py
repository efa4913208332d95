"""The published headline, on a voice of the same size: a VITS2 of 42.6 M weights in floats and in 8 bits.

    python benchmarks/shrink.py [--seconds 4] [--runs 20] [--folder FOLDER] [--only whole|decoder]

Stands for a published case (42 M weights, 167 MB), whose table leaves the speed in 8 bits at batch 8 empty. Weights are
random. "whole" is the voice in one graph, "decoder" what makes sound of its last latents. Both are rounded by
`lowvox.shrink`: every convolution and product, per channel, ranges by min-max on four sentences. Every row is a process
of its own on one thread; timed runs take turns. RTF is the processor's seconds for a second of sound, its quarters in
brackets; peak is the kernel's RSS of the whole process. --folder keeps the graphs and takes what is there already. The
last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lowvox.onnx import split as sidecars
from lowvox.shrink import graph
from lowvox.shrink.rounding import calibrate, qdq
from lowvox.shrink.trials import distance, measuring, trial
from lowvox.shrink.voices.split import split
from replicas import vits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lowvox.shrink.trials.measuring import Subject
    from lowvox.shrink.trials.variant import Row

    Values = dict[str, NDArray[Any]]

RATE, SPEAKERS = 22050, 57
SENTENCES, UNSEEN = (25, 30, 35, 40), 33


@dataclass(frozen=True, slots=True)
class Pair:
    """A graph in floats and in 8 bits, what it is run on, and how long the sound of that is."""

    name: str
    exact: Path
    rounded: Path
    sample: Values
    coverage: float


def feeds(symbols: int) -> Values:
    """Return a text of so many symbols; a longer one begins like a shorter one. Lengths have no noise."""
    ids = np.random.default_rng(5).integers(3, 100, (1, symbols)).astype(np.int64)
    scales = np.array([0.667, 1, 0], np.float32)
    return {"input": ids, "input_lengths": np.array([symbols]), "scales": scales, "sid": np.array([3])}


def made(folder: Path, seconds: float) -> list[Pair]:
    """Make the voice, its parts and both in 8 bits, whatever of them is missing."""
    whole = folder / "voice.onnx"
    parts = folder / "parts"
    if not whole.exists():
        whole.write_bytes(vits.graph(vits.FULL, SPEAKERS, vits2=True))
    if not parts.exists():
        parts.mkdir()
        split(whole, parts, feeds)
    told = sidecars.read(next(parts.glob("*.split.json")))
    front, decoder = parts / told.front, parts / told.stages[-1].file
    texts = [feeds(count) for count in SENTENCES]
    long = feeds(round(seconds * RATE / vits.HOP / 2.2))
    latents = [latent(front, decoder, each) for each in [*texts, long]]
    return [
        pair("whole", whole, folder / "voice.int8.onnx", texts, long),
        pair("decoder", decoder, folder / "decoder.int8.onnx", latents[:-1], latents[-1]),
    ]


def latent(front: Path, decoder: Path, text: Values) -> Values:
    """Return what the decoder is given for a text."""
    from lowvox.onnx.session import Session

    session, wanted = Session(front, seed=7), Session(decoder).inputs
    values = text | dict(zip(session.outputs, session.run(text), strict=True))
    return {name: values[name] for name in wanted}


def pair(name: str, exact: Path, rounded: Path, samples: list[Values], sample: Values) -> Pair:
    """Round a graph where that was not done before."""
    model = graph.read(exact)
    nodes = graph.roundable(model)
    if not rounded.exists():
        ranges = calibrate.ranges(model, samples, qdq.needed(model, nodes))
        rounded.write_bytes(qdq.rounded(model, ranges, nodes).SerializeToString(deterministic=True))
    return Pair(name, exact, rounded, sample, graph.coverage(model, nodes))


def seconds_of(path: Path, sample: Values) -> float:
    """Return how long the sound of a sample is."""
    return next(iter(trial.outputs(path, [sample])))[0].size / RATE


def measured(one: Pair, runs: int) -> list[dict[str, Any]]:
    """Measure both in turns; return a row for each and each batch."""
    subjects: list[Subject] = [
        trial.of_graph(path, [one.sample], name=f"{one.name} {kind}")
        for kind, path in (("FP32", one.exact), ("INT8", one.rounded))
    ]
    exact, rounded = measuring.measured(subjects, runs=runs)
    length, its = (seconds_of(path, one.sample) for path in (one.exact, one.rounded))
    return [
        line
        for first, second in zip(exact, rounded, strict=True)
        for line in (told(first, length, first, length), told(second, its, first, length))
    ]


def told(row: Row, seconds: float, first: Row, first_seconds: float) -> dict[str, Any]:
    """Return a row as an object; ratios are to FP32 with the same batch."""
    assert row.cpu_s
    assert row.cpu_spread_s
    assert first.cpu_s
    rtf, base = row.cpu_s / seconds / row.batch, first.cpu_s / first_seconds / first.batch
    low, high = (round(each / seconds / row.batch, 3) for each in row.cpu_spread_s)
    return {
        "variant": row.variant,
        "batch": row.batch,
        "way": row.way,
        "size_mb": round(row.size_mb, 2),
        "size_ratio": round(row.size_mb / first.size_mb, 3),
        "load_s": round(row.load_s, 2),
        "rtf": round(rtf, 3),
        "quarters": [low, high],
        "rtf_ratio": round(rtf / base, 3),
        "peak_mb": round(row.peak_rss_mb, 1),
        "peak_ratio": round(row.peak_rss_mb / first.peak_rss_mb, 3),
    }


def main() -> None:
    """Measure; print a table in Markdown and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=("whole", "decoder"))
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        line: dict[str, Any] = {"benchmark": "shrink", "runs": asked.runs, "rows": [], "noise_db": {}, "coverage": {}}
        print("| | batch | file MB | ratio | load s | RTF | ratio | peak MB | ratio |\n" + "| --- " * 9 + "|")
        for one in made(folder, asked.seconds):
            if asked.only not in (None, one.name):
                continue
            for row in measured(one, asked.runs):
                size, speed = f"{row['size_mb']} | {row['size_ratio']}", f"{row['rtf']} {row['quarters']}"
                end = f"{row['rtf_ratio']} | {row['peak_mb']:.0f} | {row['peak_ratio']}"
                print(f"| {row['variant']} | {row['batch']} | {size} | {row['load_s']} | {speed} | {end} |", flush=True)
                line["rows"].append(row)
            line["coverage"][one.name] = round(one.coverage, 1)
            if one.name == "decoder":
                both = (trial.outputs(path, [one.sample]) for path in (one.exact, one.rounded))
                line["noise_db"][one.name] = round(distance.signals(*both), 1)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
