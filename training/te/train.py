"""Trains `lowvox-te`: python train.py ARRAYS OUT --languages en,de,es,ru --minutes 90

Writes OUT/last.pt every few minutes (goes on from it when it is there) and OUT/log.jsonl with the F1 of what is held
out. The rate falls to nothing by the clock, so that a run ends where it was told to, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from batches import IGNORED, Batch, Text, batch
from network import Network, Shape
from score import logits, table


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal before each step (Jordan and others, 2024), for matrices in blocks."""

    def __init__(self, params, lr: float = 0.02, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None) -> None:  # noqa: ARG002
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                held = self.state[param].setdefault("held", torch.zeros_like(param))
                held.lerp_(param.grad, 1 - group["momentum"])
                step = _orthogonal(param.grad.lerp(held, group["momentum"]))
                scale = max(1, param.shape[0] / param.shape[1]) ** 0.5
                param.mul_(1 - 0.01 * group["lr"]).add_(step, alpha=-group["lr"] * scale)


def _orthogonal(matrix: Tensor) -> Tensor:
    """Five steps of a Newton-Schulz iteration towards the nearest orthogonal matrix."""
    x = matrix.bfloat16()
    if tall := x.shape[0] > x.shape[1]:
        x = x.T.contiguous()
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x.T if tall else x).float()


def optimizers(model: Network, kind: str, rate: float, decay: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside blocks, AdamW for all else; or AdamW for all."""
    inner = [
        p for name, p in model.named_parameters() if name.startswith("blocks") and p.ndim == 2 and "bias" not in name
    ]
    ids = {id(p) for p in inner}
    outer = [p for p in model.parameters() if id(p) not in ids]
    if kind == "adam":
        return [torch.optim.AdamW([*inner, *outer], rate, (0.9, 0.98), weight_decay=decay)]
    return [Muon(inner, 0.02), torch.optim.AdamW(outer, rate, (0.9, 0.98), weight_decay=decay)]


class Halves:
    """The network as it is run, in bfloat16 but for its table, and as it is kept, in float32.

    All of it in bfloat16 takes less than half the time of casting on the way; a step is too small for it, though.
    """

    def __init__(self, model: Network) -> None:
        self.kept = model
        self.run = copy.deepcopy(model).bfloat16()
        self.run.table = model.table
        self._pairs = [(a, b) for a, b in zip(self.run.parameters(), model.parameters(), strict=True) if a is not b]

    def hand_over(self) -> None:
        """Give the gradients to what is kept."""
        for run, kept in self._pairs:
            kept.grad, run.grad = run.grad.float(), None

    @torch.no_grad()
    def refresh(self) -> None:
        """Run what is kept now."""
        for run, kept in self._pairs:
            run.copy_(kept)


def loss(model: nn.Module, drawn: Batch) -> Tensor:
    marks, cases, opens = model(drawn.rows)
    mark = F.cross_entropy(marks.float().flatten(0, 1), drawn.mark.flatten(), ignore_index=IGNORED)
    case = F.cross_entropy(cases.float().flatten(0, 1), drawn.case.flatten(), ignore_index=IGNORED)
    real = drawn.opens != IGNORED
    opened = F.binary_cross_entropy_with_logits(opens.float()[real], drawn.opens[real].float())
    return mark + 0.5 * case + 0.5 * opened


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("arrays", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("--languages", default="en,de,es,ru")
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--pieces", type=int, default=64)
    options.add_argument("--length", type=int, default=96)
    options.add_argument("--rate", type=float, default=2e-3)
    options.add_argument("--optimizer", choices=["muon", "adam"], default="muon")
    options.add_argument("--dropout", type=float, default=0.0)
    options.add_argument("--decay", type=float, default=0.01)
    options.add_argument("--every", type=int, default=500)
    for name, usual in asdict(Shape()).items():
        options.add_argument(f"--{name}", type=int, default=usual)
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(1)
    shape = Shape(**{name: getattr(asked, name) for name in asdict(Shape())})
    texts = [Text(asked.arrays / f"{code}.train.npz") for code in asked.languages.split(",")]
    share = np.array([(text.flags & 24 == 0).sum() for text in texts], float) ** 0.7
    model = Network(shape, asked.dropout)
    steps = optimizers(model, asked.optimizer, asked.rate, asked.decay)
    usual = [[group["lr"] for group in step.param_groups] for step in steps]
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    step, spent = resumed(asked.out / "last.pt", model, steps, asked.decay)
    chance = np.random.default_rng(1 + step)
    halves = Halves(model)
    begun = time.monotonic() - spent
    seen, words, since = 0.0, 0, time.monotonic()
    while (share_done := (time.monotonic() - begun) / 60 / asked.minutes) < 1:
        warm = min(1.0, (step + 1) / 200)
        fall = min(1.0, (1 - share_done) / 0.7)  # flat for 30 %, then straight down
        for one, rates in zip(steps, usual, strict=True):
            for group, rate in zip(one.param_groups, rates, strict=True):
                group["lr"] = rate * warm * fall
        drawn = batch(texts[chance.choice(len(texts), p=share / share.sum())], asked.pieces, asked.length, chance)
        value = loss(halves.run, drawn)
        value.backward()
        halves.hand_over()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for one in steps:
            one.step()
            one.zero_grad()
        halves.refresh()
        seen = 0.98 * seen + 0.02 * value.item() if step else value.item()
        words += int((drawn.mark != IGNORED).sum())
        step += 1
        if step % asked.every == 0:
            report(
                asked.out, halves.run, texts, step, seen, words / (time.monotonic() - since), time.monotonic() - begun
            )
            keep(asked.out, model, steps, step, time.monotonic() - begun, shape)
    report(
        asked.out, halves.run, texts, step, seen, words / (time.monotonic() - since), time.monotonic() - begun, 10**9
    )
    keep(asked.out, model, steps, step, time.monotonic() - begun, shape)


def resumed(path: Path, model: Network, steps: list[torch.optim.Optimizer], decay: float) -> tuple[int, float]:
    """Go on from a checkpoint where there is one; return its step and the seconds spent so far."""
    if not path.exists():
        return 0, 0.0
    held = torch.load(path, weights_only=True)
    model.load_state_dict(held["model"])
    for one, state in zip(steps, held["optimizers"], strict=True):
        one.load_state_dict(state)
        for group in one.param_groups:
            if "weight_decay" in group:  # what was asked for now, not what the checkpoint was made with
                group["weight_decay"] = decay
    return held["step"], held["spent"]


def report(
    out: Path, model: Network, texts: list[Text], step: int, seen: float, speed: float, spent: float, most: int = 15000
) -> None:
    for text in texts:
        line = {
            "step": step,
            "minutes": round(spent / 60, 1),
            "loss": round(seen, 4),
            "words_s": round(speed),
            "language": text.language,
        }
        line |= table(*logits(model, text, most)[:4])
        print(json.dumps(line, ensure_ascii=False), flush=True)
        with (out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def keep(out: Path, model: Network, steps: list[torch.optim.Optimizer], step: int, spent: float, shape: Shape) -> None:
    held = {
        "model": model.state_dict(),
        "optimizers": [one.state_dict() for one in steps],
        "step": step,
        "spent": spent,
        "shape": asdict(shape),
    }
    torch.save(held, out / "part.pt")
    (out / "part.pt").replace(out / "last.pt")


if __name__ == "__main__":
    main()
