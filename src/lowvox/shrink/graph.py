"""An ONNX graph that is to be made smaller: read, checked and put in order, and how much of it can be rounded.

What is no graph, is rounded already or has operators that nobody here knows is refused in one sentence. Knows nothing
of how a graph is rounded.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import onnx.inliner
import onnx.version_converter

import onnx
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.memory.meter import MB
from lowvox.shrink.fold import folded
from lowvox.shrink.nodes import OPERATORS, everything
from lowvox.shrink.twins import merged

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

LARGEST = 2**31 - 1  # bytes that protobuf can hold
# Before this set of operators a weight has one scale, not one for each channel.
_OPSET = 13
_ROUNDED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinear")


def read(path: Path) -> onnx.ModelProto:
    """Read a graph and put it in order: see `ordered`.

    NotFoundError where there is no such file, DamagedError for what is no graph or is cut, UsageError for one that is
    over 2 GB, was rounded before, or has operators that ONNX does not know.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise NotFoundError(f"There is no file {path}.") from error
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the .onnx file itself.")
    if size > LARGEST:
        raise UsageError(_too_large(path, size))
    model = _loaded(path)
    for check in (_is_whole, _is_exact, _is_known):
        check(path, model)
    return ordered(model, str(path))


def ordered(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Return a model whose nodes all have names, and whose products have their weights as weights.

    An export has one weight stand for several that are equal and hands it round by nodes (Identity), holds weights in
    nodes (Constant) or makes them of others (Transpose); and it computes an activation once for each that takes it.
    DamagedError where that cannot be undone.
    """
    if opset(model) < _OPSET:
        model = _newer(model, name)
    model = merged(folded(model))
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [given for given in model.graph.input if given.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    _name(model)
    return model


def opset(model: onnx.ModelProto) -> int:
    """Return the version of ONNX's own operators."""
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


def roundable(model: onnx.ModelProto, types: Collection[str] = OPERATORS, large: int = 1) -> list[str]:
    """Return the names of the nodes with so many constant weights or more in floats, in the order of the graph."""
    weights = {weight.name: weight for weight in model.graph.initializer}
    found = []
    for node in model.graph.node:
        weight = weights.get(node.input[1]) if node.op_type in types else None
        if weight is not None and weight.data_type == onnx.TensorProto.FLOAT and prod(weight.dims) >= large:
            found.append(node.name)
    return found


def coverage(model: onnx.ModelProto, nodes: Collection[str]) -> float:
    """Return how many per cent of a graph's numbers are weights of these nodes; some lie in nodes of their own."""
    sizes = {weight.name: prod(weight.dims) for weight in model.graph.initializer}
    sizes |= {
        node.output[0]: prod(one.t.dims)
        for node in model.graph.node
        for one in node.attribute
        if node.op_type == "Constant" and one.name == "value"
    }
    held = {node.input[1] for node in model.graph.node if node.name in nodes}
    return float(100 * sum(sizes.get(name, 0) for name in held) / max(sum(sizes.values()), 1))


def _loaded(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's errors have no public class
        raise DamagedError(f"{path} is not an ONNX graph, or is cut; copy or export it again.") from error
    if not model.graph.output or not model.graph.node:
        raise DamagedError(f"{path} is not an ONNX graph, or is cut; copy or export it again.")
    outside = {one.value for weight in model.graph.initializer for one in weight.external_data if one.key == "location"}
    size = sum((path.parent / name).stat().st_size for name in outside if (path.parent / name).is_file())
    if size > LARGEST:
        raise UsageError(_too_large(path, size))
    try:
        if outside:
            onnx.load_external_data_for_model(model, str(path.parent))
        return onnx.inliner.inline_local_functions(model) if model.functions else model
    except Exception as error:  # whatever onnx raises
        raise DamagedError(f"The weights beside {path} cannot be read ({error}); copy them again.") from error


def _too_large(path: Path, size: int) -> str:
    return f"{path} has {size / MB:.0f} MB, and graphs of over 2 GB cannot be rounded; export it in parts."


def _is_whole(path: Path, model: onnx.ModelProto) -> None:
    """Raise DamagedError where a node uses what nothing makes."""
    made = {given.name for given in (*model.graph.input, *model.graph.initializer)}
    made |= {weight.values.name for weight in model.graph.sparse_initializer}
    for node in model.graph.node:
        if lacking := [name for name in node.input if name and name not in made]:
            raise DamagedError(f"{path} is damaged: nothing makes {lacking[0]!r}; copy or export it again.")
        made.update(node.output)
    if lacking := [one.name for one in model.graph.output if one.name not in made]:
        raise DamagedError(f"{path} is damaged: nothing makes {lacking[0]!r}; copy or export it again.")


def _is_exact(path: Path, model: onnx.ModelProto) -> None:
    """Raise UsageError where something was rounded before."""
    for node in everything(model.graph.node):
        if node.op_type.startswith(_ROUNDED) or "NBits" in node.op_type or "Bnb4" in node.op_type:
            raise UsageError(f"{path} is rounded already (it has {node.op_type}); give the graph it was made of.")


def _is_known(path: Path, model: onnx.ModelProto) -> None:
    """Raise UsageError for an operator that is not ONNX's own."""
    for node in everything(model.graph.node):
        if node.domain not in ("", "ai.onnx"):
            what = f"{node.domain}.{node.op_type}"
            raise UsageError(f"{path} has the custom operator {what}; only ONNX's own can be rounded: export it again.")
        if not onnx.defs.has(node.op_type):
            raise UsageError(f"{path} has the operator {node.op_type}, which ONNX does not know; export it again.")


def _newer(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    try:
        return onnx.version_converter.convert_version(model, _OPSET)
    except Exception as error:  # whatever its C++ raises
        old = opset(model)
        raise DamagedError(f"{name} has operators of set {old}; export it with set {_OPSET} or later.") from error


def _name(model: onnx.ModelProto) -> None:
    """Give each node a name of its own: that of what it makes, where it has none."""
    taken: set[str] = set()
    for at, node in enumerate(model.graph.node):
        for name in (node.name, next(filter(None, node.output), ""), f"{node.op_type}/{at}"):
            if name and name not in taken:
                node.name = name
                break
        taken.add(node.name)
