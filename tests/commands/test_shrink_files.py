"""`lowvox shrink pack` and `lowvox shrink operators`, as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lowvox import commands
from replicas import graphs

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    (tmp_path / "stack.onnx").write_bytes(graphs.stack())
    return tmp_path / "stack.onnx"


def run(*arguments: object) -> int:
    return commands._status(["shrink", *map(str, arguments)])


def test_pack_says_what_came_of_it(graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pack", graph, "-o", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "stack.onnx (0.06 MB) -> stack.ort (0.07 MB): the same bit by bit on 3 inputs" in said.err
    assert "A process that loads all of it peaks at" in said.err
    assert run("pack", graph, "-o", tmp_path / "out") == 2
    assert run("pack", graph, "-o", tmp_path / "other", "--form", "weights", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["form"], told["saved_bytes"], told["files"][0]["identical"]) == ("weights", 0, True)
    assert told["bytes_after"] == sum(path.stat().st_size for path in (tmp_path / "other").iterdir())
    assert told["load_peak_rss_mb_after"] > 10


def test_operators_are_listed(graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("operators", graph) == 0
    text = capsys.readouterr().out
    assert "# - stack.onnx" in text
    assert 'MatMul{"inputs": {"0": ["float"]}}' in text
    assert run("operators", graph, "-o", tmp_path / "list.config", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (tmp_path / "list.config").read_text() == text
    assert {"domain": "ai.onnx", "opset": 13, "name": "MatMul", "types": '{"inputs": {"0": ["float"]}}'} in told[
        "operators"
    ]


def test_what_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("operators", "nosuch") == 4
    assert run("operators", "silero-vad") == 4
    assert run("pack", tmp_path / "gone.onnx", "-o", tmp_path / "out") == 4
    assert run("pack", "-o", tmp_path / "out") == 2
    assert "lowvox: There is no file" in capsys.readouterr().err
