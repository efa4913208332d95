"""ONNX graphs that stand in for speech models: the shapes and operators are true, the weights are random.

`decoder()` at its full size is the HiFi-GAN that ends a VITS voice: 14 M parameters, 256 samples for each frame.
`stack()` is what encoders and language models are to an allocator: large matrices and little between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    """A graph under construction: every method adds nodes and returns the name of the last one's output."""

    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def add(self, operator: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, shape: tuple[int, ...], fan_in: int) -> str:
        """Random, and small enough that a signal neither dies nor explodes on its way."""
        values: NDArray[np.float32] = self.random.standard_normal(shape, np.float32) / np.float32(fan_in**0.5)
        self.weights.append(numpy_helper.from_array(values, f"w{len(self.weights)}"))
        return f"w{len(self.weights) - 1}"

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, dilation: int = 1) -> str:
        pad = dilation * (kernel - 1) // 2
        weight = self.weight((outputs, inputs, kernel), inputs * kernel)
        return self.add("Conv", [x, weight], pads=[pad, pad], dilations=[dilation], kernel_shape=[kernel])

    def widen(self, x: str, inputs: int, outputs: int, kernel: int, up: int) -> str:
        pad = (kernel - up) // 2
        weight = self.weight((inputs, outputs, kernel), inputs * kernel // up)
        return self.add("ConvTranspose", [x, weight], pads=[pad, pad], strides=[up], kernel_shape=[kernel])

    def leaky(self, x: str) -> str:
        return self.add("LeakyRelu", [x], alpha=0.1)

    def residual(self, x: str, channels: int, kernel: int, dilations: tuple[int, ...]) -> str:
        for dilation in dilations:
            inner = self.conv(self.leaky(x), channels, channels, kernel, dilation)
            x = self.add("Add", [x, self.conv(self.leaky(inner), channels, channels, kernel)])
        return x

    def model(self, inputs: dict[str, list[int | str]], outputs: dict[str, list[int | str]]) -> bytes:
        graph = helper.make_graph(self.nodes, "replica", _described(inputs), _described(outputs), self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def _described(side: dict[str, list[int | str]]) -> list[Any]:
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side.items()]
