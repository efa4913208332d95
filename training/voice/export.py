"""The trained networks as ONNX graphs, FP32 and INT8: python export.py RUN/last.pt OUT --calib ARRAYS/calib

Writes OUT/encoder.fp32.onnx, OUT/decoder.fp32.onnx, and with --calib OUT/encoder.onnx and OUT/decoder.onnx: static
INT8, QDQ, weights per channel. Calibration sentences are neither trained on nor scored. The frames' scale is part of
the last kernel, so that graphs give what the head takes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from batches import Spoken
from frames import WHERE
from head import WIDTH
from network import Shape, Voice
from onnxruntime import InferenceSession
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

import onnx

if TYPE_CHECKING:
    import numpy as np

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
    _written(Lengths(voice, stretch), given, {"context": "", "durations": ""}, out / "encoder.fp32.onnx")
    given = {"context": torch.rand(1, shape.context, 30), "where": torch.rand(1, WHERE, 30)}
    _written(voice.decoder, given, {"frames": ""}, out / "decoder.fp32.onnx")


class Given(CalibrationDataReader):
    """What a graph is calibrated with."""

    def __init__(self, rows: list[dict[str, np.ndarray]]) -> None:
        self._rows = iter(rows)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next, None at the end."""
        return next(self._rows, None)


def calibration(out: Path, prefix: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what goes into both graphs for each calibration sentence."""
    spoken, encoder = Spoken(prefix), InferenceSession(out / "encoder.fp32.onnx")
    first, second = [], []
    for at in range(len(spoken.sizes)):
        ids, places, spots, _, which, where, _ = spoken.one(at)
        first.append({"ids": ids[None], "places": places[None], "spots": spots[None]})
        context = encoder.run(["context"], first[-1])[0]
        second.append({"context": context[:, :, which], "where": where[None]})
    return first, second


def int8(source: Path, target: Path, rows: list[dict[str, Any]], keep: list[str]) -> None:
    """Write the INT8 graph; the nodes named in `keep` stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_static(
            ready, target, Given(rows), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Conv", "Gather", "Relu", "Add"], nodes_to_exclude=keep,
        )  # fmt: skip


def tidied(path: Path) -> None:
    """Leave out the operator sets that a graph does not use."""
    model = onnx.load(path)
    used = [one for one in model.opset_import if one.domain in {node.domain for node in model.graph.node}]
    del model.opset_import[:]
    model.opset_import.extend(used)
    onnx.save(model, path)


def last_nodes(path: Path) -> list[str]:
    """Return the names of the convolutions whose kernels give lengths and frames, which stay FP32: 64 and 3 rows."""
    model = onnx.load(path)
    rows = {one.name: one.dims[0] for one in model.graph.initializer if len(one.dims) == 3}
    return [node.name for node in model.graph.node if node.op_type == "Conv" and rows[node.input[1]] in (3, 2 * WIDTH)]


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
        for name, rows in zip(("encoder", "decoder"), calibration(asked.out, asked.calib), strict=True):
            source = asked.out / f"{name}.fp32.onnx"
            int8(source, asked.out / f"{name}.onnx", rows, last_nodes(source))
            tidied(asked.out / f"{name}.onnx")
    for path in sorted(asked.out.glob("*.onnx")):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
