"""`lowvox shrink`: what it asks for, says and leaves behind. The conversion itself is tested in tests/shrink."""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from lowvox import commands, models
from lowvox.engines.silero_te.engine import SileroTe
from lowvox.errors import EngineError
from lowvox.models import installed
from lowvox.shrink.export import torchscript
from lowvox.shrink.parity import Parity
from lowvox.shrink.silero_te import convert as shrinking
from lowvox.types import Profile
from replicas import te_folder

if TYPE_CHECKING:
    from pathlib import Path

EXACT, AS_RUN = Parity(60, 14_560, 0, 4.8e-6, 9.5e-7), Parity(60, 14_560, 3, 0.16, 4.8e-7)


@pytest.fixture
def converting(monkeypatch: pytest.MonkeyPatch, home: Path) -> list[tuple[object, ...]]:
    """Conversions that take no PyTorch and no time: each writes the stand-in of a result, and is noted."""
    asked: list[tuple[object, ...]] = []

    def export(file: Path, folder: Path, tokenizer: Path | None = None) -> shrinking.Converted:
        asked.append((file.name, tokenizer and tokenizer.name))
        return shrinking.Converted(te_folder.build(folder, {"end": te_folder.STOP}), 2 << 20, 15, 329, EXACT, AS_RUN)

    monkeypatch.setattr(shrinking, "export", export)
    return asked


def run(*arguments: str) -> int:
    return commands._status(["shrink", "export", "silero-te", *arguments])


def left(home: Path) -> set[str]:
    return {path.name for folder in ("cache", "data/models") for path in (home / folder).glob("*")}


def test_it_ends_in_an_installed_model(
    converting: list[tuple[object, ...]], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("te_model_jit.pt", "--tokenizer", "te_tokenizer_jit.pt") == 0
    assert converting == [("te_model_jit.pt", "te_tokenizer_jit.pt")]
    said = capsys.readouterr()
    assert said.out == ""
    assert "not for commercial use" in said.err
    assert "Compared on 60 inputs: 14560 of 14560 classes are the same, logits differ by 5e-06 at most" in said.err
    assert "As both run: 14557 of 14560 classes are the same, logits differ by 0.2 at most" in said.err
    (found,) = installed()
    assert (found.name, found.engine, found.languages) == ("silero-te", "silero-te", ("de", "en", "es", "ru"))
    assert found.problem is None
    assert said.err.endswith(f"Installed silero-te (2 MB) in {found.path}.\n")
    assert left(home) == {"silero-te"}
    chosen = models.find("punctuator", "ru", "silero-te")
    assert SileroTe().load(chosen, Profile()).open(language="ru").label([["end"]])[0][0].mark == "."


def test_json(converting: list[tuple[object, ...]], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("v2_4lang_q.pt", "--name", "mine", "--json", "-q") == 0
    said = capsys.readouterr()
    assert said.err == ""
    found = json.loads(said.out)
    assert found.keys() == {"name", "path", "size_mb", "int8_layers", "pieces", "licence", "parity"}
    assert (found["name"], found["size_mb"], found["int8_layers"], found["pieces"]) == ("mine", 2.0, 15, 329)
    assert found["parity"] == {
        "exact": {"inputs": 60, "classes": 14560, "differing": 0, "max_difference": 4.8e-6, "closest": 9.5e-7},
        "as_run": {"inputs": 60, "classes": 14560, "differing": 3, "max_difference": 0.16, "closest": 4.8e-7},
    }


def test_into_a_folder_that_pull_installs(
    converting: list[tuple[object, ...]], home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my-te"
    assert run("v2_4lang_q.pt", "-o", str(folder)) == 0
    assert f"Written to {folder} (2 MB); `lowvox pull {folder}` installs it." in capsys.readouterr().err
    assert left(home) == set()
    assert commands._status(["pull", str(folder)]) == 0
    assert [(found.name, found.engine) for found in installed()] == [("my-te", "silero-te")]
    assert commands._status(["rm", "my-te", "--yes"]) == 0


def test_what_fails_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise EngineError("The converted model does not give what its original gives; nothing was written.")

    monkeypatch.setattr(shrinking, "export", fail)
    assert run("v2_4lang_q.pt") == 1
    assert capsys.readouterr().err.endswith("nothing was written.\n")
    assert left(home) == set()


def test_without_pytorch(monkeypatch: pytest.MonkeyPatch, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torchscript, "find_spec", lambda _: None)
    assert run("v2_4lang_q.pt") == 4
    assert "needs more than is installed (torch and onnx): run `" in capsys.readouterr().err


def test_refusals(
    monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torchscript, "find_spec", lambda _: object())
    (tmp_path / "junk.pt").write_bytes(b"junk")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for arguments, status, says in (
        ((str(tmp_path / "none.pt"),), 4, "There is no file"),
        ((str(tmp_path / "junk.pt"),), 4, "not even a zip archive"),
        ((str(tmp_path / "junk.pt"), "-o", str(tmp_path / "full")), 2, "is there already"),
        ((), 2, "Missing argument 'FILE'"),
    ):
        assert run(*arguments) == status
        said = capsys.readouterr()
        assert said.out == ""
        assert says in said.err
        assert "Traceback" not in said.err
    assert left(home) == set()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert "lowvox shrink export silero-te v2_4lang_q.pt" in said
    assert "from a source that you trust" in " ".join(said.split())
    assert commands._status(["shrink", "--help"]) == 0
    assert "lowvox[shrink]" in capsys.readouterr().out


@pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch, which is in the extra 'shrink' alone")
def test_from_the_released_file_to_punctuated_text(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():  # of PyTorch, about its own future
        warnings.simplefilter("ignore")
        from replicas import silero_te as replica

        file = replica.package(tmp_path / "v2_4lang_q.pt")
        assert run(str(file), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parity"]["exact"]["differing"] == 0
    chosen = models.find("punctuator", "en", "silero-te")
    (labels,) = SileroTe().load(chosen, Profile()).open(language="en").label([["hello", "how", "are", "you"]])
    assert len(labels) == 4
