"""Activations that are computed twice, made one: so that what they give is rounded, and held, once.

A vocoder's blocks stand side by side on the same value, and an export writes the activation of that value once for each
block. A runtime would find that they are the same, but not once each has its own pair of rounding behind it: then the
value in floats is held until the last block has begun. Knows nothing of rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.shrink.nodes import needs, rebuilt

if TYPE_CHECKING:
    import onnx

ACTIVATIONS = frozenset(
    {"Clip", "Elu", "Gelu", "HardSwish", "LeakyRelu", "PRelu", "Relu", "Sigmoid", "Softplus", "Tanh"}
)


def merged(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the first of equal activations in the stead of all; it is the same where there are none."""
    given = {one.name for one in model.graph.output}
    # What branches and loops use from outside is found by its name, and stays.
    given |= {name for node in model.graph.node if node.attribute for name in needs(node) if name not in node.input}
    first: dict[tuple[object, ...], str] = {}
    instead: dict[str, str] = {}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        own = type(node)()
        own.CopyFrom(node)
        for at, name in enumerate(own.input):
            own.input[at] = instead.get(name, name)
        if own.op_type in ACTIVATIONS and own.output[0] not in given:
            told = tuple(sorted(one.SerializeToString(deterministic=True) for one in own.attribute))
            known = first.setdefault((own.op_type, *own.input, told), own.output[0])
            if known != own.output[0]:
                instead[own.output[0]] = known
                continue
        nodes.append(own)
    return rebuilt(model, nodes, model.graph.initializer) if instead else model
