"""ONNX models with their weights in a file beside them, each where a page of memory begins.

ONNX Runtime maps such weights instead of reading them, so that a table costs only the rows that are looked up. What
several weights have in common, of one model or of several, is there once. Knows no model.
"""

from __future__ import annotations

from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any

from lowvox.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_PAGE, _SMALL = 4096, 1024  # bytes; what is smaller stays with the network


def split(model: bytes, network: Path, weights: Path) -> None:
    """Write a model into two files of one folder; OutputError where that fails."""
    import onnx

    share({network: onnx.load_from_string(model)}, weights)


def share(models: Mapping[Path, Any], weights: Path) -> int:
    """Write models without their weights to the paths by which they come, and the weights of all into one file.

    All lie in one folder. The models are changed: their weights are gone. Returns the bytes that are not there twice;
    OutputError where writing fails.
    """
    saved = 0
    with replacing(weights, "wb") as file:
        known: dict[bytes, int] = {}
        for found in models.values():
            _lifted(found.graph)
            saved += _moved(found.graph.initializer, file, weights.name, known)
    for path, found in models.items():
        with replacing(path, "wb") as file:
            file.write(found.SerializeToString())
    return saved


def _moved(tensors: Iterable[Any], file: IO[Any], name: str, known: dict[bytes, int]) -> int:
    """Move weights into the file; `known` says where which bytes are already. Returns the bytes that were there."""
    saved = 0
    for tensor in tensors:
        data = _bytes(tensor)
        if len(data) < _SMALL:
            continue
        digest = sha256(data).digest()
        if digest in known:
            saved += len(data)
        else:
            file.write(bytes(-file.tell() % _PAGE))
            known[digest] = file.tell()
            file.write(data)
        _place(tensor, name, known[digest], len(data))
    return saved


def _bytes(tensor: Any) -> bytes:
    """Return a weight's bytes, as it has them or as its numbers have them."""
    from onnx import TensorProto, numpy_helper

    if tensor.raw_data or tensor.data_type == TensorProto.STRING:
        return bytes(tensor.raw_data)
    return bytes(numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data)


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

    for field in ("raw_data", "float_data", "double_data", "int32_data", "int64_data", "uint64_data", "external_data"):
        tensor.ClearField(field)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
