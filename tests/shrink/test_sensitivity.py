"""`shrink.rounding.sensitivity`: what costs most is found, and left alone until the result is near enough."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.errors import UsageError
from lowvox.shrink import graph
from lowvox.shrink.rounding import calibrate, qdq, sensitivity
from lowvox.shrink.rounding.qdq import Range
from lowvox.shrink.trials import distance
from onnx import TensorProto, helper, numpy_helper

SIZE, WORST = 16, "second"


@pytest.fixture(scope="module")
def samples() -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    return [{"x": random.standard_normal((30, SIZE), np.float32)} for _ in range(3)]


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """Four products; what the second is given has one large value, which it does not use, and 8 bits do little else."""
    random = np.random.default_rng(0)
    weights = [random.standard_normal((SIZE, SIZE), np.float32) / SIZE**0.5 for _ in range(4)]
    weights[0][:, 0] *= 50
    weights[1][0] = 0
    nodes, x = [], "x"
    for at, name in enumerate(("first", WORST, "third", "fourth")):
        nodes.append(helper.make_node("MatMul", [x, f"w{at}"], [name], name))
        x = name
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", SIZE]) for name in ("x", x)]
    held = [numpy_helper.from_array(value, f"w{at}") for at, value in enumerate(weights)]
    made = helper.make_graph(nodes, "g", told[:1], told[1:], held)
    return graph.ordered(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "it")


@pytest.fixture(scope="module")
def ranges(model: onnx.ModelProto, samples: list[dict[str, Any]]) -> dict[str, Range]:
    return calibrate.ranges(model, samples, qdq.needed(model, graph.roundable(model)))


def test_the_costliest_comes_first(
    model: onnx.ModelProto, ranges: dict[str, Range], samples: list[dict[str, Any]]
) -> None:
    found = sensitivity.layers(model, ranges, samples, graph.roundable(model))
    assert {name for name, _ in found} == set(graph.roundable(model))
    levels = [level for _, level in found]
    assert levels == sorted(levels)
    assert found[0][0] == WORST
    assert levels[0] < levels[1] - 3


def test_as_few_as_will_do_are_left_alone(
    model: onnx.ModelProto, ranges: dict[str, Range], samples: list[dict[str, Any]]
) -> None:
    nodes = graph.roundable(model)

    def make(wanted: Collection[str]) -> onnx.ModelProto:
        return qdq.rounded(model, ranges, wanted)

    def near(left: Collection[str]) -> float:
        made = make([node for node in nodes if node not in left])
        return distance.signals(sensitivity.outputs(model, samples), sensitivity.outputs(made, samples))

    assert sensitivity.search(model, make, samples, nodes, near([]) - 1) == ([], [])
    left, ranking = sensitivity.search(model, make, samples, nodes, near([WORST]) - 0.1)
    assert left == [WORST]
    assert len(ranking) == len(nodes)
    floor = near([name for name, _ in ranking[:2]])
    left, _ = sensitivity.search(model, make, samples, nodes, floor)
    assert left == [name for name, _ in ranking[:2]]
    with pytest.raises(UsageError, match="Nothing can be rounded at 190 dB: the cheapest node alone gives"):
        sensitivity.search(model, make, samples, nodes, 190)
