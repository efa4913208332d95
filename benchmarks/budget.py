"""The budget under fire: a thousand requests at random, and whether memory ever passed what was stated.

    python benchmarks/budget.py [--requests 1000] [--rounds 20] [--seed 1] [--plot PATH]

Each round is a process with a budget of its own, from the smallest that `lowvox fit` says is feasible to three times
that; eight threads ask for speech in several languages and for the text of recordings, from one word to a quarter of a
minute. Its process tree is sampled at 50 Hz from outside: PSS, and for each process by how much the kernel's own record
of its largest RSS since the last sample (VmHWM, reset each time) was above what it held then, so that no spike between
two samples is missed. The sum of those is what is held against the budget. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lowvox import Speech
from lowvox.memory import meter, processes
from replicas import kaldi

MB = meter.MB
HZ = 50
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "speech"
JOB = Path(__file__).with_name("budget_job.py")
PATIENCE_S = 600


class Watch:
    """Samples a process tree until `stop`: the highest PSS, and the highest with the kernel's spikes added."""

    def __init__(self, root: int) -> None:
        self.sampled = self.spiked = 0
        self.line: list[tuple[float, float]] = []
        self._root = root
        self._begun = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(1 / HZ):
            pss = spikes = 0
            for pid in meter.tree(self._root):
                if processes.is_starting(pid):  # until its exec it has the pages of its parent
                    continue
                record = meter.peak_rss(pid)
                meter.reset_peak(pid)
                usage = meter.usage(pid)
                pss += usage.pss
                spikes += max(0, record - usage.rss)
            self.sampled = max(self.sampled, pss)
            self.spiked = max(self.spiked, pss + spikes)
            self.line.append((time.monotonic() - self._begun, pss / MB))


def recordings() -> list[str]:
    """Return recordings of every length, those of one or two seconds more often: the requests shall be many."""
    rows = [json.loads(line) for line in (DATA / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    english = sorted((row["seconds"], str(DATA / row["path"])) for row in rows if row["lang"] == "en")
    return [file for seconds, file in english if seconds < 4] + [file for seconds, file in english if seconds < 16][
        -12:
    ]


def smallest(folder: Path) -> float:
    """Return the smallest budget in MB that listening and speaking fit, each at a time."""
    with Speech() as speech:
        one = [speech.fit(roles) for roles in (("vad", "recognizer"), ("synthesizer",))]
    with Speech(model=str(folder)) as speech:
        one.append(speech.fit(("vad", "recognizer")))
    return max(plan.smallest or 0 for plan in one) / MB


def play(budget: float, count: int, seed: int, folder: Path, files: list[str]) -> tuple[dict[str, Any], Watch]:
    """Run one round; return what the process says and what was seen from outside."""
    command = [sys.executable, str(JOB), f"{budget:.3f}", str(count), str(seed), str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n".join(files))
    process.stdin.close()
    if process.stdout.readline().strip() != "ready":
        raise SystemExit(f"the round with {budget:.0f} MB did not begin")
    watch = Watch(process.pid)
    timer = threading.Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        said = process.stdout.readline()
    finally:
        timer.cancel()
        watch.stop()
        process.wait()
    return json.loads(said) if said else {"answers": {}, "reasons": {"it hung": 1}, "own_peak": 0}, watch


def main() -> None:
    """Run all rounds and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    rng, files = random.Random(options.seed), recordings()
    answers: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    worst: tuple[float, Watch | None] = (0.0, None)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = kaldi.build(Path(scratch) / "stand-in")
        least = smallest(folder)
        print(f"smallest feasible budget: {least:.0f} MB")
        print(f"{'budget':>8} {'sampled':>8} {'with spikes':>11} {'ratio':>6}  answers")
        for number in range(options.rounds):
            budget = least * (1 + 2 * rng.random()) if number else least
            told, watch = play(budget, options.requests // options.rounds, rng.getrandbits(32), folder, files)
            ratio = watch.spiked / MB / budget
            answers.update(told["answers"])
            reasons.update(told["reasons"])
            rows.append((budget, watch.sampled / MB, watch.spiked / MB))
            if ratio > worst[0]:
                worst = (ratio, watch)
            print(f"{budget:8.1f} {watch.sampled / MB:8.1f} {watch.spiked / MB:11.1f} {ratio:6.3f}  {told['answers']}")
            for reason, times in told["reasons"].items():
                print(f"         {times} x {reason}")
    if options.plot and worst[1]:
        draw(options.plot, rows, worst[1], worst[0])
    print(
        json.dumps(
            {
                "benchmark": "budget",
                "requests": sum(answers.values()),
                "answers": answers,
                "reasons": reasons,
                "sampled_over_budget": round(max(sampled / budget for budget, sampled, _ in rows), 4),
                "kernel_over_budget": round(worst[0], 4),
            }
        )
    )


def draw(path: Path, rows: list[tuple[float, float, float]], worst: Watch, ratio: float) -> None:
    """Plot the peak of each round against its budget, and the round that came nearest to its own."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    top = 1.05 * max(budget for budget, _, _ in rows)
    left.plot([0, top], [0, top], color="#b3261e", linestyle="--", label="the budget")
    left.scatter([row[0] for row in rows], [row[2] for row in rows], color="#0072b2", label="highest of a round")
    left.set(xlabel="budget, MB", ylabel="peak of the process tree, MB", xlim=(0, top), ylim=(0, top))
    left.legend(frameon=False)
    right.plot(*zip(*worst.line, strict=True), color="#0072b2", linewidth=0.8)
    right.axhline(worst.spiked / MB / ratio, color="#b3261e", linestyle="--")
    right.set(xlabel="seconds", ylabel="MB", title="the round nearest to its budget", ylim=(0, None))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
