"""`shrink.rounding.qdq`: what rounding writes is near the original, and becomes kernels of 8 bits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import onnx
from lowvox.onnx import runtime
from lowvox.onnx.session import Session
from lowvox.shrink import graph
from lowvox.shrink.rounding import calibrate, qdq
from lowvox.shrink.trials import distance
from onnx import TensorProto, helper, numpy_helper
from replicas import graphs

RANDOM = np.random.default_rng(0)


def noise(*shape: int) -> Any:
    return RANDOM.standard_normal(shape, np.float32)


def model(nodes: list[Any], weights: dict[str, Any], shape: list[Any]) -> onnx.ModelProto:
    """Return a graph from `x` to `y`."""
    told = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, by)
        for name, by in (("x", shape), ("y", [*"abc"][: len(shape)]))
    ]
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    made = helper.make_graph(nodes, "g", told[:1], told[1:], held)
    return graph.ordered(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "it")


def run(made: onnx.ModelProto, x: Any) -> Any:
    return Session(made.SerializeToString()).run({"x": x})[0]


def rounded(made: onnx.ModelProto, x: Any, **how: Any) -> tuple[onnx.ModelProto, float]:
    """Round all that can be, by the ranges of `x`; return that and the signal over the difference in dB."""
    nodes = graph.roundable(made)
    after = qdq.rounded(made, calibrate.ranges(made, [{"x": x}], qdq.needed(made, nodes)), nodes, **how)
    onnx.checker.check_model(after)
    return after, distance.signals([[run(made, x)]], [[run(after, x)]])


def kernels(made: onnx.ModelProto, folder: Path) -> Counter[str]:
    """Return what ONNX Runtime makes of a graph."""
    options = runtime().SessionOptions()
    options.graph_optimization_level = runtime().GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 4
    runtime().InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node)


@given(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32))
def test_a_range_and_zero_are_held(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    step, zero = qdq.scale_of(low, high)
    assert step > 0
    held = [(level - float(zero)) * float(step) for level in (0, 255)]
    assert 0 <= int(zero) <= 255
    if step != 1:  # what is as good as nothing has no range
        assert held[0] <= min(low, 0) + float(step)
        assert held[1] >= max(high, 0) - float(step)


def test_convolutions_become_kernels_of_8_bits(tmp_path: Path) -> None:
    weights = {"w": noise(8, 4, 3), "b": noise(8), "v": noise(6, 8, 1), "c": noise(6)}
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["h"], pads=[1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Conv", ["r", "v", "c"], ["y"]),
    ]
    after, near = rounded(model(nodes, weights, [1, 4, "n"]), noise(1, 4, 200))
    assert near > 35
    found = kernels(after, tmp_path)
    # One kernel is the convolution and its Relu, and nothing is rounded between the two.
    assert found == {"QuantizeLinear": 1, "QLinearConv": 2, "DequantizeLinear": 1}


@pytest.mark.parametrize("turned", [0, 1])
def test_products_hand_on_floats(tmp_path: Path, turned: int) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=turned),
        helper.make_node("Tanh", ["h"], ["t"]),
        helper.make_node("MatMul", ["t", "v"], ["y"]),
    ]
    weights = {"w": noise(8, 8), "b": noise(8), "v": noise(8, 5)}
    for how in (True, False):
        after, near = rounded(model(nodes, weights, ["n", 8]), noise(200, 8), per_channel=how)
        assert near > 35
        found = kernels(after, tmp_path)
        assert found["QGemm"] == found["MatMulIntegerToFloat"] == 1
        assert not found["Gemm"] + found["MatMul"]


def test_a_product_that_no_kernel_knows_is_still_right() -> None:
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=2.0, transA=1)]
    after, near = rounded(model(nodes, {"w": noise(9, 5), "b": noise(5)}, [9, "n"]), noise(9, 50))
    assert near > 35
    assert "b" in {weight.name for weight in after.graph.initializer}


def test_of_a_transposed_convolution_only_weights_are_rounded() -> None:
    nodes = [helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], strides=[2], group=2)]
    made = model(nodes, {"w": noise(8, 3, 4), "b": noise(6)}, [1, 8, "n"])
    assert qdq.needed(made, graph.roundable(made)) == []
    after, near = rounded(made, noise(1, 8, 50))
    assert near > 40
    assert [node.op_type for node in after.graph.node] == ["DequantizeLinear", "ConvTranspose"]


def test_a_scale_for_each_channel_is_nearer_where_they_differ() -> None:
    weight = noise(8, 4, 3) * np.logspace(0, -3, 8, dtype=np.float32)[:, None, None]
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    made, x = model(nodes, {"w": weight}, [1, 4, "n"]), noise(1, 4, 200)
    (by_channel, near), (whole, far) = rounded(made, x), rounded(made, x, per_channel=False)
    assert near > far + 1
    scales = {
        kind.name: numpy_helper.to_array(kind) for kind in (*by_channel.graph.initializer, *whole.graph.initializer)
    }
    assert scales["w/int8/step"].shape == ()
    quiet = [run(each, x)[:, -1] for each in (made, by_channel, whole)]
    assert np.abs(quiet[0] - quiet[1]).std() < 0.1 * np.abs(quiet[0] - quiet[2]).std() + 1e-2


def test_channels_without_weights_or_with_a_far_larger_bias() -> None:
    weight, bias = noise(4, 3, 1), np.array([1, -2, 3, 1e4], np.float32)
    weight[0], weight[1] = 0, 1e-12
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"])]
    made, x = model(nodes, {"w": weight, "b": bias}, [1, 3, "n"]), noise(1, 3, 50)
    for how in (True, False):
        after, near = rounded(made, x, per_channel=how)
        assert near > 40
        held = next(each for each in after.graph.initializer if each.name == "y/bias")
        assert np.abs(numpy_helper.to_array(held)).max() <= 2**30


def test_weights_that_several_share_and_values_that_are_used_as_they_are() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["one"]),
        helper.make_node("Conv", ["one", "w", "c"], ["two"]),
        helper.make_node("Add", ["x", "two"], ["y"]),
    ]
    weights = {"w": noise(4, 4, 1), "b": noise(4), "c": 100 * noise(4)}
    after, near = rounded(model(nodes, weights, [1, 4, "n"]), noise(1, 4, 50))
    assert near > 30
    assert next(node for node in after.graph.node if node.op_type == "Add").input[0] == "x"
    assert "w" not in {weight.name for weight in after.graph.initializer}


def test_what_is_not_named_stays_as_it_is() -> None:
    made = graph.ordered(onnx.load_from_string(graphs.stack(8, 3)), "it")
    first = graph.roundable(made)[:1]
    after = qdq.rounded(made, {"x": (-3.0, 3.0)}, first)
    assert Counter(node.op_type for node in after.graph.node)["QuantizeLinear"] == 1
    assert len([weight for weight in after.graph.initializer if weight.data_type == TensorProto.INT8]) == 2
    assert len(made.graph.initializer) == 3  # the original is untouched


def test_a_value_that_is_the_output_too() -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"]), helper.make_node("Relu", ["y"], ["z"])]
    made = model(nodes, {"w": noise(4, 4, 1)}, [1, 4, "n"])
    made.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [*"abc"]))
    after, near = rounded(made, noise(1, 4, 50))
    assert near > 35
    assert [one.name for one in after.graph.output] == ["y", "z"]


def test_all_values_zero() -> None:
    made = model([helper.make_node("Conv", ["x", "w"], ["y"])], {"w": noise(4, 4, 1)}, [1, 4, "n"])
    nothing = np.zeros((1, 4, 9), np.float32)
    after, _ = rounded(made, nothing)
    np.testing.assert_array_equal(run(after, nothing), run(made, nothing))


def test_weights_of_as_many_channels_share_their_zeros() -> None:
    made = graph.ordered(onnx.load_from_string(graphs.stack(8, 3)), "it")
    after, near = rounded(made, noise(40, 8))
    zeros = [weight.name for weight in after.graph.initializer if weight.name.startswith("zeros/")]
    assert len(graph.roundable(made)) == 3
    assert zeros == ["zeros/int8/8"]
    assert near > 30
