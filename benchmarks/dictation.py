"""An hour of dictation, as fast as it goes: does memory creep?

    python benchmarks/dictation.py [--minutes 60] [--budget 250MB] [--plot PATH]

Recorded English, with noise between the recordings: a room's, a loud machine's, clicks.
After each minute of sound the process tree is measured: USS, which other programs cannot change. The slope over all
minutes but the first five, with its 95 % interval, is what has crept in. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lowvox import Speech
from lowvox.audio import reading
from lowvox.memory import meter
from lowvox.memory.leaks import slope

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = meter.MB
RATE = 16000
BLOCK = 3200
WARM_UP = 5
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "speech"


def noise(rng: np.random.Generator) -> bytes:
    """Return 2 to 12 s of noise: a room's, a loud machine's, or clicks."""
    length = int(rng.integers(2, 12)) * RATE
    loudness = float(rng.choice((60, 600, 4000)))
    sound = rng.normal(0, loudness, length)
    sound[:: int(rng.integers(2000, 20000))] = 20000
    return sound.clip(-32768, 32767).astype("<i2").tobytes()


def sound(minutes: int) -> Iterator[bytes]:
    """Give recordings and noise in turn, as blocks of 0.1 s."""
    rng = np.random.default_rng(1)
    files = sorted((DATA / "en").glob("*.flac"))
    rng.shuffle(files)
    left, rest = minutes * 60 * 2 * RATE, b""
    for file in cycle(files):
        with reading.opened(file) as recording:
            rest += b"".join(recording.blocks()) + noise(rng)
        while len(rest) >= BLOCK:
            yield rest[:BLOCK]
            rest, left = rest[BLOCK:], left - BLOCK
            if left <= 0:
                return


class Minutes:
    """Passes sound on, and measures the process tree at every full minute of it."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.uss: list[float] = []
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        heard = 0
        for block in self._blocks:
            yield block
            heard += len(block)
            if heard >= (len(self.uss) + 1) * 60 * 2 * RATE:
                self.uss.append(meter.tree_usage().uss / MB)
                print(f"{len(self.uss):4} min  {self.uss[-1]:7.1f} MB", file=sys.stderr)


def main() -> None:
    """Dictate and print the growth."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--budget", default="250MB")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    minutes = Minutes(sound(options.minutes))
    with Speech(budget=options.budget, punctuation=False) as speech:
        finals = sum(event.kind == "final" and bool(event.text) for event in speech.dictate(minutes))
        recycled = sum(mark.kind == "recycle" for mark in speech.monitor.marks)
        peak = speech.memory().peak_pss_mb
    grown = slope(minutes.uss[WARM_UP:])
    if options.plot:
        draw(options.plot, minutes.uss)
    print(
        json.dumps(
            {
                "benchmark": "dictation",
                "minutes": len(minutes.uss),
                "utterances": finals,
                "uss_mb_first": round(minutes.uss[WARM_UP], 1),
                "uss_mb_last": round(minutes.uss[-1], 1),
                "kb_per_minute": round(grown.per_cycle * 1024, 1),
                "interval_kb": [round(grown.low * 1024, 1), round(grown.high * 1024, 1)],
                "recycled": recycled,
                "peak_pss_mb": peak,
                "budget": options.budget,
            }
        )
    )


def draw(path: Path, uss: list[float]) -> None:
    """Plot memory over the minutes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    axes.plot(range(1, len(uss) + 1), uss, color="#0072b2", marker=".")
    axes.set(xlabel="minutes of dictation", ylabel="USS of the process tree, MB", ylim=(0, 1.1 * max(uss)))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
