"""The list of operators, as ONNX Runtime's own build would read it."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import onnx
from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.onnx import runtime
from lowvox.onnx.session import write_mapped
from lowvox.shrink.shipping.operators import Operator, config, needed
from lowvox.shrink.trials.sources import graphs
from onnx import helper
from replicas import graphs as replica


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "stack.onnx").write_bytes(replica.stack(layers=1))
    return tmp_path / "stack.onnx"


def parsed(text: str, path: Path) -> tuple[dict[str, dict[int, set[str]]], Any]:
    path.write_text(text)
    found: tuple[Any, Any] = import_module(f"{runtime().__name__}.tools.reduced_build_config_parser").parse_config(
        str(path), True
    )
    return found


def test_operators_with_their_types(stack: Path) -> None:
    types = '{"inputs": {"0": ["float"]}}'
    found = needed([stack])
    assert {(one.domain, one.name, one.types) for one in found} >= {
        ("ai.onnx", "MatMul", types),
        ("ai.onnx", "Relu", types),
    }
    assert needed([stack, stack]) == found


def test_a_mapped_graph_needs_what_it_was_made_of_needs(stack: Path, tmp_path: Path) -> None:
    write_mapped(stack, tmp_path / "stack.ort")
    assert {one.name for one in needed([tmp_path / "stack.ort"])} == {"MatMul", "Relu"}


def test_a_build_reads_the_list_of_what_comes_with_lowvox(tmp_path: Path) -> None:
    several = [graph for model in ("lowvox-te", "lowvox-voice") for graph in graphs(model)]
    found = needed(several)
    text = config(found, [graph.name for graph in several])
    assert text.startswith("# The operators that these models need:\n# - lowvox-te.onnx\n")
    read, types = parsed(text, tmp_path / "required_operators.config")
    assert {name for opsets in read.values() for names in opsets.values() for name in names} == {
        one.name for one in found
    }
    # As written and as optimised: both are there.
    assert {"MatMulInteger", "DynamicQuantizeLinear"} <= {one.name for one in found if one.domain == "ai.onnx"}
    assert Operator("com.microsoft", 1, "DynamicQuantizeMatMul") in found
    assert types is not None


def test_logging_is_left_as_it_was(stack: Path) -> None:
    before = list(logging.root.handlers)
    needed([stack])
    assert logging.root.handlers == before


def test_what_is_no_graph(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(DamagedError, match="cannot be loaded"):
        needed([tmp_path / "x.onnx"])
    with pytest.raises(NotFoundError, match="no file"):
        needed([tmp_path / "y.onnx"])


def test_an_operator_that_nobody_knows(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Odd", ["x"], ["y"], domain="my.own")], "g", ends[:1], ends[1:])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("my.own", 1)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=10), tmp_path / "odd.onnx")
    with pytest.raises(EngineError, match="has a part that the installed onnxruntime cannot compute"):
        needed([tmp_path / "odd.onnx"])
