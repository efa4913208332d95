"""What a config may say, and what it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.vosk_tts.config import Config, read
from lowvox.errors import DamagedError, NotFoundError
from replicas import vosk_tts

LEAST = {"phoneme_id_map": {"^": 1, "$": [2]}}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


def written(folder: Path, config: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(config), "utf-8")
    return path


def test_defaults(tmp_path: Path) -> None:
    found = read(written(tmp_path, LEAST))
    assert found.audio.sample_rate == 22050
    assert msgspec.structs.astuple(found.inference) == (0.8, 1.0, 0.8, 1.0)
    assert (found.num_speakers, found.streams, found.no_blank) == (None, 0, 0)
    assert found.ids == {"^": (1,), "$": (2,)}


def test_a_symbol_without_a_number_is_none() -> None:
    assert "a" not in Config({"^": 1, "$": 2, "a": []}).ids


@pytest.mark.parametrize("kind", vosk_tts.KINDS)
def test_what_the_voices_say(tmp_path: Path, kind: str) -> None:
    found = read(written(tmp_path, vosk_tts.config(vosk_tts.KINDS[kind])))
    assert found.streams == {"v1": 1, "v2": 2, "v3": 3}.get(kind, 0)
    assert found.inference.noise_level == 0.5
    assert len(set(found.ids.values())) == len(found.phoneme_id_map)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"phoneme_id_map": None}, "phoneme_id_map"),
        ({"phoneme_id_map": {}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"^": 1}}, r"phoneme_id_map has no id for \$"),
        ({"phoneme_id_map": {"^": 1, "$": "2"}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"^": 1, "$": -2}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"^": 1, "$": 2**70}}, "phoneme_id_map"),
        ({"phoneme_id_map": {"^": 1, "$": [[2]]}}, "phoneme_id_map"),
        ({"audio": {"sample_rate": 0}}, "audio.sample_rate is 0"),
        ({"audio": {"sample_rate": "x"}}, "audio.sample_rate"),
        ({"inference": {"speech_rate": 0}}, "inference.speech_rate is 0"),
        ({"inference": {"noise_level": -1}}, "inference.noise_level"),
        ({"inference": {"scale": "loud"}}, "inference.scale"),
        ({"num_speakers": -1}, "num_speakers"),
        ({"num_speakers": 2, "speaker_id_map": {"a": 2}}, "speaker_id_map"),
        ({"speaker_id_map": {"a": -1}}, "speaker_id_map"),
        ({"model_type": "multistream_v9"}, "model_type"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, changed: dict[str, Any], key: str) -> None:
    with pytest.raises(DamagedError, match=key):
        read(written(tmp_path, LEAST | changed))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"phoneme_id_map": {"^"', b"[" * 100_000])
def test_what_is_no_config(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "config.json").write_bytes(text)
    with pytest.raises(DamagedError, match=r"is not the config of a vosk-tts voice"):
        read(tmp_path / "config.json")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"config\.json"):
        read(tmp_path / "config.json")


@given(st.dictionaries(st.sampled_from([*Config.__struct_fields__, "more"]), ANYTHING))
def test_whatever_it_says(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(LEAST | config), "utf-8")
    try:
        found = read(path)
    except DamagedError:
        return
    assert {"^", "$"} <= set(found.ids)
