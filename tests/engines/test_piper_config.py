"""The json of a Piper voice: what is read of it, and what is refused with the key that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.piper.config import read
from lowvox.errors import DamagedError, LowvoxError, NotFoundError
from replicas import vits


def written(folder: Path, **changes: Any) -> Path:
    described = vits.config("en_US-test-medium", "espeak", 3) | changes
    path = folder / "voice.onnx.json"
    path.write_text(json.dumps({key: value for key, value in described.items() if value != "gone"}), "utf-8")
    return path


def test_what_matters_is_read_and_the_rest_left_alone(tmp_path: Path) -> None:
    config = read(written(tmp_path, modern={"unknown": [1]}))
    assert config.audio.sample_rate == 16000
    assert (config.espeak.voice, config.phoneme_type) == ("en-us", "espeak")
    assert (config.num_symbols, config.num_speakers, config.default_speaker_id) == (256, 3, 0)
    assert config.speaker_id_map == {"speaker0": 0, "speaker1": 1, "speaker2": 2}
    assert (config.inference.noise_scale, config.inference.length_scale, config.inference.noise_w) == (0.667, 1, 0.8)
    assert config.highest == 165
    assert config.languages == ("en-us", "en")


def test_what_is_left_out_is_pipers_usual(tmp_path: Path) -> None:
    gone = ("inference", "phoneme_type", "phoneme_map", "speaker_id_map", "language", "piper_version", "hop_length")
    config = read(written(tmp_path, num_speakers=1, **dict.fromkeys(gone, "gone")))
    assert (config.inference.noise_scale, config.inference.length_scale, config.inference.noise_w) == (0.667, 1, 0.8)
    assert config.phoneme_type == "espeak"
    assert config.languages == ("en-us", "en")  # by espeak's voice


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"audio": "gone"}, "missing required field `audio`"),
        ({"audio": {"sample_rate": "16k"}}, r"\$\.audio\.sample_rate"),
        ({"audio": {"sample_rate": 0}}, r"audio\.sample_rate is 0"),
        ({"phoneme_id_map": "gone"}, "`phoneme_id_map`"),
        ({"phoneme_id_map": {}}, r"no ids for _ \^ \$"),
        ({"phoneme_id_map": {"_": [0], "^": [1], "$": []}}, r"no ids for \$"),
        ({"phoneme_id_map": {"_": [0], "^": [1], "$": [-2]}}, "phoneme_id_map has ids up to 1"),
        ({"num_symbols": 130}, "ids up to 165, and num_symbols is 130"),
        ({"num_symbols": "gone"}, "`num_symbols`"),
        ({"num_speakers": 0}, "num_speakers is 0"),
        ({"speaker_id_map": {"anna": 3}}, "speaker_id_map names speaker 3, and num_speakers is 3"),
        ({"default_speaker_id": -1}, "default_speaker_id names speaker -1"),
        ({"espeak": {}}, r"espeak\.voice is missing"),
        ({"inference": {"length_scale": 0}}, r"inference\.length_scale is 0"),
        ({"inference": {"noise_w": -1}}, r"inference\.noise_w is -1"),
        ({"vowel_clusters": "ab"}, "vowel_clusters"),
    ],
)
def test_what_cannot_be_names_the_file_and_the_key(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(DamagedError, match=says) as error:
        read(path)
    assert str(path) in str(error.value)


def test_no_json_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="copy it beside"):
        read(tmp_path / "voice.onnx.json")
    for content in (b"", b"\xff\xfe", b"[]", b"{" * 5000, b"null", b'{"audio": {"sample_rate": 1e999}}'):
        (tmp_path / "voice.onnx.json").write_bytes(content)
        with pytest.raises(DamagedError, match="is not the json of a Piper voice"):
            read(tmp_path / "voice.onnx.json")


@given(
    key=st.sampled_from([*vits.config("en_US-a-low", "text"), "vowel_clusters", "default_speaker_id"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
)
def test_any_value_of_any_key_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    path = written(tmp_path_factory.getbasetemp(), **{key: value})
    try:
        assert read(path).num_speakers >= 1
    except LowvoxError as error:
        assert str(path) in str(error)
