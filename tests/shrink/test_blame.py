"""Blame: the operator that was put in, the layer that was spoilt, the weights that stayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError
from lowvox.shrink.trials import blame
from lowvox.shrink.trials.variant import Check, Verdict
from onnx import helper, numpy_helper
from replicas import graphs

SAMPLE = {"x": np.random.default_rng(1).standard_normal((8, 256)).astype(np.float32)}
ALL = Verdict("spoilt", tuple(Check(name, False, "") for name in ("disk", "peak", "speed", "quality")))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A stack of four products, and the same with its third one spoilt and a slow operator at its end."""
    first, variant = tmp_path / "first.onnx", tmp_path / "variant.onnx"
    model = onnx.load_from_string(graphs.stack(256))
    for at, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}/{at}"
    onnx.save(model, first)
    third = [node for node in model.graph.node if node.op_type == "MatMul"][2]
    weight = next(each for each in model.graph.initializer if each.name == third.input[1])
    spoilt = numpy_helper.to_array(weight) * np.float32(1.3)
    weight.CopyFrom(numpy_helper.from_array(spoilt, weight.name))
    last = model.graph.node[-1]
    last.output[0] = "before"
    model.graph.node.extend([helper.make_node("Erf", ["before"], ["middle"], name="slow")])
    model.graph.node.extend(helper.make_node("Sin", [f"m{at}"], [f"m{at + 1}"], name=f"sin{at}") for at in range(40))
    model.graph.node[len(model.graph.node) - 40].input[0] = "middle"
    model.graph.node[-1].output[0] = "y"
    onnx.save(model, variant)
    return first, variant


def test_each_failure_has_somebody_to_blame(pair: tuple[Path, Path]) -> None:
    said = blame.blamed(ALL, *pair, [SAMPLE]).blame
    assert any(sentence.startswith("Time: Sin takes ") and "(none before)" in sentence for sentence in said)
    noisy = [sentence for sentence in said if sentence.startswith("Noise: ")]
    assert noisy[0].startswith("Noise: MatMul MatMul/4 adds 10.5 dB below")  # 0.3 of it
    sizes = [sentence for sentence in said if sentence.startswith("Size: ")]
    assert len(sizes) == blame.SHOWN
    assert sizes[0].endswith("has 0.25 MB of the 1 MB of weights that stayed in floats.")


def test_who_fails_in_nothing_is_not_blamed(pair: tuple[Path, Path]) -> None:
    passed = Verdict("fine", (Check("speed", None, ""), Check("quality", True, "")))
    assert blame.blamed(passed, *pair, [SAMPLE]) == passed


def test_noise_is_that_which_a_layer_adds(pair: tuple[Path, Path]) -> None:
    added = blame.noise(*pair, SAMPLE)
    assert list(added) == [f"MatMul MatMul/{at}" for at in (0, 2, 4, 6)]
    assert added["MatMul MatMul/4"] == pytest.approx(0.09, rel=1e-3)
    assert max(added[name] for name in added if name != "MatMul MatMul/4") < 1e-3


def test_a_relu_that_was_taken_into_its_layer(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The layer then gives under the name of the Relu's value what the Relu would still have to cut off."""
    first, _ = pair
    model = onnx.load(first)
    kept = [node for node in model.graph.node if node.name != "Relu/1"]
    model.graph.node[0].output[0] = model.graph.node[1].output[0]
    kept[0].output[0] = model.graph.node[1].output[0]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    onnx.save(model, tmp_path / "cut.onnx")
    added = blame.noise(first, tmp_path / "cut.onnx", SAMPLE)
    assert added["MatMul MatMul/0"] == pytest.approx(0, abs=1e-9)


def test_less_time_is_nobodys_fault() -> None:
    was = {("Conv", "a"): 0.010, ("Add", "b"): 0.001}
    now = {("QLinearConv", "a"): 0.002, ("Conv", "c"): 0.001, ("Add", "b"): 0.0011}
    assert blame.speed(was, now) == ["Time: QLinearConv takes 2 ms of a run (none before), most of it in a."]


def test_samples_that_do_not_fit_are_said(pair: tuple[Path, Path]) -> None:
    with pytest.raises(DamagedError, match=r"first\.onnx cannot be run"):
        blame.blamed(ALL, *pair, [{}])
