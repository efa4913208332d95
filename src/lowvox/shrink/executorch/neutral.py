"""Takes sums with zeros and products with ones out of a graph with settled shapes; makes one number of equal ones.

A flow's layers add zeros as long as the sound where they have no speaker. Folded they are weights of that length: they
take more of the file than some layers, and tie the graph to one length. Knows nothing of torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from onnx import numpy_helper, shape_inference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# What changes nothing, by operator: the number, and as which of the inputs.
_NEUTRAL = {"Add": (0.0, (0, 1)), "Sub": (0.0, (1,)), "Mul": (1.0, (0, 1)), "Div": (1.0, (1,))}


def without(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph without them; all its shapes have to be known to onnx, others stay as they are."""
    shapes = _shapes(model)
    weights = {weight.name: weight for weight in model.graph.initializer}
    equal = {name: value for name, weight in weights.items() if (value := _equal(weight)) is not None}
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for node in made.graph.node:
        for at, name in enumerate(node.input):
            other = node.input[1 - at] if node.op_type in _NEUTRAL else ""
            if name not in equal or other in weights or shapes.get(other) != shapes.get(node.output[0], ()):
                continue
            if (neutral := _NEUTRAL[node.op_type])[0] == float(equal[name].item()) and at in neutral[1]:
                node.op_type = "Identity"
                del node.input[at]
            else:
                node.input[at] = _one(made, f"{name}.one", equal[name])
            break
    used = {name for node in made.graph.node for name in node.input} | {one.name for one in made.graph.output}
    kept = [weight for weight in made.graph.initializer if weight.name in used]
    del made.graph.initializer[:]
    made.graph.initializer.extend(kept)
    return made


def _equal(weight: onnx.TensorProto) -> NDArray[Any] | None:
    """Return the number that a weight of several has everywhere, with as many axes; None where it has others."""
    value = numpy_helper.to_array(weight)
    if value.dtype != np.float32 or value.size < 2 or (value != value.flat[0]).any():
        return None
    one: NDArray[Any] = value.reshape(-1)[:1].reshape([1] * value.ndim)
    return one


def _one(model: onnx.ModelProto, name: str, value: NDArray[Any]) -> str:
    if all(weight.name != name for weight in model.graph.initializer):
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def _shapes(model: onnx.ModelProto) -> Mapping[str, tuple[int, ...]]:
    told = shape_inference.infer_shapes(model).graph
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*told.value_info, *told.input, *told.output)
        if all(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    }
