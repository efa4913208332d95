"""What is a Piper voice on disk, and what is missing of one; and how it comes into the store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lowvox import models
from lowvox.engines.piper.layout import layout
from lowvox.errors import DamagedError, NotFoundError
from lowvox.models import install, installed, store
from lowvox.shrink.voices import voice as voices
from replicas import vits
from replicas.kaldi import build

NAME = "ru_RU-test-low"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a voice in it, and in `split` the same in parts."""
    path = vits.voice(tmp_path_factory.mktemp("voices") / "whole", NAME, "text")
    voices.split(str(path), path.parent.parent / "split")
    return path.parent.parent


@pytest.fixture
def whole(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "whole", tmp_path / "voice"))


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "split", tmp_path / "parts"))


def test_a_voice_is_two_files(whole: Path) -> None:
    (whole / "MODEL_CARD").write_text("trained on nothing")
    found = layout(whole)
    assert (found.graph, found.split, found.languages) == (whole / f"{NAME}.onnx", False, ("ru-ru", "ru"))
    assert store.recognise(whole) == "piper"


def test_or_its_parts(parts: Path) -> None:
    assert {file.name for file in parts.iterdir()} == {
        f"{NAME}.{rest}" for rest in ("onnx.json", "split.json", "front.ort", "flow.ort", "decoder.ort")
    }
    found = layout(parts)
    assert (found.graph, found.split) == (parts / f"{NAME}.onnx", True)
    assert store.recognise(parts) == "piper"


@pytest.mark.parametrize("lost", ["front.ort", "flow.ort", "decoder.ort"])
def test_a_part_that_is_missing_or_empty_is_named(parts: Path, lost: str) -> None:
    (parts / f"{NAME}.{lost}").write_bytes(b"")
    with pytest.raises(DamagedError, match=rf"{lost} missing or empty"):
        layout(parts)
    (parts / f"{NAME}.{lost}").unlink()
    with pytest.raises(DamagedError, match=rf"{lost} missing or empty"):
        layout(parts)


def test_a_graph_that_is_missing_is_named(whole: Path) -> None:
    (whole / f"{NAME}.onnx").unlink()
    with pytest.raises(DamagedError, match=f"{NAME}.onnx missing"):
        store.recognise(whole)


def test_a_voice_without_its_json_says_which(whole: Path) -> None:
    (whole / f"{NAME}.onnx.json").unlink()
    with pytest.raises(DamagedError, match=f"copy {NAME}.onnx.json beside {NAME}.onnx"):
        store.recognise(whole)


def test_several_voices_are_not_one(whole: Path) -> None:
    vits.voice(whole, "de_DE-test-low", "text")
    with pytest.raises(DamagedError, match=r"holds several voices; give the file of one \(de_DE-test-low.onnx, ru_RU"):
        layout(whole)


def test_something_else(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing", build(tmp_path / "vosk")):
        with pytest.raises(NotFoundError, match="no Piper voice"):
            layout(folder)


def test_a_sidecar_that_is_none(parts: Path) -> None:
    sidecar = parts / f"{NAME}.split.json"
    told = json.loads(sidecar.read_text())
    for content in ("", "{}", json.dumps(told | {"front": "../../evil"}), json.dumps(told | {"version": 2})):
        sidecar.write_text(content)
        with pytest.raises(DamagedError, match="split the voice again"):
            layout(parts)


def test_pulling_a_file_brings_what_belongs_to_it_and_no_more(whole: Path, home: Path) -> None:
    vits.voice(whole, "de_DE-test-low", "text")
    found = install.bring(whole / f"{NAME}.onnx")
    assert (found.name, found.engine, found.languages, found.problem) == (NAME, "piper", ("ru-ru", "ru"), None)
    assert {file.name for file in store.files(found.path)} == {f"{NAME}.onnx", f"{NAME}.onnx.json"}
    assert found.sha256
    assert installed() == [found]
    assert models.find("synthesizer", "ru").name == NAME
    assert install.bring(whole / f"{NAME}.onnx", "irina").name == "irina"


def test_pulling_a_folder(parts: Path, home: Path) -> None:
    found = install.bring(parts, "mine")
    assert (found.name, found.engine, found.languages, found.problem) == ("mine", "piper", ("ru-ru", "ru"), None)
    assert models.find("synthesizer", "ru", "mine").path == found.path


def test_pulling_a_file_without_its_json_leaves_nothing(whole: Path, home: Path) -> None:
    (whole / f"{NAME}.onnx.json").unlink()
    with pytest.raises(DamagedError, match=f"copy {NAME}.onnx.json beside {NAME}.onnx"):
        install.bring(whole / f"{NAME}.onnx")
    assert installed() == []
    assert list((home / "data" / "models").iterdir()) == []


def test_a_voice_put_there_by_hand(whole: Path, home: Path) -> None:
    shutil.copytree(whole, store.folder() / NAME)
    (found,) = installed()
    assert (found.engine, found.languages, found.problem) == ("piper", ("ru-ru", "ru"), None)
