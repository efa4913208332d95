"""`lowvox shrink quantize`: an installed voice beside itself, a file into a folder, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lowvox import commands, models
from lowvox.engines.piper.engine import Piper
from lowvox.models import install, installed, store
from lowvox.onnx import split
from lowvox.shrink.rounding import calibrate
from lowvox.shrink.rounding import recipe as recipes
from lowvox.shrink.trials.variant import Check, Row, Verdict
from lowvox.shrink.voices import voice_blame, voice_gate
from lowvox.shrink.voices.voice_gate import Finding
from lowvox.types import Profile
from replicas import vits, vosk_tts

NAME = "en_US-test-low"


GOOD = Verdict("it", (Check("disk", True, "Smaller on disk."), Check("quality", None, "Undecided.")))
BAD = Verdict("it", (Check("disk", True, "Smaller on disk."), Check("speed", False, "Slower.")))
ROW = Row("it", 1, "cpu", 1, 1.0, 0.1, 0.1, 0.1, (0.1, 0.1), 0.1, 50.0, 30.0, 6)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A voice, too small to gain anything by being rounded; what is judged is good."""
    judged(monkeypatch, GOOD)
    return vits.voice(tmp_path / "voices", NAME, "text")


def judged(patch: pytest.MonkeyPatch, verdict: Verdict) -> None:
    def finding(*_: Any) -> Finding:
        return Finding((ROW, ROW), verdict, "Judged by its output.")

    patch.setattr(voice_gate, "judged", finding)
    patch.setattr(voice_blame, "blamed", lambda told, _, words: replace(told, blame=("Time: in the decoder.",)))


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
    assert f"{NAME}.decoder.ort: rounding adds noise " in said.err
    assert "Judged by its output.\nSmaller on disk.\nUndecided.\n" in said.err
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
    assert found.keys() == {"name", "path", "whole_mb", "parts", "rows", "verdict"}
    assert [row["variant"] for row in found["rows"]] == ["it", "it"]
    assert found["verdict"]["passed"] is True
    assert (found["name"], found["path"]) == (None, str(folder))
    front, flow, decoder = found["parts"]
    assert front["file"] == f"{NAME}.front.onnx"
    assert (front["noise_db"], front["recipe"], front["nodes"]) == (None, None, 0)  # nothing in it is large
    assert all(-80 < part["noise_db"] < -10 for part in (flow, decoder))
    assert decoder["recipe"] == f"{NAME}.decoder.recipe.json"
    assert (folder / decoder["recipe"]).exists()
    assert commands._status(["pull", str(folder), "--name", "mine"]) == 0
    assert len(spoken("mine")) > 10_000
    assert run(str(file), "-o", str(folder)) == 2
    assert "is not empty; name a new folder." in capsys.readouterr().err


def test_a_voice_of_vosk_tts_keeps_what_lies_beside_it(home: Path, file: Path, tmp_path: Path) -> None:
    install.bring(vosk_tts.voice(tmp_path / "vosk-model-tts-ru-test", "v3"))
    assert run("vosk-model-tts-ru-test", "--name", "small") == 0
    found = next(one for one in installed() if one.name == "small")
    assert (found.engine, found.problem) == ("vosk-tts", None)
    names = {path.relative_to(found.path).as_posix() for path in store.files(found.path)}
    assert {"model.split.json", "model.decoder.ort", "bert/model.onnx", "bert/vocab.txt", "dictionary"} <= names
    assert not names & {"model.onnx", "model.decoder.onnx"}


def test_recipes_of_what_was_installed_make_it_again(
    home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install.bring(file)
    assert run(NAME) == 0
    there = next(one for one in installed() if one.name == f"{NAME}-int8")
    assert there.problem is None
    monkeypatch.setattr(voice_gate, "judged", None)  # nobody calls it
    assert run(NAME, "--recipe", str(there.path), "--onnx", "-o", str(tmp_path / "again")) == 0
    assert "Not judged, since it was made by recipes" in capsys.readouterr().err
    for path in there.path.glob("*.recipe.json"):
        again = tmp_path / "again" / path.name
        assert again.read_bytes() == path.read_bytes()
        graph = again.with_name(f"{path.name.removesuffix('.recipe.json')}.onnx")
        assert recipes.digest(graph.read_bytes()) == recipes.read(path).result
    assert run(str(file), "--recipe", str(there.path), "--name", "once-more") == 0
    assert spoken("once-more") == spoken(there.name)
    before = {path.name for path in tmp_path.iterdir()}
    other = vits.voice(tmp_path / "other", NAME, "text", seed=1)
    for arguments, status, says in (
        ((str(other), "--recipe", str(there.path), "-o", str(tmp_path / "out")), 2, "they are for another voice"),
        ((NAME, "--recipe", str(tmp_path)), 4, "There are no recipes in"),
        ((NAME, "--recipe", str(tmp_path / "nowhere")), 4, "There is no folder"),
        ((NAME, "--recipe", str(there.path), "--floor", "30"), 2, "leave out --floor"),
    ):
        assert run(*arguments) == status
        assert says in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == before | {"other"}


def test_what_the_gate_refuses_is_kept_only_by_force(
    home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install.bring(file)
    judged(monkeypatch, BAD)
    assert run(NAME) == 1
    said = capsys.readouterr().err
    assert "Slower.\nTime: in the decoder.\n" in said
    assert "lowvox: It is not worth having, and was not kept (--force keeps it): Slower." in said
    assert "Installed" not in said
    assert [one.name for one in installed()] == [NAME]
    assert run(str(file), "-o", str(tmp_path / "out"), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["path"], found["verdict"]["passed"]) == (None, None, False)
    assert not (tmp_path / "out").exists()
    assert run(NAME, "--force", "-q") == 0
    assert {one.name for one in installed()} == {NAME, f"{NAME}-int8"}


def test_the_gate_itself_on_a_voice_that_gains_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What holds the parts takes more than so few weights."""
    path = vits.voice(tmp_path / "voices", NAME, "text")
    assert run(str(path), "--name", "small", "--no-words", "--json") == 1
    said = capsys.readouterr()
    found = json.loads(said.out)
    first, row = found["rows"]
    assert (first["variant"], row["variant"], first["batch"]) == (f"{NAME}.onnx", "small", 1)
    assert row["distance_db"] == -max(part["noise_db"] for part in found["parts"][1:])
    checks = {check["name"]: check["passed"] for check in found["verdict"]["checks"]}
    assert (checks["disk"], checks["quality"]) == (False, True)
    assert any(line.startswith("Size: ") for line in found["verdict"]["blame"])
    assert "It is not worth having, and was not kept (--force keeps it): Larger on disk: " in said.err
    assert installed() == []


def test_ctrl_c_leaves_nothing(home: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    for owner, name in ((calibrate, "ranges"), (voice_gate, "judged")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupted)
            assert run(str(file), "-o", str(tmp_path / "out")) == 130
            assert run(str(file)) == 130
    assert not (tmp_path / "out").exists()
    assert [*(home / "cache").iterdir()] == []
    assert installed() == []


def test_what_words_need(home: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = tmp_path / "few.txt"
    few.write_text("One sentence.\n")
    for arguments, status, says in (
        ((str(file), "--text", str(few)), 2, "has 1 sentences; 30 or more tell something, or say --no-words."),
        ((str(file), "--text", str(tmp_path / "none")), 4, "There is no text file"),
        ((str(file), "--overwrite"), 2, "--overwrite is for graphs"),
    ):
        assert run(*arguments) == status
        assert says in capsys.readouterr().err


def test_the_graph_of_a_vosk_tts_voice_brings_its_folder(home: Path, file: Path, tmp_path: Path) -> None:
    folder = vosk_tts.voice(tmp_path / "vosk-model-tts-ru-test", "v3")
    assert run(str(folder / "model.onnx"), "-o", str(tmp_path / "out")) == 0
    assert store.recognise(tmp_path / "out") == "vosk-tts"


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
