"""`lowvox shrink quantize` of a graph: what it keeps, what it refuses, and that nothing half-written stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx
from lowvox import commands
from lowvox.shrink.rounding import calibrate, graph_file
from lowvox.shrink.trials.variant import Check, Verdict
from replicas import graphs

GOOD = Verdict("it", (Check("disk", True, "Smaller on disk."),))
BAD = Verdict("it", (Check("disk", True, "Smaller on disk."), Check("speed", False, "Slower.")), ("Time: Conv.",))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A graph, six samples in `given` and two others in `others`; what is judged is good."""
    path = tmp_path / "decoder.onnx"
    path.write_bytes(graphs.decoder(16, 1))
    random = np.random.default_rng(0)
    for name, count in (("given", 6), ("others", 2)):
        (tmp_path / name).mkdir()
        for at in range(count):
            noise = random.standard_normal((1, graphs.LATENT, 9 + at), np.float32)
            np.savez(tmp_path / name / f"{at}.npz", z=noise)
    judged(monkeypatch, GOOD)
    return path


def judged(monkeypatch: pytest.MonkeyPatch, verdict: Verdict) -> None:
    monkeypatch.setattr(graph_file, "_judged", lambda *_: ((), verdict))


def run(*arguments: object) -> int:
    return commands._status(["shrink", "quantize", *map(str, arguments)])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_graph_is_rounded_and_made_again_by_its_recipe(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, "--samples", source.parent / "given", "--evaluate", source.parent / "others") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "100.0 % of the parameters rounded to 8 bits." in said.err
    assert "What rounding adds is " in said.err
    assert "Smaller on disk." in said.err
    made = source.with_name("decoder.int8.onnx")
    assert said.err.endswith(f"Written to {made}, its recipe beside it.\n")
    recipe = source.with_name("decoder.int8.recipe.json")
    assert files(source.parent) == {"decoder.onnx", "given", "others", made.name, recipe.name}
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(made).graph.node}
    again = source.with_name("again.onnx")
    assert run(source, "--recipe", recipe, "-o", again) == 0
    assert again.read_bytes() == made.read_bytes()
    assert again.with_suffix(".recipe.json").read_bytes() == recipe.read_bytes()
    assert "Not judged" in capsys.readouterr().err


def test_json_and_options(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--per-tensor", "--calibrate", "percentile", "--percentile", "99", "--exclude", "ConvTranspose")
    out = source.with_name("small.onnx")
    assert run(source, "--samples", source.parent / "given", *options, "--floor", "1", "-o", out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {
        *("path", "recipe", "whole_mb", "size_mb", "coverage", "nodes", "left", "signal_over_noise_db", "ranking"),
        *("rows", "verdict"),
    }
    assert found["path"] == str(out)
    assert len(found["left"]) == 1
    assert found["verdict"]["passed"] is True
    plan = json.loads(Path(found["recipe"]).read_text())["plan"]
    assert (plan["per_channel"], plan["calibrate"], plan["percentile"]) == (False, "percentile", 99)
    assert plan["floor"] == 1


def test_what_the_gate_refuses_is_kept_only_by_force(
    source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(monkeypatch, BAD)
    before = files(source.parent)
    assert run(source, "--method", "fp16", "--evaluate", source.parent / "others") == 1
    said = capsys.readouterr().err
    assert "Time: Conv." in said
    assert "lowvox: It is not worth having, and was not kept (--force keeps it): Slower." in said
    assert files(source.parent) == before
    assert run(source, "--method", "fp16", "--evaluate", source.parent / "others", "--force", "-q") == 0
    assert files(source.parent) == before | {"decoder.fp16.onnx", "decoder.fp16.recipe.json"}


def test_what_is_there_stays_without_overwrite(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.with_name("out.onnx")
    out.write_text("mine")
    given = (source, "--method", "fp16", "-o", out)
    assert run(*given) == 2
    assert "out.onnx is there already; say --overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run(*given, "--overwrite") == 0
    assert out.stat().st_size > 1000
    out.unlink()
    assert run(*given) == 2
    assert "out.recipe.json is there already" in capsys.readouterr().err


@pytest.mark.parametrize("overwrite", [True, False])
def test_ctrl_c_leaves_nothing(source: Path, overwrite: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    out = source.with_name("out.onnx")
    if overwrite:
        out.write_text("mine")
    before = files(source.parent)

    def interrupted(*_: Any) -> Any:
        assert files(source.parent) != before  # something is being written
        raise KeyboardInterrupt

    given = (source, "--samples", source.parent / "given", "-o", out, *(["--overwrite"] if overwrite else []))
    for owner, name in ((calibrate, "ranges"), (graph_file, "_judged")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupted)
            assert run(*given) == 130
        assert files(source.parent) == before
    assert not overwrite or out.read_text() == "mine"


def test_refusals(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "given"
    bad = tmp_path / "bad"
    bad.mkdir()
    np.savez(bad / "1.npz", z=np.full((1, graphs.LATENT, 5), np.nan, np.float32))
    text = tmp_path / "text.onnx"
    text.write_text("text")
    before = files(tmp_path)
    for arguments, status, says in (
        ((source,), 2, "Ranges are measured on samples: name a folder of them with --samples."),
        ((source, "--samples", given, "--evaluate", given), 2, "6 of the samples"),
        ((source, "--samples", bad), 2, "1.npz: 'z' has values that are no numbers"),
        ((source, "--samples", tmp_path / "none"), 4, "There is no file or folder"),
        ((source, "--samples", given, "-o", tmp_path / "no" / "a.onnx"), 4, "There is no folder"),
        ((source, "--samples", given, "-o", tmp_path / "given"), 2, "is a folder; name a file"),
        ((source, "--samples", given, "-o", source, "--overwrite"), 2, "is the graph itself"),
        ((source, "--samples", given, "--exclude", "Cov"), 2, "no node or operator 'Cov'"),
        ((source, "--method", "dynamic"), 2, "has no product with weights"),
        ((source, "--percentile", "99"), 2, "--percentile is for --calibrate percentile"),
        ((source, "--samples", given, "--name", "x"), 2, "--name and --onnx are for voices"),
        ((source, "--recipe", tmp_path / "none"), 4, "There is no recipe"),
        ((source, "--recipe", text, "--samples", given), 2, "leave out --samples"),
        ((text, "--samples", given), 4, "text.onnx is not an ONNX graph, or is cut"),
        ((tmp_path / "none.onnx", "--samples", given), 4, "There is no file"),
    ):
        assert run(*arguments) == status, arguments
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") <= 3  # a wrong option brings the usage with it
        assert files(tmp_path) == before


def test_an_unwritable_folder(
    source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(graph_file, "TemporaryDirectory", full)
    before = files(source.parent)
    assert run(source, "--method", "fp16") == 1
    assert "could not be written (No space left on device)" in capsys.readouterr().err
    assert files(source.parent) == before


def test_it_is_measured_in_processes_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """The gate itself: 16 bits take half of the disk; what it says of memory and time of so small a graph may vary."""
    path = tmp_path / "stack.onnx"
    path.write_bytes(graphs.stack(64, 2))
    np.savez(tmp_path / "all.npz", x=np.random.default_rng(0).standard_normal((3, 5, 64), np.float32))
    assert run(path, "--method", "fp16", "--evaluate", tmp_path / "all.npz", "--force", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    first, row = found["rows"]
    assert row["size_mb"] < 0.6 * first["size_mb"]
    assert row["distance_db"] == pytest.approx(found["signal_over_noise_db"], abs=0.01)
    checks = {check["name"]: check["passed"] for check in found["verdict"]["checks"]}
    assert checks["disk"] is checks["quality"] is True


def test_a_graph_that_decides_is_judged_by_its_decisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    path = tmp_path / "stack.onnx"
    path.write_bytes(graphs.stack(64, 2))
    np.savez(tmp_path / "all.npz", x=np.random.default_rng(0).standard_normal((40, 5, 64), np.float32))
    given = (path, "--method", "fp16", "--evaluate", tmp_path / "all.npz", "--force", "--json", "--overwrite")
    assert run(*given, "--threshold", "0.2") == 0
    found = json.loads(capsys.readouterr().out)
    first, row = (row["quality"] for row in found["rows"])
    assert (first["metric"], first["value"], first["count"]) == ("agreement", 100.0, 40)
    assert 99 < row["value"] <= 100
    assert row["by"] == "stack.onnx"
    assert run(*given, "--threshold", "0.2", "--decides", "no") == 2
    assert "no output 'no' to decide by" in capsys.readouterr().err
    assert run(path, "--text", path, "--samples", path) == 2
    assert "--text and --no-words are for voices" in capsys.readouterr().err
