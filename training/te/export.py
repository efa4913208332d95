"""From a trained network to what is shipped: python export.py RUN/last.pt OUT.onnx [--fp32] [--arrays ARRAYS]

The table becomes INT8 with a scale for each row; `lowvox shrink quantize` rounds the matrices (README.md). With
--arrays the balance between marks is set on what is held out: a mark's logit is raised or lowered until the mean F1 of
`, . ?` is highest. Nothing but the F1 of what is held out chooses it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from batches import Text
from network import Network, Shape
from score import f1, logits

from lowvox.engines.te_words import WIDTH
from lowvox.text.marks import MARKS

WORDS = 60000  # of each language that the balance is set on
STEPS = np.arange(-0.6, 1.21, 0.1)


class Small(nn.Module):
    """The table of a network as INT8."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        scale = table.weight.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("rows", (table.weight / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, rows: Tensor) -> Tensor:
        return self.rows[rows].float() * self.scale[rows]


def balanced(model: Network, texts: list[Text]) -> Tensor:
    """Return what is added to each mark's logit for the best F1 over the languages, [8]."""
    seen = [logits(model, text, WORDS)[:2] for text in texts]
    added = np.zeros(len(MARKS), np.float32)
    for kind in [MARKS.index(mark) for mark in ",.?,.?"]:

        def goal(value: float, kind: int = kind) -> float:
            trial = added.copy()
            trial[kind] = value
            return float(np.mean([_good((marks + trial).argmax(-1), label) for marks, label in seen]))

        added[kind] = max(STEPS, key=goal)
    print("added to the logits:", dict(zip(MARKS, added.round(2).tolist(), strict=True)))
    return torch.from_numpy(added)


def _good(found: np.ndarray, label: np.ndarray) -> float:
    """The mean F1 of `, . ?`; whoever dictates wants no more semicolons than the network is sure of."""
    return float(np.mean([f1(found, label, MARKS.index(mark))[2] for mark in ",.?"]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("trained", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("--fp32", action="store_true")
    options.add_argument("--arrays", type=Path)
    options.add_argument("--languages", default="en,de,es,ru")
    asked = options.parse_args()
    held = torch.load(asked.trained, weights_only=True)
    model = Network(Shape(**held["shape"]), 0)
    model.load_state_dict(held["model"])
    model.eval()
    if asked.arrays:
        with torch.no_grad():
            model.leave.bias[: len(MARKS)] += balanced(
                model, [Text(asked.arrays / f"{code}.train.npz") for code in asked.languages.split(",")]
            )
    model.eval()
    if not asked.fp32:
        model.table = Small(model.table)  # type: ignore[assignment]
    example = torch.randint(8, 1000, (2, 40, WIDTH), dtype=torch.int32)
    torch.onnx.export(
        model, (example,), asked.out, input_names=["rows"], output_names=["marks", "cases", "opens"],
        dynamic_axes={name: {0: "texts", 1: "words"} for name in ("rows", "marks", "cases", "opens")},
        opset_version=17, dynamo=False,
    )  # fmt: skip
    print(asked.out, asked.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
