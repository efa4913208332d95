"""Writes the weights of a graph as floats of 16 bits: half the file, and what it computes stays in 32.

Processors have few sums of 16 bits: a runtime makes floats of 32 of them once, when it loads the graph. So this is for
disks and downloads, and for what loses too much in 8 bits. Knows nothing of graphics cards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lowvox.shrink.nodes import rebuilt
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Collection

    import onnx

_SMALL = 256  # numbers; a node that makes floats of fewer takes more than they
_LARGEST = float(np.finfo(np.float16).max)


def halved(model: onnx.ModelProto, without: Collection[str] = ()) -> onnx.ModelProto:
    """Return a model whose weights are held in 16 bits, but for those of the nodes that are named.

    A weight that has larger numbers than 16 bits hold stays as it is.
    """
    kept = {name for node in model.graph.node if node.name in without for name in node.input}
    weights, casts = [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight) if weight.data_type == TensorProto.FLOAT else np.zeros(0)
        if values.size < _SMALL or weight.name in kept or np.abs(values).max() > _LARGEST:
            weights.append(weight)
            continue
        weights.append(numpy_helper.from_array(values.astype(np.float16), f"{weight.name}/half"))
        told = [f"{weight.name}/half"], [weight.name], f"{weight.name}/cast"
        casts.append(helper.make_node("Cast", *told, to=TensorProto.FLOAT))
    return rebuilt(model, [*casts, *model.graph.node], weights)
