"""`lowvox shrink quantize`: an installed voice beside itself, a file into a folder, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lowvox import commands, models
from lowvox.engines.piper.engine import Piper
from lowvox.models import install, installed, store
from lowvox.onnx import split
from lowvox.types import Profile
from replicas import vits, vosk_tts

NAME = "en_US-test-low"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return vits.voice(tmp_path / "voices", NAME, "text")


def run(*arguments: str) -> int:
    return commands._status(["shrink", "quantize", *arguments])


def spoken(name: str) -> memoryview:
    resident = Piper().load(models.find("synthesizer", "en", name), Profile(window=9))
    return memoryview(b"".join(resident.open(noise=0, noise_w=0).speak("Hello there, how are you?"))).cast("h")


def test_an_installed_voice_stays_beside_the_new_one(
    home: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install.bring(file)
    assert run(NAME) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{NAME}.decoder.ort: rounding adds noise at -" in said.err
    assert f"Installed {NAME}-int8 in " in said.err
    before, after = installed()
    assert (before.name, after.name, after.engine, after.problem) == (NAME, f"{NAME}-int8", "piper", None)
    receipt = store.receipt_of(after.path)
    assert receipt is not None
    assert receipt.source == str(before.path / f"{NAME}.onnx")
    assert split.read(after.path / f"{NAME}.split.json").packed
    assert {path.name for path in (home / "cache").glob("*")} <= {"models"}
    whole, rounded = spoken(NAME), spoken(f"{NAME}-int8")
    assert rounded != whole
    assert len(rounded) == len(whole)


def test_json_and_a_folder_that_pull_installs(
    home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "parts"
    assert run(str(file), "-o", str(folder), "--onnx", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"name", "path", "whole_mb", "parts"}
    assert (found["name"], found["path"]) == (None, str(folder))
    front, flow, decoder = found["parts"]
    assert (front["file"], front["noise_db"]) == (f"{NAME}.front.onnx", None)
    assert all(-80 < part["noise_db"] < -10 for part in (flow, decoder))
    assert commands._status(["pull", str(folder), "--name", "mine"]) == 0
    assert len(spoken("mine")) > 10_000
    assert run(str(file), "-o", str(folder)) == 2
    assert "is not empty; name a new folder." in capsys.readouterr().err


def test_a_voice_of_vosk_tts_keeps_what_lies_beside_it(home: Path, tmp_path: Path) -> None:
    install.bring(vosk_tts.voice(tmp_path / "vosk-model-tts-ru-test", "v3"))
    assert run("vosk-model-tts-ru-test", "--name", "small") == 0
    found = next(one for one in installed() if one.name == "small")
    assert (found.engine, found.problem) == ("vosk-tts", None)
    names = {path.relative_to(found.path).as_posix() for path in store.files(found.path)}
    assert {"model.split.json", "model.decoder.ort", "bert/model.onnx", "bert/vocab.txt", "dictionary"} <= names
    assert not names & {"model.onnx", "model.decoder.onnx"}


def test_refusals(home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, status, says in (
        (("nothing",), 4, "There is no voice 'nothing', installed or on disk"),
        ((str(file), "-o", str(tmp_path / "out"), "--name", "x"), 2, "--name is for a voice that is installed"),
        ((str(file), "--name", "a/b"), 2, "A model cannot be called 'a/b'"),
        ((), 2, "Missing argument 'MODEL'"),
    ):
        assert run(*arguments) == status
        assert says in capsys.readouterr().err
    assert installed() == []
    assert not (tmp_path / "out").exists()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "lowvox shrink quantize en_US-amy-medium" in capsys.readouterr().out
