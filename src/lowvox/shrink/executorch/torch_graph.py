"""An ONNX graph as a module of torch, so that torch.export and what follows it can take a graph that we have.

Only graphs whose shapes are settled (`executorch_shapes`) and whose operators `torch_graph_operators` knows: others are
named. Weights become the module's parameters, and each node one call. Knows nothing of ExecuTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lowvox.errors import DamagedError
from lowvox.shrink.executorch.torch_graph_operators import OPERATORS, ROWS, SETTINGS
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import onnx

_LARGE = 50_000  # numbers of a table


class TorchGraph(torch.nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Takes a graph's inputs in their order, as tensors, and gives a tuple of its outputs.

    With `rounded` large tables of rows (embeddings) are kept in 8 bits with one scale for each row; what computes with
    them gets floats. DamagedError where an operator is not known, or known with other settings.
    """

    def __init__(self, model: onnx.ModelProto, *, rounded: bool = False) -> None:
        super().__init__()
        refuse_unknown(model)
        self.takes = tuple(given.name for given in model.graph.input)
        self.gives = tuple(made.name for made in model.graph.output)
        weights = {weight.name: numpy_helper.to_array(weight) for weight in model.graph.initializer}
        self._steps = [_step(node, weights, rounded=rounded) for node in model.graph.node]
        wanted = dict.fromkeys(name for step in self._steps for name in step.given if isinstance(name, str))
        self._held: dict[str, str] = {}
        for name in (*wanted, *self.gives):
            if name in weights and name not in self._held:
                self._held[name] = self._keep(weights[name])

    def forward(self, *given: Any) -> tuple[Any, ...]:
        """Run the nodes one after the other."""
        values: dict[str, Any] = dict(zip(self.takes, given, strict=True))
        values |= {name: getattr(self, kept) for name, kept in self._held.items()}
        for step in self._steps:
            found = step(values)
            values.update(zip(step.gives, found, strict=False))
        return tuple(values[name] for name in self.gives)

    def weights_of(self, nodes: Collection[str]) -> set[str]:
        """Return the names that the weights of these nodes have in the module."""
        taken = {name for step in self._steps if step.name in nodes for name in step.given if isinstance(name, str)}
        return {kept for name, kept in self._held.items() if name in taken}

    def _keep(self, weight: Any) -> str:
        """Hold a weight and return the name that it has in the module."""
        kept = f"weight{len(self._held)}"
        tensor = torch.from_numpy(np.array(weight))
        if tensor.is_floating_point():
            self.register_parameter(kept, torch.nn.Parameter(tensor, requires_grad=False))
        else:
            self.register_buffer(kept, tensor)
        return kept


class _Step:
    """One node: what it takes (names of values, or arrays where a number settles its shape) and gives."""

    def __init__(self, kind: str, given: list[Any], gives: list[str], settings: dict[str, Any], name: str) -> None:
        self.kind, self.given, self.gives, self.settings, self.name = kind, given, gives, settings, name

    def __call__(self, values: dict[str, Any]) -> Sequence[Any]:
        """Compute the node's outputs."""
        given = [values[each] if isinstance(each, str) else each for each in self.given]
        try:
            found = OPERATORS[self.kind](given, self.settings)
        except DamagedError as error:
            raise DamagedError(f"The operator {self.kind} ({self.name}) {error}.") from error
        return found if isinstance(found, (list, tuple)) else (found,)


def refuse_unknown(model: onnx.ModelProto) -> None:
    """Raise DamagedError, which names them, where a graph has operators that are not translated."""
    kinds = [f"{node.domain}.{node.op_type}" if node.domain else node.op_type for node in model.graph.node]
    if unknown := sorted(set(kinds) - set(OPERATORS)):
        raise DamagedError(
            f"The graph has operators that cannot be lowered ({', '.join(unknown)}); lower a part without them."
        )


def _step(node: onnx.NodeProto, weights: dict[str, Any], *, rounded: bool) -> _Step:
    settled = SETTINGS.get(node.op_type, ())
    given: list[Any] = []
    for at, name in enumerate(node.input):
        fixed = at in settled and name in weights
        given.append(weights[name] if fixed else name or None)
    settings = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    if node.op_type == "Gemm" and not settings.get("transB") and given[1] in weights:
        # As torch's own layers have it: a weight that is turned at run time is no weight to what follows.
        turned = f"{given[1]}.turned"
        weights.setdefault(turned, np.ascontiguousarray(weights[given[1]].T))
        given[1], settings["transB"] = turned, 1
    kind = node.op_type
    if rounded and kind == "Gather" and _is_table(weights.get(node.input[0])) and isinstance(given[1], str):
        kind, given = ROWS, [*_in_bytes(node.input[0], weights), given[1]]
    return _Step(kind, given, list(node.output), settings, node.name or node.output[0])


def _is_table(weight: Any) -> bool:
    return weight is not None and weight.dtype == np.float32 and weight.ndim == 2 and weight.size >= _LARGE


def _in_bytes(name: str, weights: dict[str, Any]) -> tuple[str, str]:
    """Round a table's rows, each to 127 steps of its largest number; return the names of both parts."""
    table = weights[name]
    scales = np.maximum(np.abs(table).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    weights.setdefault(f"{name}.bytes", np.round(table / scales).astype(np.int8))
    weights.setdefault(f"{name}.scales", scales)
    return f"{name}.bytes", f"{name}.scales"
