"""Trains lowvox-voice: python train.py ARRAYS OUT --minutes 60

ARRAYS/train.* and ARRAYS/valid.* come from prepare.py. Writes OUT/last.pt every few minutes (goes on from it when it is
there) and OUT/log.jsonl with the distance to the teacher on held-out sentences. The rate falls to nothing by the clock.
SIGTERM writes the checkpoint and ends the run.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from batches import Spoken, statistics
from losses import WEIGHTS, checked, losses, predicted
from movers import Halves, optimizers
from network import Shape, Voice
from torch import nn


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arrays", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steps", type=int, default=9000, help="steps of 10 ms in a batch")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--muon", type=float, default=0.02)
    parser.add_argument("--slow", type=float, default=0.998)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Run:
    """A training run with what it was asked for, where it stands, and where it is kept."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked, self.step, self.spent = asked, 0, 0.0
        self.train, self.valid = Spoken(asked.arrays / "train"), Spoken(asked.arrays / "valid")
        self.shape = Shape()
        self.kept = Voice(self.shape)
        self.kept.mean[:], self.kept.scale[:] = statistics(self.train)
        self.both = Halves(self.kept, asked.slow)
        self.movers = optimizers(self.kept, asked.rate, asked.muon)
        self.last = asked.out / "last.pt"
        if self.last.exists():
            self._go_on(torch.load(self.last, weights_only=False))
        self.source = self.train.batches(np.random.default_rng(asked.seed + self.step), asked.steps)

    def _go_on(self, held: dict[str, Any]) -> None:
        self.kept.load_state_dict(held["kept"])
        self.both.mean.load_state_dict(held["mean"])
        for mover, state in zip(self.movers, held["movers"], strict=True):
            mover.load_state_dict(state)
        self.step, self.spent = held["step"], held["spent"]
        self.both.refresh(self.step)

    def save(self) -> None:
        """Write the checkpoint beside the one before, then put it in its place."""
        held = {"kept": self.kept.state_dict(), "mean": self.both.mean.state_dict(), "step": self.step}
        held |= {"movers": [mover.state_dict() for mover in self.movers], "spent": self.spent}
        fresh = self.last.with_suffix(".new")
        torch.save(held | {"shape": asdict(self.shape)}, fresh)
        fresh.replace(self.last)

    def factor(self) -> float:
        """Return what the rates are multiplied with: up over 200 steps, down over the last 60 % of the time."""
        left = 1 - self.spent / (self.asked.minutes * 60)
        return min(1.0, (self.step + 1) / 200) * min(1.0, left / 0.6)

    def move(self) -> dict[str, float]:
        """Take one step and return the parts of its loss."""
        for mover, rate in zip(self.movers, (self.asked.muon, self.asked.rate), strict=True):
            for group in mover.param_groups:
                group["lr"] = rate * self.factor()
        drawn = self.train.batch(next(self.source))
        parts = losses(self.kept, *predicted(self.both.run, drawn, torch.bfloat16), drawn)
        sum(WEIGHTS[name] * part for name, part in parts.items()).backward()
        self.both.hand_over()
        nn.utils.clip_grad_norm_(self.kept.parameters(), 1.0)
        for mover in self.movers:
            mover.step()
        self.both.refresh(self.step)
        self.step += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def report(self, running: dict[str, list[float]]) -> None:
        """Write a line of the log."""
        line: dict[str, Any] = {
            "step": self.step,
            "minutes": round(self.spent / 60, 2),
            "rate": round(self.factor(), 4),
        }
        line["train"] = {name: round(float(np.mean(values)), 5) for name, values in running.items()}
        line["valid"] = checked(self.both.mean, self.valid)
        with (self.asked.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def main() -> None:
    """Train."""
    asked = options()
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    asked.out.mkdir(parents=True, exist_ok=True)
    run = Run(asked)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    running: dict[str, list[float]] = defaultdict(list)
    before, begun, saved = run.spent, time.monotonic(), time.monotonic()
    while run.spent < asked.minutes * 60 and not stopped:
        for name, part in run.move().items():
            running[name].append(part)
        run.spent = before + time.monotonic() - begun
        if run.step % asked.every == 0:
            run.report(running)
            running.clear()
        if time.monotonic() - saved > 150:
            run.save()
            saved = time.monotonic()
    run.save()


if __name__ == "__main__":
    main()
