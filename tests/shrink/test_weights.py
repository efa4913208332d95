"""A model in two files gives what it gave in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError
from lowvox.onnx.session import Session
from lowvox.shrink.weights import split
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
