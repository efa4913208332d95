"""Voice files of Pocket TTS: theirs and ours, of another model, damaged, hostile."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lowvox.engines.pocket import layout as pocket_layout
from lowvox.engines.pocket import voice as pocket_voice
from lowvox.engines.pocket.layout import CacheFacts, Facts, GraphFacts, Layout, TokenizerFacts
from lowvox.errors import DamagedError, LowvoxError, NotFoundError, UsageError

# Voices are kept below the home of lowvox.
pytestmark = pytest.mark.usefixtures("home")
LAYERS, HEADS, SIZE, LENGTH = 2, 2, 3, 4
FACTS = Facts(
    engine="pocket", version=1, upstream="4.0.1", weights="abc", rate=24000, frame=1920, latent=4, width=8,
    condition=8, flow="lsd", tokenizer=TokenizerFacts("sentencepiece", "tokenizer.model", 9),
    graphs={"backbone": GraphFacts("backbone.ort", cache=CacheFacts(LAYERS, HEADS, SIZE))},
)  # fmt: skip
NAME = "transformer.layers.{}.self_attn/{}"


def heard(length: int = LENGTH) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((LAYERS, 2, length, HEADS, SIZE)).astype(np.float32)


def theirs(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Write arrays as the package safetensors does."""
    kinds = {"float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "float64": "F64"}
    header, data = {}, b""
    for name, array in arrays.items():
        told = {"dtype": kinds[str(array.dtype)], "shape": array.shape}
        header[name] = {**told, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


def exported(spare: int = 3, kind: str = "float32") -> dict[str, NDArray[Any]]:
    """What pocket-tts keeps: room behind what was heard holds NaN."""
    found: dict[str, NDArray[Any]] = {}
    for layer, kept in enumerate(heard()):
        cache = np.full((2, 1, LENGTH + spare, HEADS, SIZE), np.nan, kind)
        cache[:, 0, :LENGTH] = kept
        found[NAME.format(layer, "cache")] = cache
        found[NAME.format(layer, "offset")] = np.array([LENGTH])
        found[NAME.format(layer, "pad")] = np.array([0])
    return found


def read(tmp_path: Path, data: bytes | dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    file = tmp_path / "voice.safetensors"
    file.write_bytes(data if isinstance(data, bytes) else theirs(data))
    return pocket_voice.read(file, FACTS)


def test_a_voice_is_the_same_again(tmp_path: Path) -> None:
    file = tmp_path / "one.safetensors"
    pocket_voice.write(file, heard(), FACTS)
    assert (pocket_voice.read(file, FACTS) == heard()).all()
    told = json.loads(file.read_bytes()[8 : 8 + struct.unpack("<Q", file.read_bytes()[:8])[0]])
    assert told["__metadata__"]["weights"] == "abc"
    assert told[NAME.format(1, "cache")]["shape"] == [2, 1, LENGTH, HEADS, SIZE]
    assert [path.name for path in tmp_path.iterdir()] == ["one.safetensors"]


def test_their_files_are_read(tmp_path: Path) -> None:
    assert (read(tmp_path, exported()) == heard()).all()
    assert np.allclose(read(tmp_path, exported(kind="float16")), heard(), atol=1e-2)
    old = {name: array for name, array in exported().items() if name.endswith("cache")}
    old |= {NAME.format(layer, "current_end"): np.zeros(LENGTH, np.float32) for layer in range(LAYERS)}
    assert (read(tmp_path, old) == heard()).all()


def another(change: dict[str, NDArray[Any] | None]) -> dict[str, NDArray[Any]]:
    return {name: array for name, array in (exported() | change).items() if array is not None}


@pytest.mark.parametrize(
    "change",
    [
        {NAME.format(1, "cache"): None},
        {NAME.format(2, "cache"): np.zeros((2, 1, LENGTH, HEADS, SIZE), np.float32)},
        {NAME.format(0, "cache"): np.zeros((2, 1, LENGTH, HEADS, SIZE + 1), np.float32)},
        {NAME.format(0, "cache"): np.zeros((2, 1, LENGTH, HEADS, SIZE), np.float64)},
    ],
)
def test_a_voice_of_another_model_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(DamagedError, match=r"is no voice of this model; make one from a recording"):
        read(tmp_path, another(change))


def test_a_voice_of_other_weights_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "one.safetensors"
    pocket_voice.write(file, heard(), msgspec.structs.replace(FACTS, weights="other"))
    with pytest.raises(DamagedError, match=r"no voice of this model"):
        pocket_voice.read(file, FACTS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({NAME.format(0, "offset"): np.array([0])}, "length"),
        ({NAME.format(0, "offset"): np.array([99])}, "length"),
        ({NAME.format(0, "offset"): np.array([-1])}, "length"),
        ({NAME.format(0, "offset"): np.array([LENGTH - 1])}, "length"),
        ({NAME.format(0, "pad"): np.array([1])}, "length"),
        ({NAME.format(0, "offset"): np.array([LENGTH + 1]), NAME.format(1, "offset"): np.array([LENGTH + 1])}, "NaN"),
    ],
)
def test_lengths_that_cannot_be_are_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(DamagedError, match=told):
        read(tmp_path, another(change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"\xff\xfe",
        struct.pack("<Q", 2) + b"{}",
        theirs({}) + b"x",
        struct.pack("<Q", 70) + b'{"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}        ',
        struct.pack("<Q", 70) + b'{"a": {"dtype": "F32", "shape": [-9], "data_offsets": [0, -36]}}      ',
        theirs(exported())[:-1],
        theirs(exported())[:60],
    ],
)
def test_what_is_damaged_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DamagedError):
        read(tmp_path, data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 700), st.binary(max_size=8))
def test_whatever_a_header_says_it_is_a_voice_or_one_sentence(tmp_path: Path, at: int, put: bytes) -> None:
    whole = theirs(exported())
    try:
        assert read(tmp_path, whole[:at] + put + whole[at + len(put) :]).shape == heard().shape
    except LowvoxError as error:
        assert "\n" not in str(error)


def test_voices_are_saved_listed_and_chosen(tmp_path: Path) -> None:
    own = tmp_path / "alba.safetensors"
    found = Layout(tmp_path, FACTS, {})
    with pytest.raises(UsageError, match=r"give reference"):
        pocket_voice.chosen(found, None)
    found = Layout(tmp_path, FACTS, {"alba": own})
    assert pocket_voice.chosen(found, None) == own
    saved = pocket_voice.save("me", heard(), FACTS)
    assert pocket_layout.known(found) == {"alba": own, "me": saved}
    assert pocket_voice.chosen(found, "me") == saved
    with pytest.raises(NotFoundError, match=r"no voice 'you'; there are alba, me"):
        pocket_voice.chosen(found, "you")
    other = Layout(tmp_path, msgspec.structs.replace(FACTS, weights="other"), {})
    assert pocket_layout.known(other) == {}


@pytest.mark.parametrize("name", ["", "../me", "a/b", ".me", "x" * 65, "a b"])
def test_names_that_are_no_files_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be called"):
        pocket_voice.save(name, heard(), FACTS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no voice file"):
        pocket_voice.read(tmp_path / "none.safetensors", FACTS)
    with pytest.raises(DamagedError, match=r"cannot be read"):
        pocket_voice.read(tmp_path, FACTS)
