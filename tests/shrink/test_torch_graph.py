"""Operators of ONNX in torch: each gives what ONNX Runtime gives, and what is not known is named."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError
from lowvox.onnx.session import Session
from onnx import TensorProto, helper, numpy_helper

pytest.importorskip("torch", reason="needs PyTorch, which is in the extra 'executorch' alone")

with warnings.catch_warnings():  # of PyTorch, about its own future
    warnings.simplefilter("ignore")
    import torch

    from lowvox.shrink.executorch.torch_graph import TorchGraph

DICE = np.random.default_rng(3)
FAR = 2**63 - 1


def drawn(*shape: int) -> Any:
    return DICE.standard_normal(shape).astype(np.float32)


def whole(*numbers: int) -> Any:
    return np.array(numbers, np.int64)


X = drawn(2, 4, 10)
IDS = np.array([[1, 0, 3]], np.int64)
CASES: list[tuple[str, list[Any], list[Any], dict[str, Any], int]] = [
    ("Conv", [X], [drawn(6, 4, 3), drawn(6)], {"pads": [2, 2], "dilations": [2]}, 1),
    ("Conv", [X], [drawn(6, 2, 3)], {"pads": [2, 0], "group": 2, "strides": [2]}, 1),
    ("Conv", [drawn(1, 3, 6, 7)], [drawn(2, 3, 3, 2)], {"pads": [1, 0, 1, 1]}, 1),
    ("ConvTranspose", [X], [drawn(4, 3, 4), drawn(3)], {"strides": [2], "pads": [1, 1]}, 1),
    ("ConvTranspose", [X], [drawn(4, 3, 4)], {"strides": [3], "pads": [1, 1], "output_padding": [1]}, 1),
    ("Gemm", [drawn(3, 4)], [drawn(4, 5), drawn(5)], {}, 1),
    ("Gemm", [drawn(3, 4)], [drawn(5, 4)], {"transB": 1}, 1),
    ("MatMul", [drawn(2, 3, 4), drawn(2, 4, 5)], [], {}, 1),
    ("Add", [X, X], [], {}, 1),
    ("Sub", [X], [drawn(4, 1)], {}, 1),
    ("Mul", [X], [drawn(1)], {}, 1),
    ("Div", [X, X], [], {}, 1),
    ("Exp", [X], [], {}, 1),
    ("Neg", [X], [], {}, 1),
    ("Tanh", [X], [], {}, 1),
    ("Sigmoid", [X], [], {}, 1),
    ("Relu", [X], [], {}, 1),
    ("LeakyRelu", [X], [], {"alpha": 0.2}, 1),
    ("Identity", [X], [], {}, 1),
    ("Softmax", [X], [], {"axis": 1}, 1),
    ("LayerNormalization", [X], [drawn(10), drawn(10)], {"epsilon": 1e-3}, 1),
    ("Cast", [X], [], {"to": 7}, 1),
    ("Equal", [IDS, IDS], [], {}, 1),
    ("Concat", [X, X], [], {"axis": 1}, 1),
    ("Expand", [drawn(2, 1, 10)], [whole(2, 4, 10)], {}, 1),
    ("Gather", [X], [whole(2, 0)], {"axis": 1}, 1),
    ("Gather", [X], [np.array(1, np.int64)], {"axis": 2}, 1),
    ("Pad", [X], [whole(0, 1, 2, 0, 0, 3)], {}, 1),
    ("Pad", [X], [whole(1, 2), np.array(7, np.float32), whole(1)], {}, 1),
    ("ReduceSum", [X], [whole(1)], {"keepdims": 0}, 1),
    ("ReduceSum", [X], [], {}, 1),
    ("ReduceMean", [X], [whole(-1)], {}, 1),
    ("Reshape", [X], [whole(0, -1)], {}, 1),
    ("Slice", [X], [whole(1, 2), whole(3, FAR), whole(1, 2), whole(1, 3)], {}, 1),
    ("Slice", [X], [whole(-1), whole(-FAR), whole(1), whole(-1)], {}, 1),
    ("Slice", [X], [whole(0), whole(FAR), whole(2)], {}, 1),
    ("Slice", [X], [whole(0), whole(-1), whole(1)], {}, 1),
    ("Split", [X], [whole(1, 3)], {"axis": 1}, 2),
    ("Squeeze", [drawn(2, 1, 3)], [whole(1)], {}, 1),
    ("Unsqueeze", [X], [whole(0, 3)], {}, 1),
    ("Transpose", [X], [], {"perm": [2, 0, 1]}, 1),
]  # fmt: skip


def model(kind: str, given: list[Any], weights: list[Any], settings: dict[str, Any], outputs: int) -> onnx.ModelProto:
    inputs = [f"x{at}" for at in range(len(given))]
    held = [f"w{at}" for at in range(len(weights))]
    gives = [f"y{at}" for at in range(outputs)]
    node = helper.make_node(kind, [*inputs, *held], gives, **settings)
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in zip(inputs, given, strict=True)
        ],
        [helper.make_empty_tensor_value_info(name) for name in gives],
        [numpy_helper.from_array(value, name) for name, value in zip(held, weights, strict=True)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.parametrize(("kind", "given", "weights", "settings", "outputs"), CASES)
def test_an_operator_gives_what_onnx_runtime_gives(
    kind: str, given: list[Any], weights: list[Any], settings: dict[str, Any], outputs: int
) -> None:
    told = model(kind, given, weights, settings, outputs)
    session = Session(told.SerializeToString())
    expected = session.run({f"x{at}": value for at, value in enumerate(given)})
    session.close()
    with torch.no_grad():
        found = TorchGraph(told)(*map(torch.from_numpy, given))
    assert len(found) == len(expected) == outputs
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.numpy().dtype == theirs.dtype
        assert mine.numpy().shape == theirs.shape
        assert mine.numpy() == pytest.approx(theirs, abs=1e-5)


def test_tables_and_their_rows_in_8_bits() -> None:
    table = drawn(600, 100)
    told = model("Gather", [table[:0], IDS], [], {"axis": 0}, 1)
    told.graph.initializer.append(numpy_helper.from_array(table, "x0"))
    del told.graph.input[0]
    (exact,) = TorchGraph(told)(torch.from_numpy(IDS))
    assert (exact.numpy() == table[IDS]).all()
    rounded = TorchGraph(told, rounded=True)
    (near,) = rounded(torch.from_numpy(IDS.astype(np.int32)))
    step = np.abs(table).max(1)[IDS][..., None] / 127
    assert (np.abs(near.numpy() - table[IDS]) <= 0.51 * step).all()
    assert sum(buffer.element_size() * buffer.nelement() for buffer in rounded.buffers()) == table.size


def test_what_is_not_known_is_named() -> None:
    told = model("Det", [drawn(3, 3)], [], {}, 1)
    told.graph.node.append(helper.make_node("Gelu", ["y0"], ["z"], domain="com.microsoft"))
    with pytest.raises(DamagedError, match=r"cannot be lowered \(Det, com\.microsoft\.Gelu\)"):
        TorchGraph(told)


@pytest.mark.parametrize(
    ("kind", "given", "weights", "settings", "says"),
    [
        ("Conv", [X], [drawn(6, 4, 3)], {"auto_pad": "SAME_UPPER"}, "pads by itself"),
        ("ConvTranspose", [X], [drawn(4, 3, 4)], {"strides": [2], "pads": [1, 0]}, "pads one side more"),
        ("Gemm", [drawn(3, 4)], [drawn(4, 5)], {"alpha": 0.5}, "scales or turns"),
        ("Gather", [X, IDS], [], {"axis": 1}, "picks from something other than a table"),
        ("Pad", [X], [whole(0, 0, 1, 0, 0, 1)], {"mode": "reflect"}, "pads by reflect"),
        ("Reshape", [X, whole(8, 10)], [], {}, "has a shape that depends on the input's values"),
        ("Slice", [X], [whole(5), whole(1), whole(2), whole(-2)], {}, "cuts backwards"),
        ("Split", [X], [], {"axis": 1}, "splits into parts whose sizes it does not say"),
        ("Cast", [X], [], {"to": TensorProto.BFLOAT16}, "makes a type of number"),
    ],
)
def test_settings_that_are_not_known_are_said(
    kind: str, given: list[Any], weights: list[Any], settings: dict[str, Any], says: str
) -> None:
    graph = TorchGraph(model(kind, given, weights, settings, 1))
    with pytest.raises(DamagedError, match=rf"The operator {kind} \(y0\) {says}"):
        graph(*map(torch.from_numpy, given))
