"""`lowvox bench` and `lowvox shrink compare` on the models that come with lowvox, and on small graphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from lowvox.commands.bench import command as bench
from lowvox.commands.shrink_compare import compare
from lowvox.engines.lowvox_te import engine as lowvox_te
from lowvox.errors import DamagedError, NotFoundError, UsageError
from replicas import graphs

Run = Callable[..., tuple[Any, str, str]]
QUICK = ("--runs", 2, "--batch", "1")


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(command: click.Command, *arguments: object) -> tuple[Any, str, str]:
        status = command.main([str(one) for one in arguments], prog_name="lowvox", standalone_mode=False)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A graph, a smaller one that gives something else, and samples."""
    first, other, samples = tmp_path / "first.onnx", tmp_path / "other.onnx", tmp_path / "samples"
    first.write_bytes(graphs.stack(64, 4))
    other.write_bytes(graphs.stack(64, 3))
    samples.mkdir()
    for at in range(2):
        np.savez(samples / f"{at}.npz", x=np.full((3 + at, 64), 0.5, np.float32))
    return first, other, samples


def test_a_vad_has_a_row_for_each_batch(run: Run) -> None:
    _, out, _ = run(bench, "vad", "silero-vad", "--json", "--runs", 2, "--batch", "2,1")
    told = json.loads(out)
    assert [(row["variant"], row["batch"]) for row in told["rows"]] == [("silero-vad", 1), ("silero-vad", 2)]
    keys = {"size_mb", "load_s", "first_output_s", "rtf", "peak_rss_mb", "peak_uss_mb", "run_s", "spread_s", "quality"}
    assert keys <= set(told["rows"][0])
    assert told["rows"][0]["quality"]["metric"] == "agreement"
    assert told["verdict"] == []


def test_a_voice_with_its_page(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Good morning.\n")
    page = tmp_path / "voice.html"
    _, out, err = run(bench, "synthesizer", "lowvox-voice", *QUICK, "--text", text, "--html", page, "--markdown")
    assert out.startswith("| variant | batch |")
    assert "WER by pocketsphinx-en-us, 1 input)" in out
    assert f"Written to {page}." in err
    assert page.read_text("utf-8").count("<audio") == 1


def test_files_of_ones_own_in_a_built_in_model(run: Run, tmp_path: Path) -> None:
    """The same network twice is as good as itself."""
    own = tmp_path / "own.onnx"
    own.write_bytes((lowvox_te.SHIPPED / "lowvox-te.onnx").read_bytes())
    status, out, _ = run(compare, "lowvox-te", f"lowvox-te={own}", *QUICK, "--json")
    told = json.loads(out)
    (verdict,) = told["verdict"]
    assert verdict["variant"] == "own.onnx"
    checks = {check["name"]: check["passed"] for check in verdict["checks"]}
    assert checks["disk"] is None
    assert checks["quality"] is None  # nothing differs, but fifty sentences make 13 paragraphs
    assert verdict["passed"] is all(passed is not False for passed in checks.values())
    assert status == (0 if verdict["passed"] else 1)


def test_a_graph_that_gives_something_else_fails_and_names_the_layer(run: Run, pair: tuple[Path, Path, Path]) -> None:
    first, other, samples = pair
    status, out, _ = run(compare, first, other, *QUICK, "--samples", samples)
    assert status == 1
    assert "other.onnx: not worth having instead of the first." in out
    assert "✓ Smaller on disk" in out
    assert "✗ Too far" in out


def test_a_graph_alone(run: Run, pair: tuple[Path, Path, Path]) -> None:
    first, _, samples = pair
    _, out, _ = run(bench, "graph", first, *QUICK, "--samples", samples)
    assert out.splitlines()[1].startswith("first.onnx")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["vad", "silero-vad", "--batch", "0"], UsageError, "numbers from 1 with commas"),
        (["vad", "silero-vad", "--batch", "a"], UsageError, "not 'a'"),
        (["vad", "silero-vad", "--html", "page.txt"], UsageError, "does not end in it"),
        (["vad", "silero-vad", "--html", "nowhere/page.html"], NotFoundError, "There is no folder"),
        (["vad", "silero-vad", "silero-vad"], UsageError, "Two of the models are the same"),
        (["vad", "silero-vad", "--provider", "cdua"], UsageError, "no provider 'cdua'"),
        (["vad", "silerovad"], NotFoundError, "did you mean 'silero-vad'"),
        (["recognizer", "lowvox-te"], UsageError, "is a punctuator, and a recognizer is needed"),
        (["punctuator", "lowvox-te", "-l", "de"], UsageError, "name a file of 'de' with --text"),
        (["punctuator", "lowvox-te=none.onnx"], NotFoundError, "no file or folder none.onnx"),
        (["vad", "silero-vad", "--samples", "x"], UsageError, "--samples is for"),
        (["graph", "none.onnx"], UsageError, "with --samples"),
        (["graph", "none.onnx", "--samples", "x"], NotFoundError, "There is no file none.onnx"),
        (["graph", "none.onnx", "silero-vad", "--samples", "x"], UsageError, "compare graphs with graphs"),
        (["recognizer", "pocketsphinx-en-us", "--speech", "none"], NotFoundError, "There is no folder none"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    run: Run, arguments: list[str], error: type[Exception], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=said):
        run(bench, *arguments)


def test_models_of_one_role_are_compared(run: Run, pair: tuple[Path, Path, Path]) -> None:
    with pytest.raises(UsageError, match="compare models of one role"):
        run(compare, "silero-vad", "lowvox-te")
    first, other, samples = pair
    with pytest.raises(UsageError, match="Two of the graphs are the same"):
        run(compare, first, first, "--samples", samples)
    other.write_bytes(b"broken")
    with pytest.raises(DamagedError, match="is not an ONNX graph"):
        run(compare, other, first, *QUICK, "--samples", samples)


def test_graphs_that_decide_otherwise(run: Run, pair: tuple[Path, Path, Path]) -> None:
    first, other, samples = pair
    for at in range(2, 40):
        noise = np.random.default_rng(at).standard_normal((5, 64)).astype(np.float32)
        np.savez(samples / f"{at}.npz", x=noise)
    given = (first, other, "--samples", samples, *QUICK, "--json")
    status, out, _ = run(compare, *given, "--threshold", 0.1, "--decides", "y")
    told = json.loads(out)
    one, its = (row["quality"] for row in told["rows"])
    assert (one["metric"], one["value"], one["count"], one["by"]) == ("agreement", 100.0, 40, "first.onnx")
    assert its["value"] < 95
    assert its["worse"][0] > 0.5
    assert "dB" not in next(check for check in told["verdict"][0]["checks"] if check["name"] == "quality")["sentence"]
    assert status == 1
    status, out, _ = run(compare, first, first.parent / "other.onnx", *given[2:], "--threshold", 1e9)
    assert json.loads(out)["rows"][1]["quality"]["value"] == 100.0
    with pytest.raises(UsageError, match="no output 'z' to decide by; it gives y"):
        run(compare, *given, "--threshold", 0.5, "--decides", "z")
    with pytest.raises(UsageError, match="--decides is for --threshold"):
        run(compare, *given, "--decides", "y")
    with pytest.raises(UsageError, match=r"--threshold is for \.onnx and \.ort files"):
        run(bench, "vad", "silero-vad", *QUICK, "--threshold", 0.5)
