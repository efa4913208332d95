"""The trained speller as an INT8 graph, and its errors: PYTHONPATH=../voice python ship.py CMUDICT OUT/last.pt g2p.onnx

`letters` int64 [1, n] in, `odds` float32 [1, 80, n] out. Calibrated on words it has learnt from; the last kernel stays
FP32. Errors in per cent on the held-out words are printed for PyTorch and for the graph, one JSON line last.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from export import int8, tidied
from onnxruntime import InferenceSession
from speller import Speller
from train import errors, spelling
from words import dictionary, split

import onnx

_CALIBRATION = 300


class _Graph(torch.nn.Module):
    """A graph in PyTorch's clothes, for `errors`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._session = InferenceSession(path)

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self._session.run(None, {"letters": letters.numpy()})[0])


def main(words: str, checkpoint: str, target: str) -> None:
    """Export and score."""
    kept, held = split(dictionary(Path(words)))
    speller = Speller()
    speller.load_state_dict(torch.load(checkpoint, weights_only=False)["mean"])
    speller.eval()
    rows = [{"letters": np.array([spelling(word)])} for word in [*kept][:: len(kept) // _CALIBRATION]]
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "g2p.onnx"
        torch.onnx.export(
            speller, (torch.zeros(1, 9, dtype=torch.int64),), whole, input_names=["letters"], output_names=["odds"],
            dynamic_axes={"letters": {1: "n"}, "odds": {2: "n"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
        last = [node.name for node in onnx.load(whole).graph.node if node.op_type == "Conv"][-1]
        int8(whole, Path(target), rows, [last])
    tidied(Path(target))
    line = {"held_out": len(held), "bytes": Path(target).stat().st_size}
    print(json.dumps(line | {"torch": errors(speller, held), "int8": errors(_Graph(Path(target)), held)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
