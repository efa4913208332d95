"""Settings of sessions: what a profile stands for, what the user states instead, and the level for 8 bits."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lowvox.errors import UsageError
from lowvox.onnx import options, runtime
from lowvox.onnx.options import LEVELS, PROFILES, Settings
from lowvox.types import Profile
from onnx import TensorProto, helper
from replicas import graphs


def entry(settings: Settings, source: Path | bytes, name: str) -> str:
    return str(options.session_options(settings, source).get_session_config_entry(f"session.{name}"))


def rounded() -> bytes:
    """A graph that rounds to 8 bits."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    scale = [helper.make_tensor("scale", TensorProto.FLOAT, [], [0.1])]
    made = helper.make_model(helper.make_graph(nodes, "graph", values[:1], values[1:], scale))
    return bytes(made.SerializeToString())


def test_a_profile_is_settings_and_the_threads_of_a_run() -> None:
    assert options.settings(Profile()) == Settings()
    assert options.settings(Profile("no-arena", threads=3)) == Settings(
        enable_cpu_mem_arena=False, intra_op_num_threads=3
    )
    with pytest.raises(UsageError, match="no session profile 'fast'; there are default, "):
        options.settings(Profile("fast"))


def test_what_is_set_reaches_the_runtime() -> None:
    stated = Settings(
        enable_cpu_mem_arena=False,
        enable_mem_pattern=False,
        disable_prepacking=True,
        graph_optimization_level="basic",
        execution_mode="parallel",
        intra_op_num_threads=2,
        inter_op_num_threads=3,
        allow_spinning=True,
        set_denormal_as_zero=True,
    )
    made = options.session_options(stated, b"")
    onnxruntime = runtime()
    assert (made.enable_cpu_mem_arena, made.enable_mem_pattern) == (False, False)
    assert (made.intra_op_num_threads, made.inter_op_num_threads) == (2, 3)
    assert made.execution_mode == onnxruntime.ExecutionMode.ORT_PARALLEL
    assert made.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    for name in ("disable_prepacking", "intra_op.allow_spinning", "inter_op.allow_spinning", "set_denormal_as_zero"):
        assert entry(stated, b"", name) == "1"
        assert entry(Settings(), b"", name) == "0"


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_one_of_the_runtime(level: str) -> None:
    made = options.session_options(Settings(graph_optimization_level=level), rounded())
    assert made.graph_optimization_level.name.lower().endswith(level)


def test_graphs_in_8_bits_are_optimised_less_far_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "rounded.onnx").write_bytes(rounded())
    for source in (rounded(), tmp_path / "rounded.onnx"):
        assert options.session_options(Settings(), source).graph_optimization_level.name == "ORT_ENABLE_EXTENDED"
    assert options.session_options(Settings(), graphs.stack()).graph_optimization_level.name == "ORT_ENABLE_ALL"
    stated = replace(Settings(), graph_optimization_level="all")
    assert options.session_options(stated, rounded()).graph_optimization_level.name == "ORT_ENABLE_ALL"


def test_a_mapped_graph_is_mapped_and_read_in_place(tmp_path: Path) -> None:
    plain, mapped = tmp_path / "a.onnx", tmp_path / "a.ort"
    for path in (plain, mapped):
        path.write_bytes(b"")
    used = "use_ort_model_bytes_for_initializers"
    assert entry(Settings(), mapped, used) == entry(Settings(), mapped, "use_memory_mapped_ort_model") == "1"
    assert options.session_options(Settings(), plain).get_session_config_entry("session.disable_prepacking") == "0"
    assert entry(Settings(), mapped, "disable_prepacking") == "1"
    assert entry(PROFILES["packed"], mapped, "disable_prepacking") == "0"
    with pytest.raises(RuntimeError):
        entry(Settings(), plain, used)


def test_the_arena_is_handed_back_where_there_is_one() -> None:
    key = "memory.enable_memory_arena_shrinkage"
    assert options.run_options(Settings()).get_run_config_entry(key) == "cpu:0"
    for other in (Settings(enable_cpu_mem_arena=False), Settings(enable_memory_arena_shrinkage=False)):
        with pytest.raises(RuntimeError):
            options.run_options(other).get_run_config_entry(key)


def test_settings_are_compared_by_value() -> None:
    """Sessions are shared by them."""
    usual = asdict(Settings())
    others = [Settings(**{**usual, name: "x"}) for name in usual]
    assert len({Settings(), Settings(**usual), *others}) == 1 + len(usual)
