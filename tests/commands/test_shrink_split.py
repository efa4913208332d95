"""`lowvox shrink split`: an installed voice in its place, a file into a folder, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lowvox import commands, models
from lowvox.engines.piper.engine import Piper
from lowvox.models import install, installed, store
from lowvox.shrink.voices import voice as voices
from lowvox.types import Profile
from replicas import vits
from replicas.kaldi import build

NAME = "en_US-test-low"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return vits.voice(tmp_path / "voices", NAME, "text")


def run(*arguments: str) -> int:
    return commands._status(["shrink", "split", *arguments])


def spoken(name: str) -> bytes:
    resident = Piper().load(models.find("synthesizer", "en", name), Profile(window=9))
    return b"".join(resident.open(noise=0, noise_w=0).speak("Hello there, how are you?"))


def left(home: Path) -> set[str]:
    return {path.name for folder in ("cache", "data/models") for path in (home / folder).glob("*")}


def test_an_installed_voice_is_split_in_its_place(home: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = install.bring(file)
    whole = spoken(NAME)
    assert run(NAME) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{NAME}.front.ort (0.1 MB) sees a whole sentence." in said.err
    assert "looks 8 frames back and 8 ahead; a frame becomes 1 of what it gives." in said.err
    assert "a frame becomes 256 of what it gives." in said.err
    assert "Together they differ from the whole by " in said.err
    (found,) = installed()
    assert (found.name, found.engine, found.languages, found.problem) == (NAME, "piper", ("en-us", "en"), None)
    assert (found.sha256, store.receipt_of(found.path).source) == (before.sha256, str(file))  # type: ignore[union-attr]
    assert not (found.path / f"{NAME}.onnx").exists()
    assert left(home) == {NAME}
    assert (
        max(
            abs(one - other)
            for one, other in zip(memoryview(whole).cast("h"), memoryview(spoken(NAME)).cast("h"), strict=True)
        )
        <= 1
    )
    assert run(NAME) == 2
    assert "is split already; `lowvox pull` it again" in capsys.readouterr().err


def test_json_and_a_folder_that_pull_installs(
    home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "parts"
    assert run(str(file), "-o", str(folder), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"name", "path", "whole_mb", "parts", "difference"}
    assert (found["name"], found["path"]) == (None, str(folder))
    assert 0 <= found["difference"] <= 1e-5
    front, flow, decoder = found["parts"]
    assert front == {
        "file": f"{NAME}.front.ort",
        "size_mb": front["size_mb"],
        "left": None,
        "right": None,
        "hop": None,
    }
    assert (flow["left"], flow["right"], flow["hop"]) == (8, 8, 1)
    assert decoder["hop"] == 256
    assert commands._status(["pull", str(folder), "--name", "mine"]) == 0
    assert len(spoken("mine")) > 10_000
    assert run("mine", "-q") == 2


def test_beside_the_whole_and_again(home: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(file), "-o", str(file.parent)) == 0
    assert f"`lowvox pull {file.parent}` installs it." in capsys.readouterr().err
    assert run(str(file), "-o", str(file.parent)) == 0
    assert file.exists()
    assert commands._status(["pull", str(file)]) == 0
    assert {one.name for one in store.files(installed()[0].path)} == {one.name for one in file.parent.iterdir()}


def test_an_installed_voice_into_a_folder_stays_as_it_is(home: Path, file: Path, tmp_path: Path) -> None:
    install.bring(file)
    assert run(NAME, "-o", str(tmp_path / "parts")) == 0
    assert (installed()[0].path / f"{NAME}.onnx").exists()
    assert store.recognise(tmp_path / "parts") == "piper"


def test_refusals(home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install.bring(build(tmp_path / "vosk-model-small-de-9"))
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    (tmp_path / "junk.onnx.json").write_bytes(file.with_name(f"{NAME}.onnx.json").read_bytes())
    (tmp_path / "alone.onnx").write_bytes(file.read_bytes())
    out = str(tmp_path / "out")
    for arguments, status, says in (
        (("nothing",), 4, "There is no voice 'nothing', installed or on disk"),
        ((str(file),), 2, "Say where the parts go: -o FOLDER"),
        (("vosk-model-small-de-9",), 4, "holds no voice of Piper's or vosk-tts's"),
        ((str(tmp_path / "junk.onnx"), "-o", out), 4, "is not an ONNX graph"),
        ((str(tmp_path / "alone.onnx"), "-o", out), 4, "copy it beside the .onnx"),
        ((), 2, "Missing argument 'VOICE'"),
    ):
        assert run(*arguments) == status
        said = capsys.readouterr()
        assert said.out == ""
        assert says in said.err
        assert "Traceback" not in said.err


def test_what_fails_leaves_the_voice_as_it_was(home: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lowvox.shrink.voices import split

    install.bring(file)
    monkeypatch.setattr(split, "TOLERANCE", -1)
    assert run(NAME) == 4
    assert (installed()[0].path / f"{NAME}.onnx").exists()
    assert left(home) == {NAME}


def test_without_onnx(
    home: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(voices, "find_spec", lambda _: None)
    assert run(str(file)) == 4
    assert "needs the package onnx: run `" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "lowvox shrink split en_US-amy-medium" in capsys.readouterr().out


def test_a_voice_of_vosk_tts_with_all_that_lies_beside_it(home: Path, tmp_path: Path) -> None:
    from replicas import vosk_tts

    install.bring(vosk_tts.voice(tmp_path / "vosk-model-tts-ru-test", "v3"))
    (before,) = installed()
    assert run(before.name) == 0
    (found,) = installed()
    assert (found.engine, found.problem) == ("vosk-tts", None)
    names = {file.relative_to(found.path).as_posix() for file in store.files(found.path)}
    assert {"model.split.json", "model.decoder.ort", "bert/model.onnx", "bert/vocab.txt", "dictionary"} <= names
    assert "model.onnx" not in names


def test_parts_for_other_tools(file: Path, tmp_path: Path) -> None:
    assert run(str(file), "-o", str(tmp_path / "parts"), "--onnx", "-q") == 0
    names = {part.name for part in (tmp_path / "parts").iterdir()}
    assert {f"{NAME}.front.onnx", f"{NAME}.flow.onnx", f"{NAME}.decoder.onnx"} <= names
    assert not any(name.endswith(".ort") for name in names)
