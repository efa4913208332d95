"""Makes weights of what a graph computes from weights alone, where a product takes it as its own.

Exports hold weights in nodes, hand one round to several or turn it round in the graph: only what is a weight can be
rounded. Knows nothing of rounding; what is no product's weight stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from lowvox.onnx.session import Session
from lowvox.shrink.nodes import OPERATORS, needs, rebuilt
from onnx import numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANDOM = ("Random", "Bernoulli", "Multinomial", "Dropout")


def folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the weights and biases of its products as weights; it is the same where they are."""
    weights = {weight.name for weight in model.graph.initializer}
    constant = _constant(model, weights)
    wanted = dict.fromkeys(
        name
        for node in model.graph.node
        if node.op_type in OPERATORS
        for name in node.input[1:]
        if name in constant and name not in weights
    )
    if not wanted:
        return model
    made = _computed(model, list(wanted))
    nodes = [node for node in model.graph.node if not set(node.output) & set(made)]
    used = {name for node in nodes for name in needs(node)} | {one.name for one in model.graph.output}
    nodes = [node for node in nodes if used & set(node.output) or not set(node.output) <= constant]
    used = {name for node in nodes for name in needs(node)}
    kept = [weight for weight in model.graph.initializer if weight.name in used]
    return rebuilt(model, nodes, [*kept, *made.values()])


def _constant(model: onnx.ModelProto, weights: set[str]) -> set[str]:
    """Return all values that depend on weights alone."""
    found = weights - {given.name for given in model.graph.input}
    for node in model.graph.node:
        if set(needs(node)) <= found and not node.op_type.startswith(_RANDOM):
            found.update(node.output)
    return found


def _computed(model: onnx.ModelProto, wanted: list[str]) -> Mapping[str, onnx.TensorProto]:
    """Run the part of a graph that makes these values."""
    maker = {name: at for at, node in enumerate(model.graph.node) for name in node.output}
    inside: set[int] = set()
    todo = [maker[name] for name in wanted]
    while todo:
        if (at := todo.pop()) not in inside:
            inside.add(at)
            todo += [maker[name] for name in needs(model.graph.node[at]) if name in maker]
    nodes = [model.graph.node[at] for at in sorted(inside)]
    used = {name for node in nodes for name in needs(node)}
    part = rebuilt(model, nodes, [weight for weight in model.graph.initializer if weight.name in used])
    del part.graph.input[:]
    del part.graph.output[:]
    part.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
    session = Session(part.SerializeToString())
    try:
        return {name: numpy_helper.from_array(value, name) for name, value in zip(wanted, session.run({}), strict=True)}
    finally:
        session.close()
