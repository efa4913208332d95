"""The trained networks as ONNX graphs in floats: python export.py RUN/last.pt OUT --calib ARRAYS/calib

Writes OUT/encoder.onnx and OUT/decoder.onnx, and with --calib OUT/samples: what goes into each for the calibration
sentences, which are neither trained on nor scored. `lowvox shrink quantize` makes INT8 of both (README.md). The frames'
scale is part of the last kernel, so that graphs give what the head takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from batches import Spoken
from frames import WHERE
from network import Shape, Voice
from onnxruntime import InferenceSession
from torch import Tensor, nn

import onnx

OPSET = 17


class Lengths(nn.Module):
    """The encoder that gives lengths in frames, all of them longer by one factor."""

    def __init__(self, voice: Voice, stretch: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.stretch = voice.encoder, stretch

    def forward(self, ids: Tensor, places: Tensor, spots: Tensor) -> tuple[Tensor, Tensor]:
        """Return contexts and lengths."""
        context, lengths = self.encoder(ids, places, spots)
        return context, torch.exp(lengths) * self.stretch


def loaded(path: Path) -> Voice:
    """Return the moving mean of a run, its scale inside the last kernel."""
    held = torch.load(path, weights_only=False, map_location="cpu")
    voice = Voice(Shape(**held["shape"]))
    voice.load_state_dict(held["mean"])
    leave = voice.decoder.leave
    with torch.no_grad():
        scale, mean = voice.scale.repeat(2), voice.mean.repeat(2)
        leave.weight.mul_(scale[:, None, None])
        leave.bias.mul_(scale).add_(mean)
    return voice.eval()


@torch.no_grad()
def stretched(voice: Voice, spoken: Spoken) -> float:
    """Return how much longer lengths must be: the network learnt medians, which lie below the means."""
    own = 0.0
    for at in range(len(spoken.sizes)):
        ids, places, spots, *_ = (torch.from_numpy(part)[None] for part in spoken.one(at))
        own += float(Lengths(voice)(ids, places, spots)[1].sum())
    return float(spoken.durations.sum()) / own


def _written(network: nn.Module, given: dict[str, Tensor], gives: dict[str, str], path: Path) -> None:
    axes = {name: {value.ndim - 1: "n"} for name, value in given.items()} | {name: {2: "n"} for name in gives}
    torch.onnx.export(
        network, tuple(given.values()), path, input_names=[*given], output_names=[*gives], dynamic_axes=axes,
        opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    onnx.checker.check_model(onnx.load(path), full_check=True)


def fp32(voice: Voice, shape: Shape, stretch: float, out: Path) -> None:
    """Write both graphs."""
    ids = torch.randint(0, 45, (1, 20))
    given = {"ids": ids, "places": ids % 5, "spots": torch.rand(1, 4, 20)}
    _written(Lengths(voice, stretch), given, {"context": "", "durations": ""}, out / "encoder.onnx")
    given = {"context": torch.rand(1, shape.context, 30), "where": torch.rand(1, WHERE, 30)}
    _written(voice.decoder, given, {"frames": ""}, out / "decoder.onnx")


def samples(out: Path, prefix: Path) -> None:
    """Write what goes into both graphs for each calibration sentence, as .npz."""
    spoken, encoder = Spoken(prefix), InferenceSession(out / "encoder.onnx")
    for name in ("encoder", "decoder"):
        (out / "samples" / name).mkdir(parents=True, exist_ok=True)
    for at in range(len(spoken.sizes)):
        ids, places, spots, _, which, where, _ = spoken.one(at)
        given = {"ids": ids[None], "places": places[None], "spots": spots[None]}
        np.savez(out / "samples" / "encoder" / f"{at:03}.npz", **given)
        context = encoder.run(["context"], given)[0]
        np.savez(out / "samples" / "decoder" / f"{at:03}.npz", context=context[:, :, which], where=where[None])


def main() -> None:
    """Export."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("checkpoint", type=Path)
    options.add_argument("out", type=Path)
    options.add_argument("--calib", type=Path)
    asked = options.parse_args()
    torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    voice = loaded(asked.checkpoint)
    stretch = stretched(voice, Spoken(asked.calib)) if asked.calib else 1.0
    print("durations times", round(stretch, 4))
    fp32(voice, Shape(), stretch, asked.out)
    if asked.calib:
        samples(asked.out, asked.calib)
    for path in sorted(asked.out.glob("*.onnx")):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
