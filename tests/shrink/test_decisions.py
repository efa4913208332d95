"""Decisions of graphs: the same by themselves, counted sample by sample, of the output that is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import onnx
from lowvox.errors import UsageError
from lowvox.shrink.trials.decisions import Deciding, agreement
from onnx import TensorProto, helper

SAMPLES = [{"x": np.array([at / 10], np.float32)} for at in range(10)]


def graph(path: Path, shift: float) -> tuple[str, Path]:
    """Write a graph that gives its input with `shift` added as "near", and its opposite as "far"."""
    nodes = [helper.make_node("Add", ["x", "by"], ["near"]), helper.make_node("Neg", ["near"], ["far"])]
    told = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "near", "far")}
    by = onnx.numpy_helper.from_array(np.array([shift], np.float32), "by")
    made = helper.make_graph(nodes, "g", [told["x"]], [told["near"], told["far"]], [by])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path.stem, path


def test_so_many_decisions_are_the_same(tmp_path: Path, home: Path) -> None:
    pair = [graph(tmp_path / "first.onnx", 0.05), graph(tmp_path / "other.onnx", 0.25)]
    first, other = agreement(pair, SAMPLES, Deciding(0.5))
    assert (first.metric, first.value, first.by, first.worse) == ("agreement", 100.0, "first", None)
    assert (other.value, other.count, other.by) == (80.0, 10, "first")  # 0.3 and 0.4 are above it now
    assert other.worse
    assert other.worse[0] <= 20 <= other.worse[1]
    assert other.worse[1] > 20
    assert agreement(pair, SAMPLES, Deciding(-0.5, "far"))[1].value == 80.0
    assert agreement(pair, SAMPLES, Deciding(0.5, "far"))[1].value == 100.0  # nothing there is above zero


def test_an_output_that_is_not_there(tmp_path: Path, home: Path) -> None:
    with pytest.raises(UsageError, match="no output 'y' to decide by; it gives near, far"):
        agreement([graph(tmp_path / "first.onnx", 0)], SAMPLES, Deciding(0.5, "y"))
