"""A graph with one shape for each input: what ExecuTorch needs, and what most operators of an export are computed from.

ONNX Runtime itself folds what follows from the shapes, so that what is left is arithmetic on the input. Knows nothing
of torch; nothing here needs it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.onnx import runtime
from lowvox.shrink.executorch.neutral import without

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.shrink.executorch.layout import Lowered

_FOLDING = "ORT_ENABLE_BASIC"


def loaded(path: Path) -> onnx.ModelProto:
    """Read a graph with its weights; NotFoundError where there is none, DamagedError for what is something else."""
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    try:
        found = onnx.load(path)
    except Exception as error:  # protobuf's errors have no public class
        raise DamagedError(f"{path} is not an ONNX graph; give the .onnx file itself.") from error
    if not found.graph.output:
        raise DamagedError(f"{path} is not an ONNX graph; give the .onnx file itself.")
    return found


def declared(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """Return the axes of each input: a number, or the name of one that is open."""
    weights = {weight.name for weight in model.graph.initializer}
    found: dict[str, list[int | str]] = {}
    for given in model.graph.input:
        if given.name not in weights:
            dims = given.type.tensor_type.shape.dim
            found[given.name] = [dim.dim_value or dim.dim_param or f"{given.name}.{at}" for at, dim in enumerate(dims)]
    return found


def types(model: onnx.ModelProto) -> dict[str, str]:
    """Return numpy's name of the type of each input."""
    return {
        given.name: str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)))
        for given in model.graph.input
    }


def drawn(plan: Lowered, length: int, dice: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw inputs of so many frames: numbers around 0, or whole ones that are 0 or 1."""
    found = {}
    for given in plan.inputs:
        sizes = [length if at == given.open else size for at, size in enumerate(given.shape)]
        if np.dtype(given.dtype).kind == "f":
            found[given.name] = dice.standard_normal(sizes).astype(given.dtype)
        else:
            found[given.name] = dice.integers(0, 2, sizes).astype(given.dtype)
    return found


def fixed(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """Return the graph for inputs of these shapes alone, folded.

    UsageError where the graph does not run with them.
    """
    told = onnx.ModelProto()
    told.CopyFrom(model)
    for given in told.graph.input:
        if given.name in shapes:
            _settle(given, shapes[given.name])
    for made in told.graph.output:
        if made.type.HasField("tensor_type"):
            made.type.tensor_type.ClearField("shape")
    del told.graph.value_info[:]
    with TemporaryDirectory(prefix="lowvox-") as lent:
        target = Path(lent) / "folded.onnx"
        _fold(told, target, shapes)
        return without(onnx.load(target))


def alike(one: onnx.ModelProto, other: onnx.ModelProto) -> bool:
    """Whether two settled graphs are the same but for the shapes of their inputs: then any length between will do."""
    return _bare(one) == _bare(other)


def _bare(model: onnx.ModelProto) -> bytes:
    told = onnx.ModelProto()
    told.CopyFrom(model)
    for value in (*told.graph.input, *told.graph.output):
        value.type.Clear()
    del told.graph.value_info[:]
    return bytes(told.SerializeToString(deterministic=True))


def _settle(given: onnx.ValueInfoProto, sizes: Sequence[int]) -> None:
    dims = given.type.tensor_type.shape.dim
    del dims[:]
    for size in sizes:
        dims.add().dim_value = size


def _fold(model: onnx.ModelProto, target: Path, shapes: Mapping[str, Sequence[int]]) -> None:
    onnxruntime = runtime()
    how = onnxruntime.SessionOptions()
    how.log_severity_level = 4
    how.graph_optimization_level = onnxruntime.GraphOptimizationLevel.__members__[_FOLDING]
    how.optimized_model_filepath = str(target)
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), how, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        first = (str(error).splitlines() or [""])[0][:200].rstrip(". ")
        said = ", ".join(f"{name} {list(sizes)}" for name, sizes in shapes.items())
        raise UsageError(f"The graph does not take inputs of the shapes {said} ({first}).") from error
