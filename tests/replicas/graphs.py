"""ONNX graphs that stand in for speech models: the shapes and operators are true, the weights are random.

`decoder()` at its full size is the HiFi-GAN that ends a VITS voice: 14 M parameters, 256 samples for each frame.
`stack()` is what encoders and language models are to an allocator: large matrices and little between them. Whole voices
are in vits.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

LATENT = 192
# (upsampling, kernel) of each stage, and (kernel, dilations) of the residual blocks behind each.
_STAGES = ((8, 16), (8, 16), (2, 4), (2, 4))
_BLOCKS = ((3, (1, 3, 5)), (7, (1, 3, 5)), (11, (1, 3, 5)))


def decoder(channels: int = 512, stages: int = 4) -> bytes:
    """Return a decoder: `z` [1, 192, T] to `audio` [1, 1, T * 256] for four stages, at 512 channels 14 M parameters."""
    graph = _Graph()
    x = graph.conv("z", LATENT, channels, 7)
    for up, kernel in _STAGES[:stages]:
        x = graph.widen(graph.leaky(x), channels, channels // 2, kernel, up)
        channels //= 2
        x = graph.add("Mean", [graph.residual(x, channels, size, dilations) for size, dilations in _BLOCKS])
    graph.add("Tanh", [graph.conv(graph.leaky(x), channels, 1, 7)], "audio")
    return graph.model({"z": [1, LATENT, "T"]}, {"audio": [1, 1, "N"]})


def stack(width: int = 64, layers: int = 4) -> bytes:
    """Return a MatMul stack: `x` [T, width] to `y` of that shape, `layers` matrices of width x width."""
    graph = _Graph()
    x = "x"
    for layer in range(layers):
        product = graph.add("MatMul", [x, graph.weight((width, width), width)])
        x = graph.add("Relu", [product], "y" if layer == layers - 1 else None)
    return graph.model({"x": ["T", width]}, {"y": ["T", width]})


@dataclass
class _Graph:
    """A graph under construction: every method adds nodes and returns the name of the last one's output.

    With `biases` a convolution makes something of zeros, so that it matters what lies beyond an edge, as it does in
    trained models.
    """

    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    biases: bool = False

    def add(self, operator: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, values: ArrayLike, kind: DTypeLike = np.int64) -> str:
        """A node, as torch's export has it, and not a weight."""
        return self.add("Constant", [], value=numpy_helper.from_array(np.array(values, kind)))

    def split(self, x: str, sizes: Sequence[int], axis: int = 1) -> list[str]:
        outputs = [f"n{len(self.nodes)}_{part}" for part in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [x, self.constant(sizes)], outputs, axis=axis))
        return outputs

    def cut(self, x: str, axis: int, start: int, end: int, step: int = 1) -> str:
        return self.add("Slice", [x, *(self.constant([value]) for value in (start, end, axis, step))])

    def weight(self, shape: tuple[int, ...], fan_in: float) -> str:
        """Random, and small enough that a signal neither dies nor explodes on its way."""
        values: NDArray[np.float32] = self.random.standard_normal(shape, np.float32) / np.float32(fan_in**0.5)
        self.weights.append(numpy_helper.from_array(values, f"w{len(self.weights)}"))
        return f"w{len(self.weights) - 1}"

    def conv(self, x: str, inputs: int, outputs: int, kernel: int = 1, dilation: int = 1, gain: float = 1) -> str:
        pad = dilation * (kernel - 1) // 2
        weights = self.weighed((outputs, inputs, kernel), inputs * kernel / gain**2, outputs)
        return self.add("Conv", [x, *weights], pads=[pad, pad], dilations=[dilation], kernel_shape=[kernel])

    def widen(self, x: str, inputs: int, outputs: int, kernel: int, up: int) -> str:
        pad = (kernel - up) // 2
        weights = self.weighed((inputs, outputs, kernel), inputs * kernel // up, outputs)
        return self.add("ConvTranspose", [x, *weights], pads=[pad, pad], strides=[up], kernel_shape=[kernel])

    def weighed(self, shape: tuple[int, ...], fan_in: float, outputs: int) -> list[str]:
        """The weights of a convolution, and its bias where the graph has `biases`."""
        return [self.weight(shape, fan_in), *([self.weight((outputs,), 100)] if self.biases else [])]

    def leaky(self, x: str) -> str:
        return self.add("LeakyRelu", [x], alpha=0.1)

    def residual(self, x: str, channels: int, kernel: int, dilations: tuple[int, ...]) -> str:
        for dilation in dilations:
            inner = self.conv(self.leaky(x), channels, channels, kernel, dilation)
            x = self.add("Add", [x, self.conv(self.leaky(inner), channels, channels, kernel)])
        return x

    def single(self, x: str, channels: int, kernel: int, dilations: tuple[int, ...]) -> str:
        """The residual block of the smaller decoders: one convolution for each dilation."""
        for dilation in dilations:
            x = self.add("Add", [self.conv(self.leaky(x), channels, channels, kernel, dilation), x])
        return x

    def model(
        self,
        inputs: dict[str, list[int | str]],
        outputs: dict[str, list[int | str]],
        whole: Collection[str] = (),
        opset: int = 17,
    ) -> bytes:
        """The model in bytes; the inputs named in `whole` are 64-bit integers, all others floats."""
        described = _described(inputs, whole), _described(outputs)
        graph = helper.make_graph(self.nodes, "replica", *described, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def _described(side: dict[str, list[int | str]], whole: Collection[str] = ()) -> list[Any]:
    kinds = {name: TensorProto.INT64 if name in whole else TensorProto.FLOAT for name in side}
    return [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in side.items()]
