"""The trained speller as a graph in floats, and errors: PYTHONPATH=../voice python ship.py CMUDICT OUT/last.pt OUT

`letters` int64 [1, n] in, `odds` float32 [1, 80, n] out: OUT/g2p.onnx, and OUT/samples, words it has learnt from, for
`lowvox shrink quantize` (README.md). Errors in per cent on the held-out words are printed for PyTorch and for every
graph in OUT, one JSON line last: run it again once there is one in 8 bits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from onnxruntime import InferenceSession
from speller import Speller
from train import errors, spelling
from words import dictionary, split

_SAMPLES = 300


class _Graph(torch.nn.Module):
    """A graph in PyTorch's clothes, for `errors`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._session = InferenceSession(path)

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self._session.run(None, {"letters": letters.numpy()})[0])


def main(words: str, checkpoint: str, out: str) -> None:
    """Export and score."""
    kept, held = split(dictionary(Path(words)))
    speller = Speller()
    speller.load_state_dict(torch.load(checkpoint, weights_only=False)["mean"])
    speller.eval()
    folder = Path(out)
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    for at, word in enumerate([*kept][:: len(kept) // _SAMPLES]):
        np.savez(folder / "samples" / f"{at:03}.npz", letters=np.array([spelling(word)]))
    torch.onnx.export(
        speller, (torch.zeros(1, 9, dtype=torch.int64),), folder / "g2p.onnx", input_names=["letters"],
        output_names=["odds"], dynamic_axes={"letters": {1: "n"}, "odds": {2: "n"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    found = {path.name: errors(_Graph(path), held) for path in sorted(folder.glob("*.onnx"))}
    print(json.dumps({"held_out": len(held), "torch": errors(speller, held)} | found))


if __name__ == "__main__":
    main(*sys.argv[1:])
