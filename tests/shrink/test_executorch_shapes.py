"""Graphs with settled shapes: what is folded, what ties them to one length, how far they look. Needs no PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.onnx.windows import Reach
from lowvox.shrink.executorch import layout, shapes
from lowvox.shrink.executorch.graph import pieces, planned, windowed
from lowvox.shrink.executorch.looks import looks
from lowvox.shrink.executorch.neutral import without
from onnx import TensorProto, helper, numpy_helper

DICE = np.random.default_rng(1)


def drawn(*shape: int) -> Any:
    return DICE.standard_normal(shape).astype(np.float32)


def model(nodes: list[tuple[Any, ...]], weights: dict[str, Any], given: str = "T") -> onnx.ModelProto:
    """Make a graph from x [1, 2, T] to y."""
    made = [helper.make_node(kind, takes, gives, **settings) for kind, takes, gives, settings in nodes]
    graph = helper.make_graph(
        made,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 2, given])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", None, None])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


CONV = ("Conv", ["x", "w"], ["c"], {"pads": [2, 0]})
# Zeros as long as the input, as a flow without a speaker adds them.
ZEROS: list[tuple[Any, ...]] = [
    ("Shape", ["c"], ["s"], {}),
    ("ConstantOfShape", ["s"], ["z"], {}),
    ("Add", ["c", "z"], ["y"], {}),
]
W = {"w": drawn(2, 2, 3)}
PLACES = [
    ("Shape", ["x"], ["s"], {}),
    ("Gather", ["s", "two"], ["n"], {}),
    ("Range", ["zero", "n", "one"], ["r"], {}),
    ("Cast", ["r"], ["f"], {"to": 1}),
    ("Mul", ["x", "f"], ["y"], {}),
]
NUMBERS = {name: np.array(value, np.int64) for name, value in (("zero", 0), ("one", 1), ("two", 2))}


def ran(told: onnx.ModelProto, x: Any) -> Any:
    session = Session(told.SerializeToString())
    try:
        return session.run({"x": x})[0]
    finally:
        session.close()


def test_what_follows_from_the_shapes_is_folded() -> None:
    told = model([CONV, *ZEROS], W)
    settled = shapes.fixed(told, {"x": (1, 2, 9)})
    assert [node.op_type for node in settled.graph.node] == ["Conv", "Identity"]
    assert [weight.name for weight in settled.graph.initializer] == ["w"]
    x = drawn(1, 2, 9)
    assert ran(settled, x) == pytest.approx(ran(told, x), abs=1e-6)


def test_a_graph_whose_numbers_follow_the_length_is_tied_to_it() -> None:
    for told, free in ((model([CONV, *ZEROS], W), True), (model(PLACES, NUMBERS), False)):
        both = [shapes.fixed(told, {"x": (1, 2, length)}) for length in (9, 8)]
        assert shapes.alike(*both) is free


@pytest.mark.parametrize(
    ("kind", "weight", "first", "left"),
    [
        ("Add", np.zeros((1, 2, 9)), False, ["Identity"]),
        ("Mul", np.ones((1, 2, 9)), True, ["Identity"]),
        ("Sub", np.zeros((2, 9)), False, ["Identity"]),
        ("Sub", np.zeros((2, 9)), True, ["Sub"]),
        ("Div", np.full((2, 1), 4.0), False, ["Div"]),
        ("Add", np.zeros((3, 2, 9)), False, ["Add"]),
        ("Add", drawn(2, 9), False, ["Add"]),
    ],
)
def test_sums_with_nothing(kind: str, weight: Any, first: bool, left: list[str]) -> None:
    takes = ["k", "x"] if first else ["x", "k"]
    told = model([(kind, takes, ["y"], {})], {"k": weight.astype(np.float32)}, given="T")
    told.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    told.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 9
    made = without(told)
    assert [node.op_type for node in made.graph.node] == left
    x = drawn(1, 2, 9)
    assert (ran(made, x) == ran(told, x)).all()


def test_shapes_that_do_not_fit() -> None:
    product = model([("MatMul", ["x", "w"], ["y"], {})], {"w": drawn(9, 3)})
    with pytest.raises(UsageError, match=r"does not take inputs of the shapes x \[1, 2, 8\]"):
        shapes.fixed(product, {"x": (1, 2, 8)})


def test_files_that_are_something_else(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"hello")
    (tmp_path / "none.onnx").write_bytes(b"")
    for name in ("no", "none"):
        with pytest.raises(DamagedError, match="is not an ONNX graph"):
            shapes.loaded(tmp_path / f"{name}.onnx")
    with pytest.raises(NotFoundError, match="There is no file"):
        shapes.loaded(tmp_path / "missing.onnx")


WIDE = ("ConvTranspose", ["c", "v"], ["y"], {"strides": [2], "pads": [1, 1]})


@pytest.mark.parametrize(
    ("nodes", "weights", "reach"),
    [
        ([CONV, ("Relu", ["c"], ["y"], {})], W, Reach(2, 0, 1)),
        ([CONV, WIDE], {**W, "v": drawn(2, 1, 4)}, Reach(3, 1, 2)),
        ([("Softmax", ["x"], ["y"], {"axis": -1})], {}, None),
    ],
)
def test_how_far_a_graph_looks(nodes: list[Any], weights: dict[str, Any], reach: Reach | None) -> None:
    told = model(nodes, weights)
    assert looks(told, shapes.declared(told), shapes.types(told), {"x": 2}) == reach
    plan = planned(told, 5, "y.pte", "fp32")
    (given,) = plan.inputs
    if reach is None:
        assert (plan.window, given.shape) == (0, (1, 2, 5))
        return
    assert (plan.window, plan.left, plan.right, plan.hop) == (5, reach.left, reach.right, reach.hop)
    assert given == layout.Given("x", "float32", (1, 2, 5 + reach.left + reach.right), 2)
    session = Session(told.SerializeToString())
    for length in (1, given.shape[2], 31):
        x = drawn(1, 2, length)
        cuts = list(pieces(plan, {"x": x}))
        assert {cut["x"].shape[2] for cut in cuts} == {min(length, given.shape[2])}
        found = np.concatenate(list(windowed(plan, lambda cut: session.run(cut)[0], {"x": x})), -1)
        assert found == pytest.approx(session.run({"x": x})[0], abs=1e-5)
    session.close()


def test_an_input_with_several_open_axes() -> None:
    told = model([("Relu", ["x"], ["y"], {})], {})
    told.graph.input[0].type.tensor_type.shape.dim[1].Clear()
    with pytest.raises(UsageError, match="'x' has several open axes"):
        planned(told, 5, "y.pte", "fp32")


def test_what_lies_beside_a_program(tmp_path: Path) -> None:
    told = layout.Lowered(
        "y.pte", (layout.Given("x", "float32", (1, 2, 9), 2, exact=True),), ("y",), "int8", 5, 3, 1, 2
    )
    program = tmp_path / "y.pte"
    with pytest.raises(NotFoundError, match="There is no program"):
        layout.read(program)
    layout.write(program, b"program", told)
    assert layout.read(program) == told
    assert told.along == {"x": 2}
    sidecar = tmp_path / "y.pte.json"
    for content, says in (
        (b"{}", "does not describe a lowered program"),
        (msgspec.json.encode(msgspec.structs.replace(told, version=2)), "not of this version"),
    ):
        sidecar.write_bytes(content)
        with pytest.raises(DamagedError, match=says):
            layout.read(program)
    sidecar.unlink()
    with pytest.raises(NotFoundError, match=r"There is no y\.pte\.json beside"):
        layout.read(program)
