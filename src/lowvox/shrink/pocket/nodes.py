"""A graph of Pocket TTS under construction: nodes, weights, and what is fed and given.

Everything is [positions, channels], without a batch: then a convolution is a product of matrices, a transposed one too,
and what it has to remember are the last rows. Knows no part of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import DTypeLike, NDArray

    Weights = Mapping[str, NDArray[np.float32]]
    Axes = Sequence[int | str]

CONTRIB = "com.microsoft"
_OPSET, _IR = 17, 8  # what ONNX Runtime 1.20 reads
_TYPES = {"float": 1, "int64": 7, "bool": 9}  # of onnx.TensorProto


class Nodes:
    """The graph; every method that adds something returns the name of its result."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self.states: list[tuple[int, ...]] = []

    def add(self, operator: str, *inputs: str, out: str = "", domain: str = "", name: str = "", **given: Any) -> str:
        """Add a node with one result."""
        return self.several(operator, *inputs, outs=(out or self._fresh(),), domain=domain, name=name, **given)[0]

    def several(
        self, operator: str, *inputs: str, outs: Sequence[str] | int, domain: str = "", name: str = "", **given: Any
    ) -> list[str]:
        """Add a node with several results: named, or so many."""
        from onnx import helper

        names = [f"{self._fresh()}_{at}" for at in range(outs)] if isinstance(outs, int) else list(outs)
        name = name or f"node{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, names, name=name, domain=domain, **given))
        return names

    def const(self, values: Any, kind: DTypeLike = np.int64) -> str:
        """Return the name of a small constant; the same one for the same values."""
        array = np.array(values, kind)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.weight(f"c{len(self._constants)}", array)
        return self._constants[key]

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """Add a weight."""
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def input(self, name: str, shape: Axes, kind: str = "float") -> str:
        """Add what the graph is fed; axes with names have any length."""
        from onnx import helper

        self._inputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))
        return name

    def output(self, value: str, name: str, shape: Axes, kind: str = "float") -> None:
        """Give a value under a name of its own."""
        from onnx import helper

        self.add("Identity", value, out=name)
        self._outputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))

    def state(self, rows: int, channels: int) -> tuple[str, int]:
        """Add `rows` that one run leaves to the next; returns the name and the number for `remember`."""
        at = len(self.states)
        self.states.append((rows, channels))
        return self.input(f"state{at}", (rows, channels)), at

    def remember(self, at: int, value: str) -> None:
        """Leave rows to the next run."""
        self.output(value, f"next_state{at}", self.states[at])

    def linear(self, x: str, weights: Weights, name: str, scale: NDArray[np.float32] | None = None) -> str:
        """Add torch's Linear `name`: its weight [out, in], transposed here, and its bias if it has one.

        The node bears the name, so that it can be chosen for rounding; `scale` [out] multiplies what comes out.
        """
        matrix = weights[f"{name}.weight"]
        if scale is not None:
            matrix = matrix * scale[:, None]
        return self.product(x, matrix.T, weights.get(f"{name}.bias"), name)

    def product(self, x: str, matrix: NDArray[np.float32], bias: NDArray[np.float32] | None, name: str) -> str:
        """Multiply [positions, in] by [in, out] and add a bias."""
        y = self.add("MatMul", x, self.weight(f"{name}.weight", matrix), name=name)
        return y if bias is None else self.add("Add", y, self.weight(f"{name}.bias", bias))

    def norm(self, x: str, weights: Weights, name: str, epsilon: float) -> str:
        """Add torch's LayerNorm `name`; one without weights multiplies by 1."""
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        given = self.weight(f"{name}.weight", scale), self.weight(f"{name}.bias", shift)
        return self.add("LayerNormalization", x, *given, axis=-1, epsilon=epsilon)

    def rows(self, x: str, start: int | str, end: int | str) -> str:
        """Cut rows out; counts from the end are below 0."""
        bounds = [self.const([at]) if isinstance(at, int) else at for at in (start, end)]
        return self.add("Slice", x, *bounds, self.const([0]))

    def shape(self, x: str, *sizes: int) -> str:
        """Reshape; -1 is what is left."""
        return self.add("Reshape", x, self.const(sizes))

    def length(self, x: str) -> str:
        """Return the number of rows, int64 [1]."""
        return self.add("Shape", x, start=0, end=1)

    def model(self) -> Any:
        """Return the finished graph."""
        from onnx import helper

        graph = helper.make_graph(self._nodes, "pocket", self._inputs, self._outputs, self._weights)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR, producer_name="lowvox")

    def _fresh(self) -> str:
        return f"n{len(self._nodes)}"
