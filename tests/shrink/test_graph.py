"""`shrink.graph`: what is read, how it is put in order, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, LowvoxError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink import graph
from lowvox.shrink.rounding import qdq
from onnx import TensorProto, helper, numpy_helper
from replicas import graphs


def written(path: Path, nodes: list[Any], weights: dict[str, Any], opset: int = 17, domain: str = "") -> Path:
    """Write a graph from `x` [n, 4] to `y`."""
    told = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in ("x", "y")]
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    sets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    made = helper.make_graph(nodes, "g", told[:1], told[1:], held)
    path.write_bytes(helper.make_model(made, opset_imports=sets, ir_version=8).SerializeToString())
    return path


def square(seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((4, 4), np.float32)


def ran(source: Path | onnx.ModelProto) -> Any:
    session = Session(source if isinstance(source, Path) else source.SerializeToString())
    given = np.random.default_rng(5).standard_normal((3, 4), np.float32)
    return session.run({"x": given})[0]


def test_nodes_that_can_be_rounded_and_how_much_that_is(tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    path.write_bytes(graphs.decoder(8, 1))
    model = graph.read(path)
    names = graph.roundable(model)
    kinds = {node.name: node.op_type for node in model.graph.node}
    assert {kinds[name] for name in names} == {"Conv", "ConvTranspose"}
    assert len(set(kinds)) == len(model.graph.node)
    assert graph.coverage(model, names) == 100
    assert 0 < graph.coverage(model, names[:1]) < 100
    assert graph.roundable(model, ("ConvTranspose",)) == [name for name in names if kinds[name] == "ConvTranspose"]
    assert graph.roundable(model, large=10**9) == []


def test_weights_in_nodes_of_their_own_count_for_coverage() -> None:
    nodes = [
        helper.make_node("Constant", [], ["held"], value=numpy_helper.from_array(square(1))),
        helper.make_node("MatMul", ["x", "w"], ["a"], "product"),
        helper.make_node("Add", ["a", "held"], ["y"]),
    ]
    sides = [[helper.make_tensor_value_info(name, 1, [None, 3])] for name in ("x", "y")]
    made = helper.make_graph(nodes, "graph", *sides, [numpy_helper.from_array(square(2), "w")])
    assert graph.coverage(helper.make_model(made), ["product"]) == 50


def test_weights_that_the_graph_makes_become_weights(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(square(1))),
        helper.make_node("MatMul", ["x", "c"], ["a"]),
        helper.make_node("Identity", ["w"], ["same"]),
        helper.make_node("Transpose", ["same"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["a", "turned"], ["b"]),
        helper.make_node("Gemm", ["b", "same", "bias"], ["y"]),
    ]
    path = written(tmp_path / "g.onnx", nodes, {"w": square(), "bias": np.ones(4, np.float32)})
    model = graph.read(path)
    assert [node.op_type for node in model.graph.node] == ["MatMul", "MatMul", "Gemm"]
    assert len(graph.roundable(model)) == 3
    np.testing.assert_allclose(ran(model), ran(path), rtol=1e-6)


def test_what_is_drawn_or_given_is_no_weight(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("RandomNormalLike", ["w"], ["drawn"]),
        helper.make_node("MatMul", ["x", "drawn"], ["a"]),
        helper.make_node("Transpose", ["x"], ["turned"]),
        helper.make_node("MatMul", ["turned", "a"], ["b"]),
        helper.make_node("MatMul", ["x", "b"], ["y"]),
    ]
    model = graph.read(written(tmp_path / "g.onnx", nodes, {"w": square()}))
    assert graph.roundable(model) == []
    assert len(model.graph.node) == 5


def test_old_graphs_are_brought_up_to_date(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Squeeze", ["b"], ["y"], axes=[0])]
    nodes.insert(1, helper.make_node("Unsqueeze", ["a"], ["b"], axes=[0]))
    path = written(tmp_path / "g.onnx", nodes, {"w": square()}, opset=11)
    model = graph.read(path)
    assert graph.opset(model) == 13
    assert len(graph.roundable(model)) == 1
    np.testing.assert_array_equal(ran(model), ran(path))


def test_a_weight_that_is_an_input_too_is_a_weight(tmp_path: Path) -> None:
    path = written(tmp_path / "g.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": square()})
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 4]))
    onnx.save(model, path)
    read = graph.read(path)
    assert [given.name for given in read.graph.input] == ["x"]
    ranges = dict.fromkeys(qdq.needed(read, graph.roundable(read)), (-4.0, 4.0))
    assert ran(qdq.rounded(read, ranges, graph.roundable(read))).shape == (3, 4)


def test_weights_in_another_file(tmp_path: Path) -> None:
    path = written(tmp_path / "g.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": square()})
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    model = graph.read(path)
    np.testing.assert_array_equal(numpy_helper.to_array(model.graph.initializer[0]), square())
    (tmp_path / "w.bin").unlink()
    with pytest.raises(DamagedError, match="The weights beside"):
        graph.read(path)


def refused(path: Path) -> LowvoxError:
    with pytest.raises(LowvoxError) as found:
        graph.read(path)
    assert "\n" not in str(found.value)
    return found.value


def test_what_is_no_graph(tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    assert isinstance(refused(path), NotFoundError)
    assert "is a folder" in str(refused(tmp_path))
    whole = graphs.decoder(8, 1)
    for data in (b"", b"PK\x03\x04 a zip", b"\x00" * 100, b"{}", whole[: len(whole) // 2], whole[:-10]):
        path.write_bytes(data)
        found = refused(path)
        assert isinstance(found, DamagedError)
        assert "decoder.onnx" in str(found)


def test_a_graph_that_lost_a_weight(tmp_path: Path) -> None:
    path = written(tmp_path / "g.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], {})
    assert "nothing makes 'w'" in str(refused(path))
    path = written(tmp_path / "g.onnx", [helper.make_node("Relu", ["x"], ["z"])], {})
    assert "nothing makes 'y'" in str(refused(path))


def test_a_graph_over_2_gb(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    path.touch()
    os.truncate(path, 2**31 + 10)  # a file with a hole: no disk is taken
    assert "over 2 GB" in str(refused(path))


def test_a_graph_that_is_rounded_already(tmp_path: Path) -> None:
    path = tmp_path / "stack.onnx"
    path.write_bytes(graphs.stack(8, 2))
    model = graph.read(path)
    nodes = graph.roundable(model)
    onnx.save(qdq.rounded(model, dict.fromkeys(qdq.needed(model, nodes), (-1.0, 1.0)), nodes), path)
    found = refused(path)
    assert isinstance(found, UsageError)
    assert "rounded already (it has QuantizeLinear)" in str(found)


def test_operators_that_nobody_knows(tmp_path: Path) -> None:
    custom = helper.make_node("Whisper", ["x"], ["y"], domain="my.ops")
    path = written(tmp_path / "g.onnx", [custom], {}, domain="my.ops")
    assert "custom operator my.ops.Whisper" in str(refused(path))
    path = written(tmp_path / "g.onnx", [helper.make_node("Whisper", ["x"], ["y"])], {})
    assert "the operator Whisper, which ONNX does not know" in str(refused(path))
    inside = helper.make_graph([helper.make_node("Whisper", ["x"], ["z"])], "b", [], [onnx.ValueInfoProto(name="z")])
    branch = helper.make_node("If", ["w"], ["y"], then_branch=inside, else_branch=inside)
    path = written(tmp_path / "g.onnx", [branch], {"w": np.array(True)})
    assert "the operator Whisper" in str(refused(path))
