"""The stand-ins for VITS voices: what every other test of them takes for granted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import onnx
from lowvox.onnx.session import Session
from replicas import vits
from replicas import vits_parts as parts
from replicas.graphs import _Graph

ONE_FRAME_EACH = 1e-4
PHONEMES = 40
VOICES: dict[str, dict[str, Any]] = {
    "one speaker": {},
    "three speakers": {"speakers": 3},
    "attention in the flow": {"vits2": True},
    "like high quality": {"shape": parts.Shape(stages=vits.FULL.stages, blocks=vits.FULL.blocks, paired=True)},
}


def speak(
    session: Session,
    phonemes: int = PHONEMES,
    scales: tuple[float, float, float] = (0, 1, 0),
    sid: int = 0,
) -> list[NDArray[Any]]:
    return run(session, some(phonemes), [phonemes], scales, sid)


def some(phonemes: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, 256, (1, phonemes))


def run(
    session: Session, ids: NDArray[np.int64], lengths: list[int], scales: tuple[float, float, float], sid: int = 0
) -> list[NDArray[Any]]:
    feeds = {"input": ids, "input_lengths": lengths, "scales": np.array(scales, np.float32), "sid": [sid]}
    return session.run({name: np.asarray(feeds[name]) for name in session.inputs})


@pytest.fixture(scope="module", params=VOICES)
def made(request: pytest.FixtureRequest) -> Session:
    return Session(vits.graph(**VOICES[request.param]))


def test_it_speaks(made: Session) -> None:
    (sound,) = speak(made)
    assert sound.dtype == np.float32
    assert sound.shape == (1, 1, 1, sound.size)
    assert sound.size % vits.HOP == 0
    assert 1 <= sound.size / vits.HOP / PHONEMES <= 4
    assert np.isfinite(sound).all()
    assert sound.std() > 0.05
    assert np.abs(sound).max() <= 1


@pytest.mark.parametrize("phonemes", [1, 2, 3, 17])
def test_a_length_of_nearly_nothing_is_one_frame_for_each_phoneme(made: Session, phonemes: int) -> None:
    (sound,) = speak(made, phonemes, (0, ONE_FRAME_EACH, 0))
    assert sound.size == phonemes * vits.HOP


def test_without_noise_it_says_the_same_again(made: Session) -> None:
    first, second = speak(made)[0], speak(made)[0]
    assert np.array_equal(first, second)


def test_noise_changes_the_sound_and_its_own_scale_the_durations(made: Session) -> None:
    (still,) = speak(made)
    (noisy,) = speak(made, scales=(0.667, 1, 0))
    assert noisy.shape == still.shape
    assert np.abs(noisy - still).max() > 0.01
    sizes = {speak(made, scales=(0, 1, 0.8))[0].size for _ in range(20)}
    assert len(sizes) > 1


def test_a_greater_length_is_slower(made: Session) -> None:
    assert speak(made, scales=(0, 2, 0))[0].size > 1.5 * speak(made)[0].size


def test_a_batch_of_equals_is_as_each_alone(made: Session) -> None:
    (sound,) = run(made, some(PHONEMES).repeat(2, 0), [PHONEMES, PHONEMES], (0, 1, 0))
    (alone,) = speak(made)
    assert sound.shape == (2, 1, 1, alone.size)
    assert sound == pytest.approx(np.concatenate([alone, alone]), abs=1e-5)


def test_silence_behind_the_end_reaches_back_into_the_sound_but_not_to_its_start(made: Session) -> None:
    """The masks hold; and whoever pads with zeros is wrong at the end."""
    short, long = 40, 60
    ids = some(long).repeat(2, 0)
    (both,) = run(made, ids, [short, long], (0, ONE_FRAME_EACH, 0))
    padded = both[0].ravel()[: short * vits.HOP]
    (alone,) = run(made, ids[:1, :short], [short], (0, ONE_FRAME_EACH, 0))
    alone = alone.ravel()
    assert padded[: 10 * vits.HOP] == pytest.approx(alone[: 10 * vits.HOP], abs=1e-5)
    assert np.abs(padded - alone)[-vits.HOP :].max() > 1e-3


def test_the_interface_is_pipers() -> None:
    one, three = (onnx.load_from_string(vits.graph(speakers=speakers)) for speakers in (1, 3))
    assert [given.name for given in one.graph.input] == ["input", "input_lengths", "scales"]
    assert [given.name for given in three.graph.input] == ["input", "input_lengths", "scales", "sid"]
    assert [given.name for given in three.graph.output] == ["output"]
    assert one.opset_import[0].version == 15


def test_speakers_sound_different() -> None:
    session = Session(vits.graph(speakers=3))
    first, second, other = (speak(session, scales=(0, ONE_FRAME_EACH, 0), sid=sid)[0] for sid in (0, 1, 2))
    assert np.abs(first - second).max() > 0.01
    assert np.abs(second - other).max() > 0.01


def test_the_second_output_says_how_long_each_phoneme_is() -> None:
    session = Session(vits.graph(alignment=True))
    sound, frames = speak(session)
    assert frames.shape == (1, 1, PHONEMES)
    assert frames.sum() * vits.HOP == sound.size
    assert len(set(frames.ravel())) > 1
    assert frames.min() >= 1


@pytest.mark.parametrize(("attentive", "reach"), [(False, 8), (True, 59)])
def test_a_flow_reaches_as_far_as_its_convolutions_or_with_attention_everywhere(attentive: bool, reach: int) -> None:
    made = _Graph(biases=True)
    flowed = parts.flow(made, vits.TINY, "z", "mask", None, attentive)
    frames: list[int | str] = [1, vits.TINY.latent, "T"]
    session = Session(made.model({"z": frames, "mask": [1, 1, "T"]}, {flowed: frames}))
    z, mask = np.random.default_rng(0).standard_normal((1, 4, 60), np.float32), np.ones((1, 1, 60), np.float32)
    (before,) = session.run({"z": z, "mask": mask})
    z[..., -1] += 1
    (after,) = session.run({"z": z, "mask": mask})
    changed = np.flatnonzero(np.abs(after - before).max(axis=(0, 1)))
    assert changed[0] == 59 - reach
    assert np.abs(before - z).max() > 0.1


@pytest.mark.parametrize("vits2", [False, True])
def test_every_convolution_that_is_heard_has_a_bias(vits2: bool) -> None:
    nodes = onnx.load_from_string(vits.graph(vits2=vits2)).graph.node
    assert {len(node.input) for node in nodes if node.op_type in ("Conv", "ConvTranspose")} == {3}
    assert [node.op_type for node in nodes].count("RandomNormalLike") == 2


def test_the_same_seed_is_the_same_voice() -> None:
    assert vits.graph(seed=3) == vits.graph(seed=3)
    assert vits.graph(seed=3) != vits.graph(seed=4)


def test_the_full_voice_is_as_large_as_a_real_one() -> None:
    assert 35e6 < len(vits.graph(vits.FULL)) / 4 < 37e6


def test_the_files_of_a_voice(tmp_path: Path) -> None:
    path = vits.voice(tmp_path / "voices", "ru_RU-test-low", "espeak", 2, rate=22050)
    assert path == tmp_path / "voices" / "ru_RU-test-low.onnx"
    assert Session(path).inputs == ("input", "input_lengths", "scales", "sid")
    described = json.loads((tmp_path / "voices" / "ru_RU-test-low.onnx.json").read_text("utf-8"))
    assert described["audio"] == {"sample_rate": 22050, "quality": "low"}
    assert described["espeak"]["voice"] == "ru"
    assert described["num_speakers"] == len(described["speaker_id_map"]) == 2
    assert described["phoneme_type"] == "espeak"


def test_the_phonemes_have_pipers_numbers() -> None:
    known = vits.config("en_US-test-low", "espeak")["phoneme_id_map"]
    assert len(known) == 166
    some = {
        "_": 0,
        "^": 1,
        "$": 2,
        " ": 3,
        ";": 12,
        "h": 20,
        "ə": 59,
        "ʲ": 119,
        "ᵻ": 128,
        "9": 139,
        "g": 154,
        "oʊ": 165,
    }
    assert {phoneme: known[phoneme] for phoneme in some} == {phoneme: [number] for phoneme, number in some.items()}


def test_a_voice_of_letters_knows_what_is_left_of_letters_taken_apart() -> None:
    described = vits.config("ru_RU-test-low", "text")
    known = described["phoneme_id_map"]
    assert set("и\u0306е\u0308_^$ ,.") <= set(known)
    assert all(len(ids) == 1 for ids in known.values())
    assert len({ids[0] for ids in known.values()}) == len(known) <= described["num_symbols"]
