"""Writes 8-bit rounding into a graph: pairs of QuantizeLinear and DequantizeLinear around a node, its weights in int8.

ONNX Runtime makes one kernel of 8-bit sums of a node between such pairs. What no kernel is made of gets fewer pairs: a
transposed convolution is summed in floats, so only its weights are rounded; a product hands on floats as they are.
Knows nothing of where the ranges of values come from, nor which nodes are best left alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.shrink.nodes import is_plain, needs, rebuilt
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    import onnx

Range = tuple[float, float]
_LEVELS, _MOST = 255, 127
# A bias is held in 32 bits; with two of them to spare its sum with the products does not overflow.
_BIAS_BITS = 2.0**30


def rounded(
    model: onnx.ModelProto, ranges: Mapping[str, Range], nodes: Collection[str], *, per_channel: bool = True
) -> onnx.ModelProto:
    """Return a model in which the nodes that are named sum in 8 bits, or hold their weights in them.

    `ranges` has the smallest and largest value of what each of `needed` names. Weights are rounded evenly around zero,
    with a scale for each channel of the output where `per_channel` says so.
    """
    return _Writer(model, ranges, frozenset(nodes), per_channel).written()


def needed(model: onnx.ModelProto, nodes: Collection[str]) -> list[str]:
    """Return the values whose ranges must be known to round these nodes, in the order of the graph."""
    tails = _tails(model)
    found: dict[str, None] = {}
    for node in model.graph.node:
        if node.name in nodes and node.op_type != "ConvTranspose":
            found[node.input[0]] = None
            if node.op_type == "Conv":
                found[tails.get(node.output[0], node.output[0])] = None
    return list(found)


def scale_of(lowest: float, highest: float) -> tuple[np.float32, np.uint8]:
    """Return the step between two of 256 values that hold a range and zero, and which of them stands for zero."""
    lowest, highest = min(lowest, 0.0), max(highest, 0.0)
    step = np.float32((highest - lowest) / _LEVELS)
    if step < np.finfo(np.float32).tiny:
        return np.float32(1), np.uint8(0)
    return step, np.uint8(np.clip(round(-lowest / float(step)), 0, _LEVELS))


def _tails(model: onnx.ModelProto) -> dict[str, str]:
    """Return what comes out of the Relu behind a value, where nothing else uses that value: one kernel does both."""
    uses = Counter(name for node in model.graph.node for name in node.input)
    uses.update(given.name for given in model.graph.output)
    return {n.input[0]: n.output[0] for n in model.graph.node if n.op_type == "Relu" and uses[n.input[0]] == 1}


class _Writer:
    """Goes through a graph once and writes it anew."""

    def __init__(
        self, model: onnx.ModelProto, ranges: Mapping[str, Range], nodes: frozenset[str], per_channel: bool
    ) -> None:
        self._model, self._ranges, self._wanted, self._per_channel = model, ranges, nodes, per_channel
        self._weights = {weight.name: weight for weight in model.graph.initializer}
        self._tails = _tails(model)
        self._nodes: list[onnx.NodeProto] = []
        self._made: dict[str, onnx.TensorProto] = {}
        # What a value is called once it was rounded, and which values are rounded where they are made.
        self._held: dict[str, str] = {}
        self._behind: set[str] = set()

    def written(self) -> onnx.ModelProto:
        """Return the model."""
        for node in self._model.graph.node:
            own = type(node)()
            own.CopyFrom(node)
            if node.name in self._wanted:
                self._round(own)
            self._give(own)
        used = {name for node in self._nodes for name in needs(node)}
        kept = [weight for name, weight in self._weights.items() if name in used]
        return rebuilt(self._model, self._nodes, [*kept, *self._made.values()])

    def _give(self, node: onnx.NodeProto) -> None:
        """Add a node; what it makes goes through a pair where that was asked for."""
        asked = [name for name in node.output if name in self._behind]
        for at, name in enumerate(node.output):
            node.output[at] = f"{name}/exact" if name in asked else name
        self._nodes.append(node)
        for name in asked:
            self._pair(name, f"{name}/exact", name)
            self._held[name] = name

    def _round(self, node: onnx.NodeProto) -> None:
        """Have a node take rounded weights, and rounded values where its kernel sums in 8 bits."""
        axis = channels(node, len(self._weights[node.input[1]].dims)) if self._per_channel else None
        bias = self._bias(node)
        if node.op_type == "ConvTranspose":
            node.input[1] = self._weight(node.input[1], axis, None)[0]
            return
        step, _ = scale_of(*self._ranges[node.input[0]])
        node.input[0] = self._value(node.input[0])
        node.input[1], scales = self._weight(node.input[1], axis, None if bias is None else np.abs(bias) / step)
        if bias is not None:
            node.input[2] = self._whole(node.output[0], bias, scales * step)
        if node.op_type == "Conv":
            self._behind.add(self._tails.get(node.output[0], node.output[0]))

    def _value(self, name: str) -> str:
        """Return the name of a value once it was rounded."""
        if name not in self._held:
            self._held[name] = f"{name}/rounded"
            self._pair(name, name, self._held[name])
        return self._held[name]

    def _pair(self, name: str, given: str, made: str) -> None:
        """Round a value to 8 bits and make a float of it again."""
        step, zero = scale_of(*self._ranges[name])
        by = [self._keep(f"{name}/step", step), self._keep(f"{name}/zero", zero)]
        self._nodes.append(helper.make_node("QuantizeLinear", [given, *by], [f"{name}/int8"], f"{name}/quantize"))
        self._nodes.append(helper.make_node("DequantizeLinear", [f"{name}/int8", *by], [made], f"{name}/dequantize"))

    def _weight(self, name: str, axis: int | None, least: NDArray[Any] | None) -> tuple[str, NDArray[np.float32]]:
        """Return the name of a weight once it was rounded, and its scales; `least` is what biases ask of these."""
        values = numpy_helper.to_array(self._weights[name])
        others = None if axis is None else tuple(at for at in range(values.ndim) if at != axis)
        scales = np.abs(values).max(axis=others, initial=0) / np.float32(_MOST)
        if least is not None:
            asked = (least if axis is not None else least.max()) / _BIAS_BITS
            scales = np.maximum(scales, asked)
        scales = np.where(scales > np.finfo(np.float32).tiny, scales, 1).astype(np.float32)
        shape = [-1 if at == axis else 1 for at in range(values.ndim)]
        whole = np.clip(np.rint(values / (scales.reshape(shape) if axis is not None else scales)), -_MOST, _MOST)
        made = f"{name}/int8"
        if made in self._made:  # of two nodes that share it; their biases may ask for other scales
            made = f"{name}/int8/{len(self._made)}"
        self._dequantized(made, whole.astype(np.int8), scales, axis)
        return f"{made}/rounded", scales

    def _bias(self, node: onnx.NodeProto) -> NDArray[Any] | None:
        """Return a bias that can be rounded, one for each channel."""
        weight = self._weights.get(node.input[2]) if len(node.input) > 2 and is_plain(node) else None
        return numpy_helper.to_array(weight) if weight is not None and len(weight.dims) == 1 else None

    def _whole(self, of: str, bias: NDArray[Any], scales: NDArray[np.float32]) -> str:
        """Return the name of a bias in 32 bits; a node sums it with its products."""
        made = f"{of}/bias"
        self._dequantized(made, np.rint(bias / scales).astype(np.int32), scales, 0 if scales.ndim else None)
        return f"{made}/rounded"

    def _dequantized(self, name: str, whole: NDArray[Any], scales: NDArray[np.float32], axis: int | None) -> None:
        # Rounded evenly around zero; one row of zeros does for all weights with as many channels.
        zero = self._keep(
            f"zeros/{whole.dtype}/{'x'.join(map(str, scales.shape))}", np.zeros(scales.shape, whole.dtype)
        )
        given = [self._keep(name, whole), self._keep(f"{name}/step", scales), zero]
        how = {} if axis is None else {"axis": axis}
        told = [f"{name}/rounded"], f"{name}/dequantize"
        self._nodes.append(helper.make_node("DequantizeLinear", given, *told, **how))

    def _keep(self, name: str, value: Any) -> str:
        self._made.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name


def channels(node: onnx.NodeProto, rank: int) -> int | None:
    """Return the axis of a node's weight that its output's channels are on; None where kernels know only one scale."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1
    if node.op_type == "Gemm":
        return 0 if any(one.name == "transB" and one.i for one in node.attribute) else 1
    return 1 if rank == 2 else None
