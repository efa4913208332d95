"""What each ONNX operator is in torch: those of a voice's stages, of lowvox-voice's decoder and of lowvox-te.

A function takes a node's inputs, tensors or (where a number settles a shape) arrays, None for one that is left out, and
its attributes. Knows no graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Given = Sequence[Any]
    Settings = Mapping[str, Any]
    Operator = Callable[[Given, Settings], Any]

_TYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
}
_CONVOLUTIONS = {3: functional.conv1d, 4: functional.conv2d}
_WIDENING = {3: functional.conv_transpose1d, 4: functional.conv_transpose2d}
# A table in 8 bits, which ONNX has no operator for.
ROWS = "lowvox.Rows"
# "To the end" in slices, forwards and backwards.
_FAR = 2**31 - 1
# Which inputs are numbers that settle a shape.
SETTINGS: dict[str, tuple[int, ...]] = {
    "Expand": (1,),
    "Gather": (1,),
    "Pad": (1, 2, 3),
    "ReduceMean": (1,),
    "ReduceSum": (1,),
    "Reshape": (1,),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Unsqueeze": (1,),
}


def _whole(given: Given, at: int) -> list[int] | None:
    """Return the whole numbers of an input, None where it is left out."""
    if at >= len(given) or given[at] is None:
        return None
    if not isinstance(given[at], np.ndarray):
        raise DamagedError("has a shape that depends on the input's values")
    return [int(each) for each in np.ravel(given[at])]


def _axes(given: Given, settings: Settings, at: int = 1) -> list[int] | None:
    """Return axes, which older operators have as an attribute."""
    return list(settings["axes"]) if "axes" in settings else _whole(given, at)


def _plain(settings: Settings, kernel: Sequence[int]) -> tuple[list[int], list[int], list[int], int]:
    """Return a convolution's strides, padding on each side, dilations and groups."""
    count = len(kernel)
    if settings.get("auto_pad", b"NOTSET") not in (b"NOTSET", b""):
        raise DamagedError("pads by itself (auto_pad)")
    pads = list(settings.get("pads", [0] * 2 * count))
    ones = [1] * count
    return list(settings.get("strides", ones)), pads, list(settings.get("dilations", ones)), settings.get("group", 1)


def _convolution(given: Given, settings: Settings) -> Any:
    x, weight, bias = (*given, None)[:3]
    strides, pads, dilations, groups = _plain(settings, weight.shape[2:])
    half = len(pads) // 2
    before, behind = pads[:half], pads[half:]
    if before != behind:
        sides = [side for pair in zip(before[::-1], behind[::-1], strict=True) for side in pair]
        x, before = functional.pad(x, sides), [0] * half
    return _CONVOLUTIONS[x.dim()](x, weight, bias, strides, before, dilations, groups)


def _widening(given: Given, settings: Settings) -> Any:
    x, weight, bias = (*given, None)[:3]
    strides, pads, dilations, groups = _plain(settings, weight.shape[2:])
    half = len(pads) // 2
    if pads[:half] != pads[half:] or "output_shape" in settings:
        raise DamagedError("pads one side more than the other")
    more = list(settings.get("output_padding", [0] * half))
    return _WIDENING[x.dim()](x, weight, bias, strides, pads[:half], more, groups, dilations)


def _gemm(given: Given, settings: Settings) -> Any:
    x, weight, bias = (*given, None)[:3]
    if settings.get("alpha", 1.0) != 1.0 or settings.get("beta", 1.0) != 1.0 or settings.get("transA"):
        raise DamagedError("scales or turns what it multiplies")
    return functional.linear(x, weight if settings.get("transB") else weight.t(), bias)


def _gather(given: Given, settings: Settings) -> Any:
    x, places = given
    axis = settings.get("axis", 0)
    if isinstance(places, np.ndarray):
        if places.ndim == 0:
            return x.select(axis, int(places))
        return torch.cat([x.select(axis, int(place)).unsqueeze(axis) for place in places.ravel()], axis)
    if axis != 0 or x.dim() != 2:  # a table
        raise DamagedError("picks from something other than a table by numbers that are not known in advance")
    return functional.embedding(places, x)


def _rows(given: Given, settings: Settings) -> Any:  # noqa: ARG001
    whole, scales, places = given
    return functional.embedding(places, whole).to(torch.float32) * functional.embedding(places, scales)


def _reshape(given: Given, settings: Settings) -> Any:
    x = given[0]
    sizes = _whole(given, 1) or []
    if not settings.get("allowzero"):
        sizes = [x.shape[at] if size == 0 else size for at, size in enumerate(sizes)]
    return x.reshape(sizes)


def _slice(given: Given, settings: Settings) -> Any:  # noqa: ARG001
    x = given[0]
    starts, ends = _whole(given, 1) or [], _whole(given, 2) or []
    axes = _whole(given, 3) or list(range(len(starts)))
    steps = _whole(given, 4) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if (start, step) == (-1, -1) and end <= -_FAR:
            x = x.flip(axis)
        elif step < 1:
            raise DamagedError("cuts backwards")
        elif (start, step) != (0, 1) or end < _FAR:
            cut = slice(start, None if end >= _FAR else end, step)
            x = x[(slice(None),) * (axis % x.dim()) + (cut,)]
    return x


def _pad(given: Given, settings: Settings) -> Any:
    if settings.get("mode", b"constant") != b"constant":
        raise DamagedError(f"pads by {settings['mode'].decode()}")
    x, pads = given[0], _whole(given, 1) or []
    axes = _whole(given, 3) or list(range(x.dim()))
    filled = float(np.ravel(given[2])[0]) if len(given) > 2 and given[2] is not None else 0.0
    sides = [(0, 0)] * x.dim()
    for at, axis in enumerate(axes):
        sides[axis] = (pads[at], pads[at + len(axes)])
    return functional.pad(x, [side for pair in reversed(sides) for side in pair], value=filled)


def _split(given: Given, settings: Settings) -> Any:
    axis = settings.get("axis", 0)
    sizes = list(settings["split"]) if "split" in settings else _whole(given, 1)
    if sizes is None:
        raise DamagedError("splits into parts whose sizes it does not say")
    return torch.split(given[0], sizes, axis)


def _squeeze(given: Given, settings: Settings) -> Any:
    axes = _axes(given, settings)
    return given[0].squeeze() if axes is None else given[0].squeeze(axes)


def _unsqueeze(given: Given, settings: Settings) -> Any:
    x, axes = given[0], _axes(given, settings) or []
    for axis in sorted(each % (x.dim() + len(axes)) for each in axes):
        x = x.unsqueeze(axis)
    return x


def _sum(given: Given, settings: Settings) -> Any:
    axes = _axes(given, settings)
    return given[0].sum(axes or list(range(given[0].dim())), bool(settings.get("keepdims", 1)))


def _mean(given: Given, settings: Settings) -> Any:
    axes = _axes(given, settings)
    return given[0].mean(axes or list(range(given[0].dim())), bool(settings.get("keepdims", 1)))


def _layer_norm(given: Given, settings: Settings) -> Any:
    x, weight, bias = (*given, None)[:3]
    sizes = list(x.shape[settings.get("axis", -1) :])
    return functional.layer_norm(x, sizes, weight, bias, settings.get("epsilon", 1e-5))


def _cast(given: Given, settings: Settings) -> Any:
    if settings["to"] not in _TYPES:
        raise DamagedError(f"makes a type of number ({settings['to']}) that is not translated")
    return given[0].to(_TYPES[settings["to"]])


OPERATORS: dict[str, Operator] = {
    "Add": lambda given, _: given[0] + given[1],
    "Cast": _cast,
    "Concat": lambda given, settings: torch.cat(list(given), settings["axis"]),
    "Conv": _convolution,
    "ConvTranspose": _widening,
    "Div": lambda given, _: given[0] / given[1],
    "Equal": lambda given, _: given[0] == given[1],
    "Exp": lambda given, _: torch.exp(given[0]),
    "Expand": lambda given, _: given[0].expand(_whole(given, 1)),
    "Gather": _gather,
    "Gemm": _gemm,
    "Identity": lambda given, _: given[0],
    "LayerNormalization": _layer_norm,
    "LeakyRelu": lambda given, settings: functional.leaky_relu(given[0], settings.get("alpha", 0.01)),
    "MatMul": lambda given, _: torch.matmul(given[0], given[1]),
    "Mul": lambda given, _: given[0] * given[1],
    "Neg": lambda given, _: -given[0],
    "Not": lambda given, _: torch.logical_not(given[0]),
    "Pad": _pad,
    "ReduceMean": _mean,
    "ReduceSum": _sum,
    "Relu": lambda given, _: functional.relu(given[0]),
    "Reshape": _reshape,
    "Sigmoid": lambda given, _: torch.sigmoid(given[0]),
    "Slice": _slice,
    "Softmax": lambda given, settings: torch.softmax(given[0], settings.get("axis", -1)),
    "Split": _split,
    "Squeeze": _squeeze,
    "Sub": lambda given, _: given[0] - given[1],
    "Tanh": lambda given, _: torch.tanh(given[0]),
    "Transpose": lambda given, settings: given[0].permute(list(settings["perm"])),
    "Unsqueeze": _unsqueeze,
    ROWS: _rows,
}
