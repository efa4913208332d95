"""Stand-ins for F5-TTS as ONNX: three graphs with the true names, types, ranks and axes, and VietVoice's tar.

What they say can be read: the text is laid along the frames, and each frame of sound is 256 samples that are the
number of its character, from 1, times `SCALE`. The time table is true: a flow that goes straight to
its goal reaches it with the last update, and is the noisier the earlier it is stopped. `FULL` has the sizes of F5's own
network (1.5 GB); the attention of one layer takes a second for ten of sound, so `TINY` has none. Made with the onnx
package alone.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

RATE, HOP, MELS, TEXT, HEADS, WIDE = 24000, 256, 100, 512, 16, 64
SCALE = 16
NAMES = ("F5_Preprocess.onnx", "F5_Transformer.onnx", "F5_Decode.onnx")
# What VietVoice reads, beside what its voices do not know.
SYMBOLS = " " + "".join(
    sorted({*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-", *"àáảãạăâđêôơưếộữỳồọờĐ"})
)
_FLOAT, _WHOLE, _SHORT, _INT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT16, TensorProto.INT32
_ROPE: dict[str, list[int | str]] = {
    "rope_cos_q": [2, HEADS, "max_duration", WIDE],
    "rope_sin_q": [2, HEADS, "max_duration", WIDE],
    "rope_cos_k": [2, HEADS, WIDE, "max_duration"],
    "rope_sin_k": [2, HEADS, WIDE, "max_duration"],
}
_CAT: list[int | str] = [1, "max_duration", MELS + TEXT]
_FRAMES: list[int | str] = [1, "max_duration", MELS]


@dataclass(frozen=True, slots=True)
class Shape:
    """The transformer's `width` and `layers`, the updates it was exported for, and how many one run makes.

    The output beside `denoised` is `time_step_` and `renamed`: how exporters call it is not known. `baked` makes the
    tables of positions as large as the true ones.
    """

    width: int = 16
    layers: int = 0
    updates: int = 31
    fused: int = 1
    frames: int = 4096
    renamed: str = "out"
    baked: bool = False


TINY = Shape()
FULL = Shape(width=1024, layers=22, baked=True)


class _Nodes:
    """A graph under construction; every method returns the name of what it adds."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.random = np.random.default_rng(seed)

    def add(self, operator: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        out = out or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], **attributes))
        return out

    def const(self, values: Any, kind: DTypeLike = np.int64) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(values, kind), name))
        return name

    def random_weight(self, *shape: int) -> str:
        scale = np.float32(1 / shape[0] ** 0.5)
        return self.const(self.random.standard_normal(shape, np.float32) * scale, np.float32)

    def cut(self, x: str, axis: int, start: int | str, end: int | str) -> str:
        bounds = [self.const([at]) if isinstance(at, int) else at for at in (start, end)]
        return self.add("Slice", x, *bounds, self.const([axis]))

    def model(self, inputs: Mapping[str, tuple[int, Any]], outputs: Mapping[str, tuple[int, Any]]) -> bytes:
        sides = [[helper.make_tensor_value_info(name, *at) for name, at in side.items()] for side in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "replica", *sides, self.weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(made)
        return bytes(made.SerializeToString())


def preprocess(shape: Shape = TINY) -> bytes:
    """Return graph A: reference, text and length to noise, positions and conditions."""
    g = _Nodes(0)
    sound = g.add("Mul", g.add("Cast", "audio", to=_FLOAT), g.const(1 / 32768, np.float32))
    padded = g.add("Pad", sound, g.const([0, 0, 512, 0, 0, 512]), mode="reflect")
    bank = g.const(g.random.standard_normal((MELS, 1, 1024)) / 32, np.float32)
    power = g.add("Abs", g.add("Conv", padded, bank, strides=[HOP]))
    mel = g.add("Transpose", g.add("Log", g.add("Max", power, g.const(1e-5, np.float32))), perm=[0, 2, 1])
    g.add("Squeeze", g.cut(g.add("Shape", mel), 0, 1, 2), out="ref_signal_len")
    rest = g.add("Sub", "max_duration", g.cut(g.add("Shape", mel), 0, 1, 2))
    filler = g.add("Concat", g.const([0, 0, 0, 0]), rest, g.const([0]), axis=0)
    whole = g.add("Pad", mel, filler)
    _conditions(g, whole)
    zeros = g.add("ConstantOfShape", g.add("Concat", g.const([1]), "max_duration", g.const([MELS]), axis=0))
    g.add("RandomNormalLike", zeros, out="noise", dtype=_FLOAT)
    _positions(g, shape)
    inputs = {
        "audio": (_SHORT, [1, 1, "audio_len"]),
        "text_ids": (_INT, [1, "text_ids_len"]),
        "max_duration": (_WHOLE, [1]),
    }
    between = {name: (_FLOAT, axes) for name, axes in {"noise": _FRAMES, **_ROPE}.items()}
    conditions = dict.fromkeys(("cat_mel_text", "cat_mel_text_drop"), (_FLOAT, _CAT))
    return g.model(inputs, {**between, **conditions, "ref_signal_len": (_WHOLE, [])})


def _conditions(g: _Nodes, mel: str) -> None:
    """Text and mel beside each other; the text's first channel has the numbers of its characters, along the frames.

    The padding that the true graph does, zeros up to `max_duration`, is done too: it fails where there are too few
    frames.
    """
    ids = g.add("Add", "text_ids", g.const(1, np.int32))
    count = g.cut(g.add("Shape", "text_ids"), 0, 1, 2)
    filler = g.add("ConstantOfShape", g.add("Sub", "max_duration", count), value=_zero(np.int32))
    padded = g.add("Concat", ids, g.add("Unsqueeze", filler, g.const([0])), axis=1)
    frames = g.add("Range", g.const(0), g.add("Squeeze", "max_duration"), g.const(1))
    at = g.add("Div", g.add("Mul", frames, count), "max_duration")
    along = g.add("Cast", g.add("Gather", padded, at, axis=1), to=_FLOAT)
    first = g.add("Unsqueeze", along, g.const([2]))
    text = g.add("Pad", first, g.const([0, 0, 0, 0, 0, TEXT - 1]))
    g.add("Concat", mel, text, axis=2, out="cat_mel_text")
    g.add("Mul", "cat_mel_text", g.const(0, np.float32), out="cat_mel_text_drop")


def _positions(g: _Nodes, shape: Shape) -> None:
    """Cosines and sines; as in the true graph only so many are there, and with `baked` they are as large as there."""
    speeds = np.repeat(1 / 10000 ** (np.arange(0, WIDE, 2) / WIDE), 2)
    angles = np.outer(np.arange(shape.frames), speeds)[None, None]
    times = (2, HEADS, 1, 1)
    for name, of in (("cos", np.cos), ("sin", np.sin)):
        table = np.tile(of(angles), times if shape.baked else (1, 1, 1, 1)).astype(np.float32)
        q, k = g.const(table, np.float32), g.const(table.swapaxes(2, 3), np.float32)
        some = g.cut(q, 2, 0, "max_duration"), g.cut(k, 3, 0, "max_duration")
        for part, side in zip(some, "qk", strict=True):
            g.add("Expand", part, g.const(times), out=f"rope_{name}_{side}")


def transformer(shape: Shape = TINY) -> bytes:
    """Return graph B: one update, or as many as are fused, of the noise towards what the conditions ask for."""
    g = _Nodes(1)
    even = np.linspace(0, 1, shape.updates + 1)
    times = even - (np.cos(np.pi / 2 * even) - 1 + even)
    left, delta = (g.const(values, np.float32) for values in (1 - times[:-1], np.diff(times)))
    goal = _goal(g)
    noise, step = "noise", "time_step"
    for turn in range(shape.fused):
        last = turn == shape.fused - 1
        pull = g.add("Div", g.add("Sub", goal, noise), g.add("Gather", left, step))
        if shape.layers:
            pull = g.add("Add", pull, _network(g, noise, step, shape))
        pulled = g.add("Mul", pull, g.add("Gather", delta, step))
        noise = g.add("Add", noise, pulled, out="denoised" if last else "")
        step = g.add("Add", step, g.const(1, np.int32), out=f"time_step_{shape.renamed}" if last else "")
    inputs = {name: (_FLOAT, axes) for name, axes in {"noise": _FRAMES, **_ROPE}.items()}
    inputs |= {"cat_mel_text": (_FLOAT, _CAT), "cat_mel_text_drop": (_FLOAT, _CAT), "time_step": (_INT, [1])}
    return g.model(inputs, {"denoised": (_FLOAT, _FRAMES), f"time_step_{shape.renamed}": (_INT, [1])})


def _goal(g: _Nodes) -> str:
    """The text's first channel in the first band; wrong where the conditions or the positions came in another order."""
    told = g.add("Sub", "cat_mel_text", "cat_mel_text_drop")
    first = g.add("Pad", g.cut(told, 2, MELS, MELS + 1), g.const([0, 0, 0, 0, 0, MELS - 1]))
    for side, axis in (("q", 2), ("k", 3)):
        cosines, sines = (g.cut(f"rope_{name}_{side}", 1, 0, 1) for name in ("cos", "sin"))
        right = g.add("Sub", g.cut(cosines, axis, 0, 1), g.add("Abs", g.cut(sines, axis, 0, 1)))
        first = g.add("Mul", first, g.add("ReduceMin", right, keepdims=0))
        one = g.add("Add", g.add("Mul", cosines, cosines), g.add("Mul", sines, sines))
        along = g.add("ReduceMean", one, axes=[0, 1, 5 - axis], keepdims=0)
        first = g.add("Mul", first, g.add("Unsqueeze", along, g.const([0, 2])))
    return first


def _network(g: _Nodes, noise: str, step: str, shape: Shape) -> str:
    """What takes the memory and the time: attention and a wide layer, as often as in a DiT; it hardly adds anything."""
    both = [g.add("Concat", noise, name, axis=2) for name in ("cat_mel_text", "cat_mel_text_drop")]
    x = g.add("MatMul", g.add("Concat", *both, axis=0), g.random_weight(2 * MELS + TEXT, shape.width))
    time = g.add("Gather", g.random_weight(shape.updates, shape.width), step)
    for _ in range(shape.layers):
        x = g.add("Add", g.add("Add", x, _attention(g, x, shape.width)), _modulation(g, time, shape.width))
        inner = g.add("Relu", g.add("MatMul", x, g.random_weight(shape.width, 2 * shape.width)))
        x = g.add("Tanh", g.add("Add", x, g.add("MatMul", inner, g.random_weight(2 * shape.width, shape.width))))
    out = g.add("MatMul", x, g.random_weight(shape.width, MELS))
    given, without = g.cut(out, 0, 0, 1), g.cut(out, 0, 1, 2)
    return g.add("Mul", g.add("Add", given, g.add("Sub", given, without)), g.const(1e-6, np.float32))


def _modulation(g: _Nodes, time: str, width: int) -> str:
    """What the time does to a layer: six vectors for each, a third of all weights and hardly any work."""
    six = g.add("Reshape", g.add("MatMul", time, g.random_weight(width, 6 * width)), g.const([1, 6, width]))
    return g.add("ReduceMean", six, axes=[1])


def _attention(g: _Nodes, x: str, width: int) -> str:
    """Rotated queries and keys; keys and their positions have the frames last, as exported."""
    heads = g.const([0, 0, HEADS, WIDE])
    q, k, v = (g.add("Reshape", g.add("MatMul", x, g.random_weight(width, HEADS * WIDE)), heads) for _ in range(3))
    q, v = (g.add("Transpose", each, perm=[0, 2, 1, 3]) for each in (q, v))
    k = g.add("Transpose", k, perm=[0, 2, 3, 1])
    q, k = _rotated(g, q, "q", 3), _rotated(g, k, "k", 2)
    weights = g.add("Softmax", g.add("Mul", g.add("MatMul", q, k), g.const(1 / 8, np.float32)), axis=-1)
    heard = g.add("Transpose", g.add("MatMul", weights, v), perm=[0, 2, 1, 3])
    return g.add("MatMul", g.add("Reshape", heard, g.const([0, 0, HEADS * WIDE])), g.random_weight(HEADS * WIDE, width))


def _rotated(g: _Nodes, x: str, side: str, axis: int) -> str:
    turned = g.add("Concat", g.add("Neg", g.cut(x, axis, WIDE // 2, WIDE)), g.cut(x, axis, 0, WIDE // 2), axis=axis)
    return g.add("Add", g.add("Mul", x, f"rope_cos_{side}"), g.add("Mul", turned, f"rope_sin_{side}"))


def decode() -> bytes:
    """Return graph C: what stands behind the reference as sound of 16 bits."""
    g = _Nodes(2)
    start = g.add("Unsqueeze", "ref_signal_len", g.const([0]))
    new = g.cut(g.cut("denoised", 1, start, 2**31), 2, 0, 1)
    spread = g.add("Mul", new, g.const(np.full((1, 1, HOP), SCALE), np.float32))
    flat = g.add("Reshape", g.add("Round", spread), g.const([1, 1, -1]))
    g.add(
        "Cast",
        g.add("Clip", flat, g.const(-32768, np.float32), g.const(32767, np.float32)),
        out="output_audio",
        to=_SHORT,
    )
    inputs = {"denoised": (_FLOAT, _FRAMES), "ref_signal_len": (_WHOLE, [])}
    return g.model(inputs, {"output_audio": (_SHORT, [1, 1, "generated_len"])})


def _zero(kind: DTypeLike) -> Any:
    return numpy_helper.from_array(np.zeros(1, kind))


def vocabulary(symbols: str = SYMBOLS) -> bytes:
    """Return a vocab.txt: one symbol a line."""
    return "".join(f"{symbol}\n" for symbol in symbols).encode()


def build(folder: Path, shape: Shape = TINY, facts: Mapping[str, object] | None = None) -> Path:
    """Write the graphs and the vocabulary as DakeQQ's export has them; `facts` go into a sidecar, None writes none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(NAMES, (preprocess(shape), transformer(shape), decode()), strict=True):
        (folder / name).write_bytes(content)
    (folder / "vocab.txt").write_bytes(vocabulary())
    if facts is not None:
        (folder / "lowvox.json").write_text(json.dumps({"engine": "f5", **facts}), "utf-8")
    return folder


def spoken(seconds: float, rate: int = RATE, seed: int = 0) -> NDArray[np.int16]:
    """Return what passes for speech, int16 [n]: noise that swells and fades."""
    t = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return (8000 * np.clip(noise / 4, -1, 1) * np.sin(2 * np.pi * 2 * t)).astype(np.int16)


def recording(file: Path, seconds: float = 1.0, rate: int = RATE, seed: int = 0) -> Path:
    """Write such a sound as WAV or whatever the name ends in."""
    import soundfile

    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, spoken(seconds, rate, seed), rate)
    return file


SAMPLES = (
    {"file_name": "an_1a2b.wav", "text": "xin chào các bạn", "gender": "female", "group": "news", "area": "northern"},
    {"file_name": "ba_3c4d.wav", "text": "tôi là ba và mai", "gender": "male", "group": "story", "area": "southern"},
)


def add_samples(folder: Path) -> Path:
    """Put VietVoice's recordings beside the graphs."""
    described = [{**one, "emotion": "neutral"} for one in SAMPLES]
    (folder / "audio_metadata.json").write_text(json.dumps(described, ensure_ascii=False), "utf-8")
    for seed, one in enumerate(SAMPLES):
        recording(folder / "cleaned_audios" / one["file_name"], 1.0, seed=seed)
    return folder


def container(folder: Path, source: Path, top: str = "") -> Path:
    """Write VietVoice's tar of what `build` and `add_samples` wrote into `source`; return the folder it lies in."""
    folder.mkdir(parents=True, exist_ok=True)
    renamed = {name: name.removeprefix("F5_").lower() for name in NAMES}
    with tarfile.open(folder / "model-bin.pt", "w") as packed:
        for file in sorted(source.rglob("*")):
            inner = file.relative_to(source).as_posix()
            if file.is_file() and inner != "lowvox.json":
                packed.add(file, top + renamed.get(inner, inner))
    return folder
