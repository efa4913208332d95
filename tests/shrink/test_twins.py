"""`shrink.twins`: what is computed twice is computed, rounded and held once; what is not the same stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.onnx.session import Session
from lowvox.shrink import graph, twins
from lowvox.shrink.rounding import qdq
from onnx import helper, numpy_helper


def leaky(given: str, made: str, slope: float = 0.1) -> onnx.NodeProto:
    return helper.make_node("LeakyRelu", [given], [made], name=made, alpha=slope)


def blocks(slopes: tuple[float, ...] = (0.1, 0.1, 0.1)) -> onnx.ModelProto:
    """Blocks side by side on one value, as in a vocoder: each with its own activation and convolution; their sum."""
    kernel = np.random.default_rng(0).standard_normal((4, 4, 3)).astype(np.float32)
    weights = [numpy_helper.from_array(kernel * (at + 1), f"w{at}") for at in range(len(slopes))]
    nodes = []
    for at, slope in enumerate(slopes):
        nodes.append(leaky("x", f"a{at}", slope))
        nodes.append(helper.make_node("Conv", [f"a{at}", f"w{at}"], [f"c{at}"], name=f"c{at}", pads=[1, 1]))
    nodes.append(helper.make_node("Sum", [f"c{at}" for at in range(len(slopes))], ["y"], name="y"))
    return _model(nodes, weights)


def _model(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto]) -> onnx.ModelProto:
    given = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 4, "T"])]
    made = [helper.make_empty_tensor_value_info("y")]
    return helper.make_model(
        helper.make_graph(nodes, "g", given, made, weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


def count(model: onnx.ModelProto, operator: str) -> int:
    return sum(node.op_type == operator for node in model.graph.node)


def ran(model: onnx.ModelProto) -> Any:
    session = Session(model.SerializeToString())
    x = np.random.default_rng(1).standard_normal((1, 4, 30)).astype(np.float32)
    return session.run({"x": x})[0]


def test_equal_activations_are_one_and_give_the_same() -> None:
    model = blocks()
    made = twins.merged(model)
    assert (count(model, "LeakyRelu"), count(made, "LeakyRelu")) == (3, 1)
    np.testing.assert_array_equal(ran(made), ran(model))


def test_their_value_is_rounded_once() -> None:
    model = graph.ordered(blocks(), "it")
    nodes = graph.roundable(model)
    needed = qdq.needed(model, nodes)
    assert [name for name in needed if name.startswith("a")] == ["a0"]
    made = qdq.rounded(model, dict.fromkeys(needed, (-3.0, 3.0)), nodes)
    assert sum(node.input[0] == "a0" for node in made.graph.node if node.op_type == "QuantizeLinear") == 1


@pytest.mark.parametrize("slopes", [(0.1, 0.2), (0.1,)])
def test_what_differs_stays_as_it_is(slopes: tuple[float, ...]) -> None:
    model = blocks(slopes)
    assert twins.merged(model) is model


def test_one_behind_another_goes_with_it() -> None:
    nodes = [leaky("x", "a"), leaky("x", "b"), helper.make_node("Tanh", ["a"], ["c"], name="c")]
    nodes += [helper.make_node("Tanh", ["b"], ["d"], name="d"), helper.make_node("Add", ["c", "d"], ["y"], name="y")]
    made = twins.merged(_model(nodes, []))
    assert [node.name for node in made.graph.node] == ["a", "c", "y"]
    np.testing.assert_array_equal(ran(made), ran(_model(nodes, [])))


def test_an_output_of_the_graph_stays() -> None:
    model = _model([leaky("x", "a"), leaky("x", "y")], [])
    model.graph.output.append(helper.make_empty_tensor_value_info("a"))
    assert twins.merged(model) is model


def test_what_a_branch_uses_by_name_stays() -> None:
    inner = helper.make_graph(
        [helper.make_node("Identity", ["b"], ["out"])], "inner", [], [helper.make_empty_tensor_value_info("out")]
    )
    nodes = [leaky("x", "a"), leaky("x", "b")]
    nodes += [helper.make_node("If", ["yes"], ["y"], name="y", then_branch=inner, else_branch=inner)]
    model = _model(nodes, [numpy_helper.from_array(np.array(True), "yes")])
    assert twins.merged(model) is model
