"""Quality of the models that come with lowvox, and of variants that are worse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import onnx
from lowvox import models
from lowvox.engines.lowvox_te import engine as lowvox_te
from lowvox.shrink.trials.material import Material, material
from lowvox.shrink.trials.quality import KEPT, judged
from lowvox.types import Model
from onnx import numpy_helper


def nobody(done: int, of: int) -> None:
    """Hear nothing."""


def test_a_voice_is_understood_and_kept_to_listen_to() -> None:
    voice, ears = models.find("synthesizer", "en"), models.find("recognizer", name="pocketsphinx-en-us")
    told: list[tuple[int, int]] = []
    given = replace(material("synthesizer", "en"), texts=material("synthesizer", "en").texts[:2])
    one, same = judged([voice, voice], given, ears, lambda done, of: told.append((done, of)))
    assert one.quality
    assert one.quality.metric == "wer"
    assert one.quality.value < 40
    assert (one.quality.by, one.quality.count, one.quality.worse) == ("pocketsphinx-en-us", 2, None)
    assert [each.metric for each in one.also] == ["cer"]
    assert one.distance_db is None
    assert same.quality == replace(one.quality, worse=(0.0, 0.0))
    assert same.distance_db == 200.0  # the same sentence always sounds the same
    assert [sound.seconds > 1 for sound in same.sounds] == [True, True]
    assert told[-1] == (4, 4)


def test_without_ears_a_voice_is_compared_by_its_sound_alone() -> None:
    voice = models.find("synthesizer", "en")
    given = Material("en", ("Good morning.",) * (KEPT + 1))
    one, same = judged([voice, voice], given, None, nobody)
    assert one.quality is same.quality is None
    assert len(one.sounds) == KEPT
    assert same.distance_db == 200.0


@pytest.fixture
def worse(tmp_path: Path) -> Model:
    """lowvox-te with noise on its weights."""
    network = onnx.load(lowvox_te.SHIPPED / "lowvox-te.onnx")
    random = np.random.default_rng(1)
    for weight in network.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and len(weight.dims) > 1:
            value = numpy_helper.to_array(weight)
            noisy = value + 0.5 * value.std() * random.standard_normal(value.shape).astype(np.float32)
            weight.CopyFrom(numpy_helper.from_array(noisy.astype(np.float32), weight.name))
        elif weight.data_type == onnx.TensorProto.INT8 and len(weight.dims) > 1:
            value = numpy_helper.to_array(weight)
            weight.CopyFrom(numpy_helper.from_array(np.roll(value, 1, 0), weight.name))
    onnx.save(network, tmp_path / "worse.onnx")
    return replace(models.find("punctuator", "en"), path=tmp_path / "worse.onnx")


def test_a_punctuator_that_is_worse_is_found_out(worse: Model) -> None:
    good, bad = judged([models.find("punctuator", "en"), worse], material("punctuator", "en"), None, nobody)
    assert good.quality
    assert bad.quality
    assert good.quality.metric == "f1"
    assert good.quality.value > 70
    assert bad.quality.value < good.quality.value - 20
    assert bad.quality.worse
    assert bad.quality.worse[0] > 10


def test_a_vad_agrees_with_itself() -> None:
    vad = models.find("vad")
    one, same = judged([vad, vad], material("vad", "en"), None, nobody)
    assert one.quality
    assert (one.quality.value, one.quality.count, one.quality.by) == (100.0, 5, "silero-vad")
    assert same.quality == replace(one.quality, worse=(0.0, 0.0))


def test_a_recogniser_is_held_to_what_was_said() -> None:
    recognizer = models.find("recognizer", "en")
    (found,) = judged([recognizer], material("recognizer", "en"), None, nobody)
    assert found.quality
    assert (found.quality.metric, found.quality.count, found.quality.by) == ("wer", 1, "transcripts")
    assert found.quality.value < 20
