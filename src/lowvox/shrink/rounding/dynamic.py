"""Writes products into a graph that round what they are given as it comes: no ranges are measured beforehand.

For networks of large products, such as transformers, whose values differ from input to input. Weights are held in 8
bits. Knows nothing of convolutions, which are slower so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.shrink.nodes import is_plain, needs, rebuilt
from lowvox.shrink.rounding.qdq import channels
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    import onnx

    Floats = NDArray[np.float32]
    Axes = tuple[int, ...] | None
    Rounded = tuple[NDArray[Any], Floats, NDArray[Any]]

PRODUCTS = ("MatMul", "Gemm")
_MOST, _MOST_UNSIGNED = 127, 255


def rounded(
    model: onnx.ModelProto, nodes: Collection[str], *, per_channel: bool = True, signed: bool = True
) -> onnx.ModelProto:
    """Return a model in which the products that are named multiply in 8 bits; others that are named stay as they are.

    Weights are rounded evenly around zero, with a scale for each column where `per_channel` says so; those that are not
    `signed` from their least to their largest. The latter is nearer (1.2 dB on lowvox-te) and holds everywhere, for
    processors older than VNNI add two products of signed weights up in 16 bits, which do not always suffice; but newer
    ones take longer for it: 1.1 times for one row, 2.3 times for 80.
    """
    weights = {weight.name: weight for weight in model.graph.initializer}
    made: dict[str, onnx.TensorProto] = {}
    written: list[onnx.NodeProto] = []
    given: set[str] = set()
    for node in model.graph.node:
        if node.name in nodes and node.op_type in PRODUCTS and is_plain(node):
            by, columns = _columns(node, numpy_helper.to_array(weights[node.input[1]]), per_channel, signed)
            for name, value in by.items():
                made[name] = numpy_helper.from_array(value, name)
            written += _product(node, columns, given)
        else:
            written.append(node)
    used = {name for node in written for name in needs(node)}
    kept = [weight for name, weight in weights.items() if name in used]
    return rebuilt(model, written, [*kept, *made.values()])


def _columns(
    node: onnx.NodeProto, weight: Floats, per_channel: bool, signed: bool
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Return a weight as a product takes it, its scales and its zeros, by name; and these names."""
    if node.op_type == "Gemm" and channels(node, 2) == 0:
        weight = weight.T
    axes = tuple(range(weight.ndim - 1)) if per_channel and weight.ndim == 2 else None
    whole, scales, zeros = (_even if signed else _between)(weight, axes)
    names = tuple(f"{node.input[1]}/{node.name}/{what}" for what in (whole.dtype.name, "step", "zero"))
    return dict(zip(names, (whole, scales, zeros), strict=True)), names


def _even(weight: Floats, axes: Axes) -> Rounded:
    """Return a weight as whole numbers around zero, its scales, and zeros."""
    scales = _steps(np.abs(weight).max(axis=axes, initial=0) / np.float32(_MOST))
    whole = np.clip(np.rint(weight / scales), -_MOST, _MOST).astype(np.int8)
    return whole, scales, np.zeros(scales.shape, np.int8)


def _between(weight: Floats, axes: Axes) -> Rounded:
    """Return a weight as whole numbers from its least to its largest, its scales, and what stands for zero."""
    least, largest = weight.min(axis=axes, initial=0), weight.max(axis=axes, initial=0)
    scales = _steps((largest - least) / np.float32(_MOST_UNSIGNED))
    zeros = np.rint(-least / scales)
    whole = np.clip(np.rint(weight / scales) + zeros, 0, _MOST_UNSIGNED).astype(np.uint8)
    return whole, scales, np.asarray(zeros, np.uint8)


def _steps(scales: Floats) -> Floats:
    """Return scales by which can be divided."""
    return np.where(scales > np.finfo(np.float32).tiny, scales, 1).astype(np.float32)


def _product(node: onnx.NodeProto, columns: tuple[str, ...], given: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes of a product: its input rounded, once for all that take it, the sum, its scale and its bias."""
    x, out = node.input[0], node.output[0]
    weight, step, zero = columns
    by = [f"{x}/int8", f"{x}/step", f"{x}/zero"]
    found = [] if x in given else [helper.make_node("DynamicQuantizeLinear", [x], by, f"{x}/quantize")]
    given.add(x)
    last = f"{out}/scaled" if len(node.input) > 2 else out
    name = node.name
    found += [
        helper.make_node("MatMulInteger", [by[0], weight, by[2], zero], [f"{out}/whole"], f"{name}/product"),
        helper.make_node("Cast", [f"{out}/whole"], [f"{out}/float"], f"{name}/cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", [by[1], step], [f"{out}/steps"], f"{name}/steps"),
        helper.make_node("Mul", [f"{out}/float", f"{out}/steps"], [last], f"{name}/scale"),
    ]
    return found + ([helper.make_node("Add", [last, node.input[2]], [out], name)] if last != out else [])
