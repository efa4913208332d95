"""Predicted against measured peaks: plans of one to four streams at once, each in a fresh process tree.

    python benchmarks/plans.py [--every N] [--only TEXT] [--resume FILE] [--plot PATH]

Every model is measured first, as the manager would; the planner's sums then say what each plan takes. Each plan is
carried out in a process of its own (plans_job.py), every stream at the hardest work that the plan allows, again and
again until all have done it twice. What its process tree takes is sampled at 50 Hz as PSS; to each sample is added by
how far each process's own peak since the last one, which the kernel keeps (VmHWM), was above what it holds now. Pages
that only this benchmark shares with the tree count as the tree's. Other Python programs that run meanwhile would share
pages with it as well and lower its PSS: `shared_mb` tells how much of the tree's first process they had.

Vosk's models cannot be had everywhere: a replica with the true layout stands in. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from benchmarks.plans_job import Part

from lowvox import engines, models
from lowvox.memory import measure, meter
from lowvox.memory.options import CAPS, Need, Option, Prices, options
from lowvox.types import Model
from replicas import kaldi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Choice, Footprint, Placement

MB = meter.MB
HZ = 50
ROOT = Path(__file__).resolve().parents[1]
# Makes the sound of a length that stays just below a cap: to be resampled, and decoded from the heavier format.
CROWD = """
import sys, numpy, soundfile, soxr
from lowvox.audio.clip import crowd
sound = numpy.frombuffer(crowd(float(sys.argv[1])), "<i2").astype(numpy.float32) / 32768
soundfile.write(sys.argv[2], soxr.resample(numpy.stack([sound, sound], 1), 16000, 44100), 44100)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """One part of a plan as it is asked for: `cap` counts in CAPS of the role, from the longest."""

    model: Model
    streams: int
    placement: Placement = "worker"
    runs: int = 1
    cap: int = 0

    def __str__(self) -> str:
        place = " in-process" if self.placement == "in-process" else ""
        cap = CAPS[self.model.role][self.cap]
        return f"{self.streams} x {self.model.engine}{place} (runs {self.runs}, cap {cap:g})"


@dataclass(frozen=True, slots=True)
class Result:
    """A plan that was carried out; bytes."""

    name: str
    predicted: int
    measured: int
    shared: int

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.measured


class Sampler:
    """Reads a process tree 50 times a second from outside it and keeps its peak."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._me = os.getpid()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.peak = 0

    def __enter__(self) -> Self:
        self.sample()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()
        self.sample()

    def sample(self) -> int:
        """Return what the tree takes now, as if this process did not look; count what came and went in between."""
        own = meter.usage(self._me)
        total = own.pss - own.uss
        spikes = 0
        for pid in meter.tree(self._root):
            peak = meter.peak_rss(pid)
            meter.reset_peak(pid)
            now = meter.usage(pid)
            total += now.pss
            spikes += max(0, peak - now.rss)
        self.peak = max(self.peak, total + spikes)
        return total

    def _run(self) -> None:
        while not self._stopped.wait(1 / HZ):
            self.sample()


def plans(sphinx: Model, voice: Model | None, vosk: Model | None) -> Iterator[tuple[Wish, ...]]:
    """Yield the plans, without the VAD that goes with every recogniser."""
    sphinxes = [Wish(sphinx, streams, cap=cap) for streams in (1, 2, 3, 4) for cap in (0, 1, 2)]
    sphinxes += [Wish(sphinx, streams, "in-process", cap=cap) for streams in (1, 2, 3) for cap in (0, 1, 2)]
    voices = [Wish(voice, streams, cap=cap) for streams in (1, 2, 3, 4) for cap in (0, 1, 2)] if voice else []
    shared = (
        [Wish(vosk, streams, runs=runs) for streams in (1, 2, 3, 4) for runs in range(1, streams + 1)] if vosk else []
    )
    for wish in (*sphinxes, *voices, *shared):
        yield (wish,)
    # Both roles, and several engines of one role.
    yield from ((one, other) for one in sphinxes[::5] for other in voices[:7:3])
    yield from ((one, other) for one in shared[::3] for other in voices[1:8:3])
    yield from ((one, other) for one in sphinxes[:4:3] for other in shared[::5])
    yield from ((sphinxes[0], shared[4], voices[3]),) if voices and shared else ()


def option(wish: Wish) -> Option:
    """Return the planner's option that is the wish."""
    role = wish.model.role
    cap = CAPS[role][wish.cap] if wish.cap else None
    wanted = (wish.placement, wish.runs, cap)
    found = options(Need(role, (wish.model,), wish.streams), engines.entry)
    return next(each for each in found if (each.choice.placement, each.choice.runs, each.choice.cap) == wanted)


def carry_out(parts: list[Part]) -> tuple[int, int, int]:
    """Run a plan; return (bytes before anything is loaded, bytes of those that others share, bytes at the peak)."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.plans_job"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as job:
        assert job.stdin
        assert job.stdout
        print(pickle.dumps(parts).hex(), file=job.stdin, flush=True)
        base = int(job.stdout.readline())
        with Sampler(job.pid) as sampler:
            alone = sampler.sample()
            print(file=job.stdin, flush=True)
            if job.stdout.readline() != "done\n":
                raise SystemExit("the plan could not be carried out")
        job.stdin.close()
    return base, base - alone, sampler.peak


class Bench:
    """What was measured, and the sounds to hear."""

    def __init__(self, folder: Path, vad: Model) -> None:
        self._folder = folder
        self._vad = vad
        self._prices = Prices(self._footprint, lambda _: 0)
        print("Measuring audio libraries ...", file=sys.stderr)
        self._audio = measure.audio_footprint()

    def run(self, wishes: tuple[Wish, ...]) -> Result:
        """Predict one plan, carry it out and print both."""
        parts = [option(wish) for wish in wishes]
        listeners = sum(wish.streams for wish in wishes if wish.model.role == "recognizer")
        if listeners:
            known = options(Need("vad", (self._vad,), listeners), engines.entry)
            parts.append(known[0])
        predicted = sum(self._prices.peak(part) for part in parts)
        predicted += self._audio.peak(listeners) if listeners else 0
        base, shared, measured = carry_out([self._part(part) for part in parts])
        result = Result(" + ".join(map(str, wishes)), base + predicted, measured, shared)
        figures = f"{result.predicted / MB:7.1f} {result.measured / MB:7.1f} {result.ratio:6.3f} {shared / MB:5.1f}"
        print(f"{figures}  {result.name}", flush=True)
        return result

    def _footprint(self, choice: Choice) -> Footprint:
        print(f"Measuring {choice.model.name} ({choice.placement}, runs {choice.runs}) ...", file=sys.stderr)
        return measure.footprint(choice, engines.entry(choice.model.engine))

    def _part(self, part: Option) -> Part:
        role, choice = part.need.role, part.choice
        cap = choice.cap or CAPS[role][0] if role == "recognizer" else None
        return Part(choice, part.need.streams, part.capacity, self._sound(cap) if cap else None)

    def _sound(self, cap: float) -> Path:
        path = self._folder / f"{cap:g}.flac"
        if not path.exists():
            subprocess.run([sys.executable, "-c", CROWD, str(cap - 0.06), str(path)], check=True)
        return path


def printed(path: Path) -> dict[str, Result]:
    """Read what a run that was interrupted has printed, by plan."""
    line = re.compile(r"\s*([\d.]+)\s+([\d.]+)\s+[\d.]+\s+([\d.]+)  (\S.*)")
    found = [match.groups() for match in map(line.fullmatch, path.read_text().splitlines()) if match]
    sizes = {name: [round(float(figure) * MB) for figure in figures] for *figures, name in found}
    return {name: Result(name, predicted, measured, shared) for name, (predicted, measured, shared) in sizes.items()}


def plot(results: list[Result], path: Path) -> None:
    """Draw predicted against measured, with the band of 10 %."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    most = 1.1 * max(result.measured for result in results) / MB
    axes.fill_between([0, most], [0, 0.9 * most], [0, 1.1 * most], color="0.9", label="within 10 %")
    axes.plot([0, most], [0, most], color="0.6", linewidth=1)
    axes.scatter([r.measured / MB for r in results], [r.predicted / MB for r in results], s=14)
    axes.set(xlabel="measured peak (MB)", ylabel="predicted peak (MB)", xlim=(0, most), ylim=(0, most))
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=150)


def summary(results: list[Result]) -> dict[str, object]:
    """Return the JSON object."""
    ratios = sorted(result.ratio for result in results)
    within = sum(0.9 <= ratio <= 1.1 for ratio in ratios)
    return {
        "benchmark": "plans",
        "plans": len(ratios),
        "within_10_percent": round(within / len(ratios), 4),
        "ratio_lowest": round(ratios[0], 4),
        "ratio_median": round(statistics.median(ratios), 4),
        "ratio_highest": round(ratios[-1], 4),
        "measured_above_predicted": sum(ratio < 1 for ratio in ratios),
        "measured_mb": [round(f(r.measured for r in results) / MB, 1) for f in (min, max)],
        "shared_mb": round(max(result.shared for result in results) / MB, 1),
    }


def main() -> None:
    """Carry out the plans and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="carry out each N-th plan only")
    parser.add_argument("--only", default="", help="carry out the plans with this text in their names")
    parser.add_argument("--resume", type=Path, help="what an interrupted run has printed: go on behind it")
    parser.add_argument("--plot", type=Path, help="draw the result into this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vosk = Model("vosk-replica", "vosk", "recognizer", ("en",), path=kaldi.build(Path(folder) / "vosk"))
        vad, sphinx = models.find("vad"), models.find("recognizer", "en", "pocketsphinx-en-us")
        voice = models.find("synthesizer", "en") if engines.available("espeak") else None
        every = list(plans(sphinx, voice, vosk if engines.available("vosk") else None))
        chosen = [wishes for wishes in every if arguments.only in " + ".join(map(str, wishes))][:: arguments.every]
        bench = Bench(Path(folder), vad)
        print("predicted, measured MB; ratio; MB of the first process shared with other programs; plan")
        done = printed(arguments.resume) if arguments.resume else {}
        results = [done.get(" + ".join(map(str, wishes))) or bench.run(wishes) for wishes in chosen]
    if arguments.plot:
        plot(results, arguments.plot)
    print(json.dumps(summary(results)))


if __name__ == "__main__":
    main()
