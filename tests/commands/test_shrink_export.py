"""`lowvox shrink export torchscript|module|program` and `lower`: what they ask for, refuse and say."""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lowvox import commands
from lowvox.commands.shrink_export import _argument
from lowvox.errors import UsageError
from lowvox.shrink.executorch import layout as executorch_layout
from lowvox.shrink.export import torchscript

if TYPE_CHECKING:
    from pathlib import Path

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="needs PyTorch, which is in the extra 'shrink' alone"
)


def run(*arguments: object) -> int:
    return commands._status(["shrink", *map(str, arguments)])


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (torchscript, executorch_layout):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name in ("torch", "executorch") else "there")


@pytest.mark.parametrize("kind", ["torchscript", "module", "program"])
def test_without_pytorch_the_command_that_brings_it_is_named(
    without: None, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", kind, "models:Vocoder", "-o", tmp_path / "out.onnx") == 4
    said = capsys.readouterr().err
    assert "more than is installed (torch): run `" in said
    assert "pip install 'lowvox[shrink]'`" in said
    assert not list(tmp_path.iterdir())


def test_lowering_needs_executorch(without: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "g.onnx").write_bytes(b"graph")
    assert run("lower", tmp_path / "g.onnx", "-o", tmp_path / "out.pte") == 4
    said = capsys.readouterr().err
    assert "(torch and executorch): run `" in said
    assert "pip install 'lowvox[executorch]'`" in said
    assert {path.name for path in tmp_path.iterdir()} == {"g.onnx"}


def test_a_voice_brings_its_own_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lower", "some-voice", "--samples", tmp_path) == 2
    assert "A voice brings its own sentences" in capsys.readouterr().err


def test_arguments_of_a_class() -> None:
    assert _argument("channels=512") == ("channels", 512)
    assert _argument("rates=[8, 8, 2]") == ("rates", [8, 8, 2])
    assert _argument("kind=wide") == ("kind", "wide")
    for text in ("channels", "=3", "a-b=3"):
        with pytest.raises(UsageError, match="is not an argument; write NAME=JSON"):
            _argument(text)


@pytest.mark.parametrize("kind", ["torchscript", "module", "program"])
def test_the_help_says_that_code_runs(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", kind, "--help") == 0
    assert "source that you trust" in " ".join(capsys.readouterr().out.split())


@needs_torch
@pytest.mark.filterwarnings("ignore")
def test_a_torchscript_file(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        torch.jit.script(torch.nn.Conv1d(4, 2, 3)).save(str(tmp_path / "c.pt"))
    np.savez(tmp_path / "real.npz", mel=np.ones((2, 1, 4, 30), np.float32))
    out = tmp_path / "c.onnx"
    wanted = ["export", "torchscript", tmp_path / "c.pt", "-o", out, "--input", "mel:float32:1,4,T"]
    assert run(*wanted, "--samples", tmp_path / "real.npz", "--lengths", "5,9") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "c.onnx: 0.0 MB, set 17 of operators: 1 Conv." in said.err
    assert "Compared on 2 random inputs: 0 apart at most" in said.err or "random inputs: " in said.err
    assert "Compared on 2 real inputs: " in said.err
    assert run(*wanted) == 2
    assert "is there already; add --overwrite" in capsys.readouterr().err
    assert run(*wanted, "--overwrite", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {*told} == {"path", "size_mb", "opset", "operators", "folded", "parity"}
    assert told["parity"]["random"]["inputs"] == 3
    assert run(*wanted[:-2], "--overwrite") == 2
    assert "Say what the network takes: --input" in capsys.readouterr().err
