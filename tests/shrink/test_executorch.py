"""Programs of ExecuTorch's, run by its own runtime: they give what ONNX Runtime gives, at every length."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, EngineError, LowvoxError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.executorch import graph as executorch_graph
from lowvox.shrink.executorch import layout as executorch_layout
from lowvox.shrink.executorch.graph import windowed
from onnx import TensorProto, helper, numpy_helper

if find_spec("executorch") is None or find_spec("torch") is None:
    pytest.skip("needs ExecuTorch, which is in the extra 'executorch' alone", allow_module_level=True)

with warnings.catch_warnings():  # of PyTorch and ExecuTorch, about their own future
    warnings.simplefilter("ignore")
    from lowvox.onnx import split as sidecars
    from lowvox.onnx.stages import stream
    from lowvox.shrink.executorch import voice as executorch_voice
    from lowvox.shrink.executorch.run import Program, of_program
    from lowvox.shrink.executorch.sentences import handed, opened
    from lowvox.shrink.trials import trial
    from lowvox.shrink.trials.measuring import measured
    from replicas import vits

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")


def decoder(path: Path, open_axis: bool = True) -> Path:
    """Write a decoder of two layers, 2 samples a frame; else one that adds a number to each place."""
    dice = np.random.default_rng(0)
    weights = {name: dice.standard_normal(shape) / 3 for name, shape in (("w", (8, 4, 5)), ("v", (8, 1, 4)))}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[2, 2]),
        helper.make_node("LeakyRelu", ["c"], ["l"], alpha=0.1),
        helper.make_node("ConvTranspose", ["l", "v"], ["d"], strides=[2], pads=[1, 1]),
        helper.make_node("Tanh", ["d"], ["y"]),
    ]
    if not open_axis:
        nodes = [
            helper.make_node("MatMul", ["x", "w"], ["s"]),
            helper.make_node("Softmax", ["s"], ["a"], axis=1),
            helper.make_node("Shape", ["x"], ["n"], start=1, end=2),
            helper.make_node("Squeeze", ["n"], ["m"]),
            helper.make_node("Range", ["zero", "m", "one"], ["r"]),
            helper.make_node("Cast", ["r"], ["f"], to=1),
            helper.make_node("Unsqueeze", ["f", "last"], ["u"]),
            helper.make_node("Add", ["a", "u"], ["y"]),
        ]
        weights = {"w": dice.standard_normal((4, 6))}
    held = [numpy_helper.from_array(each.astype(np.float32), name) for name, each in weights.items()]
    held += [numpy_helper.from_array(np.array(at, np.int64), name) for name, at in (("zero", 0), ("one", 1))]
    held += [numpy_helper.from_array(np.array([1], np.int64), "last")]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 4, "T"] if open_axis else ["B", "T", 4])
    graph = helper.make_graph(nodes, "decoder", [given], [helper.make_empty_tensor_value_info("y")], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


def drawn(length: int) -> dict[str, Any]:
    return {"x": np.random.default_rng(length).standard_normal((1, 4, length)).astype(np.float32)}


def expected(path: Path, given: dict[str, Any]) -> Any:
    session = Session(path)
    try:
        return session.run(given)[0]
    finally:
        session.close()


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"home"}


def test_a_graph_at_every_length(tmp_path: Path, home: Path) -> None:
    graph = decoder(tmp_path / "d.onnx")
    done = executorch_graph.lower(graph, tmp_path / "d.pte", 8)
    assert left(tmp_path) == {"d.onnx", "d.pte", "d.pte.json"}
    assert done.told == executorch_layout.read(done.path)
    assert (done.told.window, done.told.left, done.told.right, done.told.hop) == (8, 3, 3, 2)
    assert (done.inputs, done.size) == (2, (tmp_path / "d.pte").stat().st_size)
    assert done.difference < 1e-5
    program = Program(done.path)
    for length in (1, 2, 7, 8, 13, 14, 15, 40, 41):
        found = list(windowed(done.told, lambda cut: program.run(cut)[0], drawn(length)))
        assert np.concatenate(found, -1) == pytest.approx(expected(graph, drawn(length)), abs=1e-5)
    for given in (drawn(15), {"x": drawn(8)["x"].astype(np.float64)}, {"x": drawn(8)["x"][0]}):
        with pytest.raises(EngineError, match=r"takes 'x' as float32 \[1, 4, 14\], not as float"):
            program.run(given)
    with pytest.raises(EngineError, match="takes 'x', which is missing"):
        program.run({})
    program.close()
    with pytest.raises(EngineError, match="is closed"):
        program.run(drawn(3))


def test_a_graph_in_8_bits(tmp_path: Path, home: Path) -> None:
    graph, samples = decoder(tmp_path / "d.onnx"), tmp_path / "samples"
    samples.mkdir()
    for length in (5, *range(20, 30)):
        np.savez(samples / f"{length}.npz", **drawn(length))
    done = executorch_graph.lower(graph, tmp_path / "d.pte", 8, int8=True, samples=samples)
    assert done.told.precision == "int8"
    assert done.inputs == 10
    assert 25 < done.distance_db < 80
    program = Program(done.path)
    for length in (1, 3, 14):
        exact = expected(graph, drawn(length))
        assert np.linalg.norm(program.run(drawn(length))[0] - exact) < 0.1 * np.linalg.norm(exact)
    program.close()


def test_what_is_excluded_stays_in_floats(tmp_path: Path, home: Path) -> None:
    graph, samples = decoder(tmp_path / "d.onnx"), tmp_path / "samples.npz"
    np.savez(samples, x=np.concatenate([drawn(20)["x"]] * 4)[:, None])
    whole, some, none = (
        executorch_graph.lower(graph, tmp_path / f"{at}.pte", 8, int8=True, samples=samples, exclude=exclude)
        for at, exclude in enumerate([(), [first(graph)], ["Conv", "ConvTranspose"]])
    )
    assert whole.distance_db < some.distance_db < 80 < none.distance_db
    refused(
        UsageError, "no node or operator 'x' to leave in floats", tmp_path,
        graph, tmp_path / "n.pte", 8, int8=True, samples=samples, exclude=["x"],
    )  # fmt: skip


def first(graph: Path) -> str:
    """Return the name of a graph's first convolution."""
    return next(str(node.output[0]) for node in onnx.load(graph).graph.node if node.op_type == "Conv")


def test_a_graph_whose_numbers_follow_the_length(tmp_path: Path, home: Path) -> None:
    graph = decoder(tmp_path / "d.onnx", open_axis=False)
    done = executorch_graph.lower(graph, tmp_path / "d.pte", 6)
    assert done.told.inputs == (executorch_layout.Given("x", "float32", (1, 6, 4), 1, exact=True),)
    assert done.told.window == 0
    program = Program(done.path)
    with pytest.raises(EngineError, match="shorter ones by the ONNX graph"):
        program.run({"x": np.zeros((1, 5, 4), np.float32)})
    program.close()
    # Linear layers alone measure their own ranges.
    rounded = executorch_graph.lower(graph, tmp_path / "r.pte", 6, int8=True)
    assert rounded.distance_db > 25


def refused(kind: type[LowvoxError], says: str, folder: Path, *args: Any, **how: Any) -> None:
    before = left(folder)
    with pytest.raises(kind, match=says):
        executorch_graph.lower(*args, **how)
    assert left(folder) == before


def test_what_cannot_be_lowered(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, out = decoder(tmp_path / "d.onnx"), tmp_path / "d.pte"
    refused(UsageError, "real inputs to measure ranges on; name them: --samples", tmp_path, graph, out, 8, int8=True)
    (tmp_path / "short.npz").write_bytes(b"")
    np.savez(tmp_path / "short.npz", x=np.zeros((2, 1, 4, 3), np.float32))
    refused(
        UsageError, "No sample in .* is as long", tmp_path, graph, out, 8, int8=True, samples=tmp_path / "short.npz"
    )
    out.write_bytes(b"mine")
    refused(UsageError, "is there already", tmp_path, graph, out, 8)
    out.unlink()
    monkeypatch.setattr(executorch_graph, "furthest", lambda *_: 0.5)
    refused(EngineError, "differs from ONNX Runtime by 0.5", tmp_path, graph, out, 8)


def test_a_program_that_is_damaged(tmp_path: Path, home: Path) -> None:
    told = executorch_layout.Lowered("d.pte", (executorch_layout.Given("x", "float32", (1, 4, 8)),), ("y",), "fp32")
    executorch_layout.write(tmp_path / "d.pte", b"no program at all", told)
    with pytest.raises(DamagedError, match=r"d\.pte cannot be loaded"):
        Program(tmp_path / "d.pte")


def test_a_row_for_the_report(tmp_path: Path, home: Path) -> None:
    graph = decoder(tmp_path / "d.onnx")
    done = executorch_graph.lower(graph, tmp_path / "d.pte", 8)
    subjects = [trial.of_graph(graph, [done.sample], (1,)), of_program(done.path, done.sample)]
    (theirs,), (ours,) = measured(subjects, (1,), 2)
    assert (theirs.provider, ours.provider) == ("cpu", "executorch")
    assert (ours.variant, ours.batch, ours.runs) == ("d.pte", 1, 2)
    assert min(ours.load_s, ours.run_s, ours.first_output_s) > 0
    assert ours.peak_rss_mb > ours.size_mb > 0


def test_a_voice_in_windows(tmp_path: Path, home: Path) -> None:
    voice = vits.voice(tmp_path, vits2=True)
    out = tmp_path / "out"
    done = executorch_voice.lower(str(voice), out, 16)
    stem = voice.stem
    assert left(out) == {f"{stem}.{name}" for name in ("front.onnx", "decoder.pte", "decoder.pte.json", "lowered.json")}
    assert done.difference < 1e-4
    assert done.lengths[0] == 1
    with pytest.raises(UsageError, match="is there already"):
        executorch_voice.lower(str(voice), out, 16)
    told = sidecars.read(out / f"{stem}.lowered.json")
    whole = 16 + told.stages[0].left + told.stages[0].right
    given = handed(out, told, vits_feeds(30))
    frames = next(given[name].shape[axis] for name, axis in told.stages[0].along.items())
    assert frames > whole
    assert max(done.lengths) > whole
    with opened(out, told) as parts:
        sound = np.concatenate(list(stream(parts, given, 16)), -1)
    assert sound.size == frames * vits.HOP
    assert np.isfinite(sound).all()


def vits_feeds(symbols: int) -> dict[str, Any]:
    ids = np.random.default_rng(0).integers(3, 100, (1, symbols)).astype(np.int64)
    return {"input": ids, "input_lengths": np.array([symbols]), "scales": np.array([0.667, 1, 0], np.float32)}
