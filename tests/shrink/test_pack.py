"""Packed graphs give what they gave, and what cannot be packed leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, EngineError, NotFoundError, OutputError, UsageError
from lowvox.onnx.session import Session, write_mapped
from lowvox.shrink.shipping import pack as packing
from lowvox.shrink.shipping.pack import WEIGHTS, Form, pack
from onnx import helper, numpy_helper
from replicas import graphs, vits

FORMS: tuple[Form, ...] = ("ort", "weights")


@pytest.fixture
def stacks(tmp_path: Path) -> list[Path]:
    made = []
    for name, layers in (("one", 2), ("two", 4)):
        made.append(tmp_path / f"{name}.onnx")
        made[-1].write_bytes(graphs.stack(layers=layers))
    return made


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize("form", FORMS)
def test_several_graphs(stacks: list[Path], tmp_path: Path, form: Form) -> None:
    done = pack(stacks, tmp_path / "out", form)
    suffix = "ort" if form == "ort" else "onnx"
    assert left(tmp_path / "out") == {f"one.{suffix}", f"two.{suffix}", *([WEIGHTS] if form == "weights" else [])}
    assert done.before == sum(path.stat().st_size for path in stacks)
    assert done.after == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    assert done.saved == (2 * 4 * 64 * 64 if form == "weights" else 0)
    assert [file.inputs for file in done.files] == [3, 3]
    assert done.peak_before > 10 * 2**20
    assert done.peak_after > 10 * 2**20
    given = {"x": np.ones((5, 64), np.float32)}
    for graph, file in zip(stacks, done.files, strict=True):
        assert np.array_equal(Session(graph).run(given)[0], Session(done.folder / file.file).run(given)[0])


def test_a_voice_whose_inputs_are_guessed_and_whose_noise_is_random(tmp_path: Path) -> None:
    whole = vits.voice(tmp_path / "voice", "en_US-test-low", "text")
    done = pack([whole], tmp_path / "out")
    assert done.files[0].inputs == 3
    assert done.files[0].difference < 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_weights_that_lie_beside_are_counted_and_read(stacks: list[Path], tmp_path: Path, form: Form) -> None:
    first = pack(stacks, tmp_path / "out", "weights")
    again = pack([first.folder / "two.onnx"], tmp_path / "again", form)
    assert again.before == (first.folder / "two.onnx").stat().st_size + first.weights


def test_inputs_of_ones_own(stacks: list[Path], tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=np.ones((2, 64), np.float32), other=np.ones(1))
    assert pack(stacks[:1], tmp_path / "out", inputs=tmp_path / "in.npz").files[0].inputs == 1
    np.savez(tmp_path / "bad.npz", x=np.ones((2, 3), np.float32))
    with pytest.raises(EngineError, match="failed at work"):
        pack(stacks[:1], tmp_path / "new", inputs=tmp_path / "bad.npz")
    (tmp_path / "none.npz").write_bytes(b"no zip")
    with pytest.raises(DamagedError, match=r"not an \.npz of plain arrays"):
        pack(stacks[:1], tmp_path / "new", inputs=tmp_path / "none.npz")
    with pytest.raises(NotFoundError, match=r"no file .*gone\.npz"):
        pack(stacks[:1], tmp_path / "new", inputs=tmp_path / "gone.npz")
    assert not (tmp_path / "new").exists()


def test_what_would_differ_is_not_kept(stacks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_: Path, target: Path) -> None:
        other = onnx.load_from_string(graphs.stack(layers=2))
        other.graph.initializer[0].CopyFrom(
            numpy_helper.from_array(np.zeros((64, 64), np.float32), other.graph.initializer[0].name)
        )
        onnx.save(other, tmp_path / "other.onnx")
        write_mapped(tmp_path / "other.onnx", target)

    monkeypatch.setattr(packing, "write_mapped", wrong)
    with pytest.raises(DamagedError, match=r"one\.ort would differ from one\.onnx by .*; it was not kept"):
        pack(stacks[:1], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten_unasked(stacks: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    pack(stacks[:1], folder)
    (folder / "one.ort").write_bytes(b"mine")
    with pytest.raises(UsageError, match="is there already; --overwrite replaces it"):
        pack(stacks, folder)
    assert ((folder / "one.ort").read_bytes(), left(folder)) == (b"mine", {"one.ort"})
    pack(stacks, folder, overwrite=True)
    assert (folder / "one.ort").read_bytes() != b"mine"
    with pytest.raises(UsageError, match="would be overwritten"):
        pack(stacks, tmp_path, "weights", overwrite=True)


def test_what_cannot_be_packed(stacks: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "odd.onnx").write_bytes(b"nothing of the kind")
    (tmp_path / "empty.onnx").touch()
    for name in ("odd", "empty"):
        with pytest.raises(DamagedError, match="ONNX graph"):
            pack([tmp_path / f"{name}.onnx"], out)
    with pytest.raises(NotFoundError, match="no file"):
        pack([tmp_path / "gone.onnx"], out)
    with pytest.raises(UsageError, match="packed already"):
        pack([tmp_path / "x.ort"], out)
    with pytest.raises(UsageError, match="same name"):
        pack([stacks[0], stacks[0]], out)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        pack(stacks[:1], tmp_path / "file")
    assert not out.exists()


def test_inputs_that_nobody_can_guess(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["T", "C"]) for name in "xy"]
    weight = numpy_helper.from_array(np.ones((77, 77), np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), tmp_path / "odd.onnx"
    )
    with pytest.raises(UsageError, match=r"No inputs could be guessed that odd\.onnx takes; give some with --inputs"):
        pack([tmp_path / "odd.onnx"], tmp_path / "out")


def test_ctrl_c_leaves_nothing(stacks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "_compared", interrupted)
    (tmp_path / "there").mkdir()
    for folder in ("new", "there"):
        with pytest.raises(KeyboardInterrupt):
            pack(stacks, tmp_path / folder)
    assert not (tmp_path / "new").exists()
    assert left(tmp_path / "there") == set()
