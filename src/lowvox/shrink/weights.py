"""An ONNX model in two files: the network, and its weights beside it, each where a page of memory begins.

ONNX Runtime maps such weights instead of reading them, so that a table costs only the rows that are looked up. Knows no
model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lowvox.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

_PAGE, _SMALL = 4096, 1024  # bytes; what is smaller stays with the network


def split(model: bytes, network: Path, weights: Path) -> None:
    """Write a model into two files of one folder; OutputError where that fails."""
    import onnx

    found = onnx.load_from_string(model)
    _lifted(found.graph)
    with replacing(weights, "wb") as file:
        for tensor in found.graph.initializer:
            data = tensor.raw_data
            if len(data) >= _SMALL:
                file.write(bytes(-file.tell() % _PAGE))
                _place(tensor, weights.name, file.tell(), len(data))
                file.write(data)
    with replacing(network, "wb") as file:
        file.write(found.SerializeToString())


def _lifted(graph: Any) -> None:
    """Make weights of constants, which is what PyTorch exports them as."""
    kept = []
    for node in graph.node:
        value = next((one.t for one in node.attribute if one.name == "value"), None)
        if node.op_type == "Constant" and value is not None and len(value.raw_data) >= _SMALL:
            tensor = graph.initializer.add()
            tensor.CopyFrom(value)
            tensor.name = node.output[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _place(tensor: Any, file: str, offset: int, length: int) -> None:
    """Say where a weight is now."""
    from onnx import TensorProto

    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
