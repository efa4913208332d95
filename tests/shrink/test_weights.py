"""A model in two files gives what it gave in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError
from lowvox.onnx.session import Session
from lowvox.shrink.shipping.weights import share, split
from onnx import helper, numpy_helper
from replicas import graphs

if TYPE_CHECKING:
    from pathlib import Path

ONES = np.ones((2, 64), np.float32)


@pytest.mark.parametrize("constants", [False, True])
def test_two_files(tmp_path: Path, constants: bool) -> None:
    whole = graphs.stack()
    if constants:  # as PyTorch writes weights
        model = onnx.load_from_string(whole)
        nodes = [helper.make_node("Constant", [], [one.name], value=one) for one in model.graph.initializer]
        nodes.append(helper.make_node("Constant", [], ["small"], value=numpy_helper.from_array(np.zeros(3))))
        del model.graph.initializer[:]
        rest = list(model.graph.node)
        del model.graph.node[:]
        model.graph.node.extend([*nodes, *rest])
        whole = model.SerializeToString()
    network, weights = tmp_path / "model.onnx", tmp_path / "weights.bin"
    split(whole, network, weights)
    assert network.stat().st_size < 4096
    assert weights.stat().st_size == 4 * 4 * 64 * 64  # four matrices, each of whole pages
    expected = Session(whole).run({"x": ONES})[0]
    assert np.array_equal(Session(network).run({"x": ONES})[0], expected)
    weights.write_bytes(weights.read_bytes()[:5000])
    network.touch()
    with pytest.raises(DamagedError, match="cannot be loaded"):
        Session(network)
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "weights.bin"}


def test_what_models_have_in_common_is_there_once(tmp_path: Path) -> None:
    wholes = {"a": graphs.stack(layers=2), "b": graphs.stack(layers=4)}
    loaded = {tmp_path / f"{name}.onnx": onnx.load_from_string(whole) for name, whole in wholes.items()}
    # Numbers instead of bytes, as some tools write weights.
    for tensor in loaded[tmp_path / "b.onnx"].graph.initializer:
        values = numpy_helper.to_array(tensor)
        tensor.ClearField("raw_data")
        tensor.float_data.extend(values.ravel().tolist())
    saved = share(loaded, tmp_path / "weights.bin")
    size = 4 * 64 * 64
    assert saved == 2 * size, "the first two layers draw the same random numbers"
    assert (tmp_path / "weights.bin").stat().st_size == 4 * size
    for name, whole in wholes.items():
        expected = Session(whole).run({"x": ONES})[0]
        assert np.array_equal(Session(tmp_path / f"{name}.onnx").run({"x": ONES})[0], expected)


def test_a_weight_that_is_twice_in_one_model_is_there_once(tmp_path: Path) -> None:
    weight = np.arange(64 * 64, dtype=np.float32).reshape(64, 64) / 4096
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("MatMul", ["h", "v"], ["y"])]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["T", 64]) for name in "xy"]
    twice = [numpy_helper.from_array(weight, name) for name in "wv"]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:], twice),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    expected = Session(model.SerializeToString()).run({"x": ONES})[0]
    split(model.SerializeToString(), tmp_path / "model.onnx", tmp_path / "weights.bin")
    assert (tmp_path / "weights.bin").stat().st_size == weight.nbytes
    assert np.array_equal(Session(tmp_path / "model.onnx").run({"x": ONES})[0], expected)
