"""The nodes of an ONNX graph: what they use, what is inside them, and a graph of others in their stead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What can be rounded to 8 bits; each has its weights as its second input.
OPERATORS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def everything(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Go through nodes and those in their branches and loops."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from everything(inner.node)


def needs(node: onnx.NodeProto) -> list[str]:
    """Return the values that a node uses, those inside its branches and loops among them."""
    found = [name for name in node.input if name]
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            found += [name for one in inner.node for name in needs(one)]
            found += [one.name for one in inner.output]
    return found


def rebuilt(
    model: onnx.ModelProto, nodes: Iterable[onnx.NodeProto], weights: Iterable[onnx.TensorProto]
) -> onnx.ModelProto:
    """Return a model with other nodes and weights, and the inputs and outputs that it has."""
    made: onnx.ModelProto = onnx.helper.make_model(
        onnx.helper.make_graph(list(nodes), model.graph.name or "graph", model.graph.input, model.graph.output),
        producer_name="lowvox",
        ir_version=model.ir_version,
        opset_imports=model.opset_import,
    )
    made.graph.initializer.extend(weights)
    made.metadata_props.extend(model.metadata_props)
    return made


def is_plain(node: onnx.NodeProto) -> bool:
    """Whether a product with a bias is what kernels of 8 bits know: neither factor, nor its input turned round."""
    told = {one.name: one for one in node.attribute}
    factors = all(name not in told or told[name].f == 1 for name in ("alpha", "beta"))
    return node.op_type != "Gemm" or (factors and not ("transA" in told and told["transA"].i))
