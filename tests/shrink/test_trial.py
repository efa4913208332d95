"""Trials of real graphs and models in processes of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lowvox import models
from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.shrink.trials import trial
from lowvox.shrink.trials.distance import SAME_DB
from lowvox.shrink.trials.material import material
from lowvox.shrink.trials.measuring import measured
from onnx import TensorProto, helper
from replicas import graphs

SAMPLES = [{"x": np.ones((rows, 64), np.float32)} for rows in (2, 5)]


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "stack.onnx"
    path.write_bytes(graphs.stack())
    return path


def test_a_graph_has_a_row_for_each_batch(stack: Path) -> None:
    rows = trial.graph(stack, SAMPLES, reference=stack, batches=(1, 2), runs=12)
    assert [(row.variant, row.batch, row.runs, row.provider, row.threads) for row in rows] == [
        ("stack.onnx", 1, 12, "cpu", 1),
        ("stack.onnx", 2, 12, "cpu", 1),
    ]
    for row in rows:
        assert row.size_mb == stack.stat().st_size / 2**20
        assert 0 < row.spread_s[0] <= row.run_s <= row.spread_s[1]
        assert row.cpu_s is not None
        assert 10 < row.peak_uss_mb <= row.peak_rss_mb < 300
        assert row.load_s > 0 < row.first_output_s
        assert (row.rtf, row.quality, row.distance_db) == (None, None, SAME_DB)


def batched(first: int | str, path: Path) -> Path:
    """A graph that adds, on a first axis that is free or not."""
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [first, 3]) for name in ("x", "y")]
    node = helper.make_node("Add", ["x", "x"], ["y"])
    model = helper.make_model(helper.make_graph([node], "g", info[:1], info[1:]), ir_version=8)
    model.opset_import[0].version = 17
    path.write_bytes(model.SerializeToString())
    return path


def test_a_batch_is_stacked_where_the_graph_takes_it(tmp_path: Path) -> None:
    sample = [{"x": np.ones((1, 3), np.float32)}]
    assert trial.of_graph(batched("N", tmp_path / "free.onnx"), sample).way == "stacked"
    fixed = trial.of_graph(batched(1, tmp_path / "fixed.onnx"), sample)
    assert fixed.way == "at once"
    stacked = trial.graph(tmp_path / "free.onnx", sample, batches=(4,), runs=1)
    assert [(row.way, row.runs, row.spread_s) for row in stacked] == [("stacked", 1, (stacked[0].run_s,) * 2)]


def test_distance_to_a_reference(stack: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(graphs.stack(layers=3))
    (row,) = trial.graph(other, SAMPLES, reference=stack, batches=(1,), runs=1)
    assert row.distance_db is not None
    assert row.distance_db < 10


def test_variants_take_turns_and_tell_how_far_they_are(stack: Path) -> None:
    told: list[tuple[int, int]] = []
    subjects = [trial.of_graph(stack, SAMPLES, (1,), name=name) for name in ("a", "b")]
    found = measured(subjects, (1,), 25, lambda done, of: told.append((done, of)))
    assert [[row.variant for row in rows] for rows in found] == [["a"], ["b"]]
    assert told[-1] == (70, 70)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_cannot_run_says_so(stack: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no model file"):
        trial.graph(tmp_path / "none.onnx", SAMPLES, batches=(1,))
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    with pytest.raises(DamagedError, match="cannot be loaded"):
        trial.graph(tmp_path / "broken.onnx", SAMPLES, batches=(1,))
    with pytest.raises(EngineError, match="failed at work"):
        trial.graph(stack, [{"x": np.ones((2, 63), np.float32)}], batches=(1,))


@pytest.mark.parametrize("role", ["vad", "punctuator", "synthesizer"])
def test_a_model_of_each_role(role: str) -> None:
    model = models.find(role, "en")  # type: ignore[arg-type]
    one, two = trial.model(model, material(model.role, "en"), batches=(1, 2), runs=2)
    assert (one.variant, one.batch, two.batch, one.way) == (model.name, 1, 2, "at once")
    assert one.size_mb > 0.5
    assert one.load_s > 0 < one.first_output_s
    assert (one.rtf is None) == (role == "punctuator")
    if one.rtf is not None:
        assert 0 < one.rtf < 5


def test_streams_beyond_a_residents_capacity_have_residents_of_their_own() -> None:
    subject = trial.of_model(models.find("recognizer", "en"), material("recognizer", "en"))
    assert (subject.given.capacity, subject.given.options) == (1, {})
    short = replace(subject, given=replace(subject.given, sound=subject.given.sound[:6400]))
    ((row,),) = measured([short], (2,), 1)
    # A decoder of PocketSphinx's takes 90 MB, and two take twice that.
    assert row.peak_rss_mb > 180
    assert row.rtf
