"""`shrink.rounding.dynamic` and `shrink.rounding.half`: no ranges are needed, and what comes out is near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.onnx import runtime
from lowvox.onnx.session import Session
from lowvox.shrink import graph
from lowvox.shrink.rounding import dynamic, half
from lowvox.shrink.trials import distance
from onnx import TensorProto, helper, numpy_helper

SIZE = 32


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """Products of each kind: two of one input, one with a bias, one turned round, one of batches, one with factors."""
    random = np.random.default_rng(0)
    weights = {name: random.standard_normal((SIZE, SIZE), np.float32) / SIZE**0.5 for name in "abcde"}
    weights |= {"bias": random.standard_normal(SIZE, np.float32), "f": weights["a"][None] * np.float32(2)}
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["1"]),
        helper.make_node("MatMul", ["x", "b"], ["2"]),
        helper.make_node("Add", ["1", "2"], ["3"]),
        helper.make_node("Gemm", ["3", "c", "bias"], ["4"], transB=1),
        helper.make_node("Gemm", ["4", "d"], ["5"]),
        helper.make_node("Gemm", ["5", "e", "bias"], ["6"], alpha=0.5),
        helper.make_node("MatMul", ["6", "f"], ["y"]),
    ]
    told = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", SIZE])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "n", SIZE])
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    made = helper.make_graph(nodes, "g", [told], [out], held)
    return graph.ordered(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "it")


def near(one: onnx.ModelProto, other: onnx.ModelProto) -> float:
    given: dict[str, Any] = {"x": np.random.default_rng(1).standard_normal((20, SIZE), np.float32)}
    onnx.checker.check_model(other)
    return distance.signals(*([Session(each.SerializeToString()).run(given)] for each in (one, other)))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("per_channel", [True, False])
def test_products_round_what_comes(model: onnx.ModelProto, per_channel: bool, signed: bool, tmp_path: Path) -> None:
    made = dynamic.rounded(model, graph.roundable(model, dynamic.PRODUCTS), per_channel=per_channel, signed=signed)
    assert {weight.data_type for weight in made.graph.initializer} == {
        TensorProto.FLOAT,
        TensorProto.INT8 if signed else TensorProto.UINT8,
    }
    assert 25 < near(model, made) < 60
    kinds = [node.op_type for node in made.graph.node]
    assert (kinds.count("MatMulInteger"), kinds.count("DynamicQuantizeLinear"), kinds.count("Gemm")) == (5, 4, 1)
    assert {node.output[0] for node in model.graph.node} <= {name for node in made.graph.node for name in node.output}
    options = runtime().SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 4
    runtime().InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    fused = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert "Mul" not in fused
    assert {"MatMulIntegerToFloat", "DynamicQuantizeMatMul"} & set(fused)


def test_without_a_sign_no_step_is_spent_on_what_no_weight_is() -> None:
    weight = np.random.default_rng(2).uniform(0, 1, (SIZE, 4)).astype(np.float32)
    weight[:, 1] -= 0.7
    weight[:, 2], weight[:, 3] = 0, -3
    told, out = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", SIZE), ("y", 4))
    )
    made = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [told], [out], [numpy_helper.from_array(weight, "w")]
    )
    model = graph.ordered(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "it")
    small = dynamic.rounded(model, ["y"], signed=False)
    whole, steps, zeros = (numpy_helper.to_array(held) for held in small.graph.initializer)
    assert np.abs((whole - zeros.astype(np.float32)) * steps - weight).max() <= 0.51 / 255
    assert zeros.tolist() == [0, pytest.approx(178, abs=12), 0, 255]
    assert near(model, small) > near(model, dynamic.rounded(model, ["y"]))


def test_what_is_not_named_stays(model: onnx.ModelProto) -> None:
    made = dynamic.rounded(model, graph.roundable(model)[:1])
    assert [node.op_type for node in made.graph.node].count("MatMulInteger") == 1
    assert near(model, made) > 35


def test_half_of_the_bits_is_half_of_the_size(model: onnx.ModelProto) -> None:
    made = half.halved(model)
    assert near(model, made) > 60
    assert made.ByteSize() < 0.6 * model.ByteSize()
    left = half.halved(model, graph.roundable(model)[:1])
    kinds = {weight.name: weight.data_type for weight in left.graph.initializer}
    assert kinds["a"] == TensorProto.FLOAT
    assert kinds["b/half"] == TensorProto.FLOAT16


def test_numbers_that_are_too_large_for_16_bits_stay(model: onnx.ModelProto) -> None:
    large = onnx.ModelProto()
    large.CopyFrom(model)
    values = numpy_helper.to_array(large.graph.initializer[0]).copy()
    values[0, 0] = 70_000
    large.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "a"))
    assert "a" in {weight.name for weight in half.halved(large).graph.initializer}
    assert near(large, half.halved(large)) > 60
