"""Exporting networks of PyTorch's: what comes out gives the same, and what cannot is refused in one sentence."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import onnx
from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.export import module as export_module
from lowvox.shrink.export import source as export_source
from lowvox.shrink.export.inputs import several
from lowvox.shrink.export.onnx_graph import export

pytest.importorskip("torch", reason="needs PyTorch, which is in the extra 'shrink' alone")

with warnings.catch_warnings():  # of PyTorch, about its own future
    warnings.simplefilter("ignore")
    import torch
    from torch import nn

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")
MEL, LENGTHS = several(["mel:float32:B,4,T"]), (9, 20, 33)
CODE = """
import torch
from torch import nn
from torch.nn.utils import weight_norm
from torch.nn.utils.parametrizations import weight_norm as newer

class Vocoder(nn.Module):
    def __init__(self, channels=8, new=False):
        super().__init__()
        norm = newer if new else weight_norm
        self.first = norm(nn.Conv1d(4, channels, 3, padding=1))
        self.wide = norm(nn.ConvTranspose1d(channels, 2, 4, 2, 1))
        self.last = nn.Conv1d(2, 1, 3, padding=1)

    def forward(self, mel):
        return torch.tanh(self.last(torch.relu(self.wide(torch.relu(self.first(mel))))))

class Broken(nn.Module):
    def __init__(self):
        raise ValueError("no such card")

number = 3
"""


class Plain(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.utils.weight_norm(nn.Conv1d(4, 3, 3, padding=1))

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        made = self.layer(mel)
        return made, made.argmax(1)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "their_models.py").write_text(CODE)
    monkeypatch.delitem(sys.modules, "their_models", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


def built(code: Path, **arguments: Any) -> Any:
    sys.modules.pop("their_models", None)
    torch.manual_seed(0)
    return export_module.built("their_models:Vocoder", arguments, code)


def saved(module: Any, path: Path) -> Path:
    torch.manual_seed(0)
    torch.jit.script(module.eval()).save(str(path))
    return path


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# What comes out.


@pytest.mark.parametrize("new", [False, True])
def test_a_class_with_a_checkpoint(code: Path, tmp_path: Path, new: bool) -> None:
    torch.save({"step": 3, "generator": built(code, new=new).state_dict()}, tmp_path / "g.pt")
    module = built(code, new=new, channels=8)
    export_module.load(module, tmp_path / "g.pt", "generator")
    with torch.no_grad():
        expected = module(torch.ones(1, 4, 70)).numpy()
    folded = export_module.folded(module)
    found = export(export_source.of_module(module, "Vocoder", MEL, LENGTHS, folded=folded), tmp_path / "v.onnx")
    assert (found.folded, found.opset, found.random.inputs) == (2, 17, 3)
    assert found.operators == {"Conv": 2, "Relu": 2, "ConvTranspose": 1, "Tanh": 1}
    assert found.random.share < 1e-5
    assert [shapes["mel"] for shapes in found.random.shapes] == [(2, 4, 9), (1, 4, 20), (3, 4, 33)]
    session = Session(tmp_path / "v.onnx")
    assert session.inputs == ("mel",)
    assert session.outputs == ("output",)
    assert session.run({"mel": np.ones((1, 4, 70), np.float32)})[0] == pytest.approx(expected, abs=1e-6)
    session.close()
    assert left(tmp_path) == {"code", "g.pt", "v.onnx"}


def test_torchscript_with_weight_norm_in_it(tmp_path: Path) -> None:
    file = saved(torch.jit.trace(Plain(), torch.ones(1, 4, 9)), tmp_path / "plain.pt")
    source = export_source.torch_script(file, MEL, LENGTHS, 15)
    (tmp_path / "samples").mkdir()
    np.savez(tmp_path / "samples" / "a.npz", mel=np.ones((1, 4, 41), np.float32))
    found = export(source, tmp_path / "p.onnx", ["sound", "best"], tmp_path / "samples")
    assert found.opset == 15
    assert found.real is not None
    assert found.real.shapes == ({"mel": (1, 4, 41)},)
    assert found.operators["Conv"] == 1
    assert "Sqrt" not in found.operators
    assert "ReduceL2" not in found.operators
    session = Session(tmp_path / "p.onnx")
    assert session.outputs == ("sound", "best")
    session.close()


def test_a_program_of_torch_export(code: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs the package onnxscript")
    length = torch.export.Dim("length", min=2, max=64)
    program = torch.export.export(built(code, new=True), (torch.ones(1, 4, 9),), dynamic_shapes=({2: length},))
    torch.export.save(program, tmp_path / "v.pt2")
    found = export(export_source.of_program(tmp_path / "v.pt2", (9, 100)), tmp_path / "v.onnx")
    assert [shapes["mel"] for shapes in found.random.shapes] == [(1, 4, 9), (1, 4, 64)]
    assert found.opset == 18
    assert found.random.share < 1e-5
    assert found.operators["Conv"] == 2
    assert left(tmp_path) == {"code", "v.pt2", "v.onnx"}


def test_weights_beside_the_graph(tmp_path: Path) -> None:
    source = export_source.of_module(nn.Linear(40, 40), "line", several(["x:float32:B,40"]), LENGTHS)
    export(source, tmp_path / "l.onnx", largest=4000)
    assert left(tmp_path) == {"l.onnx", "l.onnx.data"}
    session = Session(tmp_path / "l.onnx")
    assert session.run({"x": np.zeros((5, 40), np.float32)})[0].shape == (5, 40)
    session.close()
    assert [each.name for each in onnx.load(tmp_path / "l.onnx").graph.initializer] == ["weight", "bias"]


# What is refused.


def refused(kind: type[LowvoxError], says: str, folder: Path, source: Any, **how: Any) -> None:
    before = left(folder)
    with pytest.raises(kind, match=says):
        export(source, folder / "out.onnx", **how)
    assert left(folder) == before


class Odd(nn.Module):  # type: ignore[misc]
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, mel: torch.Tensor) -> Any:
        if self.kind == "bessel":
            return torch.special.bessel_j0(mel)
        if self.kind == "noise":
            return mel + torch.randn_like(mel)
        if self.kind == "nothing":
            return None
        if self.kind == "by length":
            return mel * 2 if mel.shape[2] < 15 else mel * 3
        return mel[:, :, :9] + mel


@pytest.mark.parametrize(
    ("what", "kind", "says"),
    [
        ("bessel", DamagedError, r"Odd cannot be exported: .*special_bessel_j0 in set 17"),
        ("noise", UsageError, "gives something else each time: it draws random numbers"),
        ("nothing", UsageError, "gives no tensor"),
        ("by length", EngineError, r"does not give what its original gives \(output 'output', by 0\.3 of its largest"),
        ("fixed", UsageError, r"Odd does not take inputs of float32 \[1, 4, 20\]"),
    ],
)
def test_a_network_that_cannot_be_exported(what: str, kind: type[LowvoxError], says: str, tmp_path: Path) -> None:
    source = export_source.of_module(Odd(what), "Odd", MEL, LENGTHS)
    refused(kind, says, tmp_path, source)


def test_a_program_with_an_operator_that_onnx_does_not_know(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs the package onnxscript")
    torch.export.save(torch.export.export(Odd("bessel"), (torch.ones(1, 4, 9),)), tmp_path / "o.pt2")
    source = export_source.of_program(tmp_path / "o.pt2", LENGTHS)
    refused(DamagedError, r"o\.pt2 cannot be exported: .*bessel_j0", tmp_path, source)


def test_numbers_and_names_that_do_not_fit(tmp_path: Path) -> None:
    def source(opset: int | None = None) -> Any:
        return export_source.of_module(Plain().eval(), "Plain", MEL, LENGTHS, opset)

    refused(UsageError, "gives 2 outputs, and 1 are named", tmp_path, source(), outputs=["one"])
    with pytest.raises(UsageError, match="from 13 to 20, not with 7"):
        source(7)
    (tmp_path / "out.onnx").write_bytes(b"mine")
    refused(UsageError, "is there already", tmp_path, source())
    (tmp_path / "out.onnx").unlink()
    refused(
        EngineError, "0 is allowed", tmp_path, export_source.of_module(nn.Softmax(1), "S", MEL, LENGTHS), tolerance=0
    )


def test_files_that_are_something_else(code: Path, tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("hello")
    torch.save({"w": torch.ones(2)}, tmp_path / "weights.pt")
    whole = saved(nn.Conv1d(4, 2, 1), tmp_path / "whole.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    for name, says in (("text", "is no PyTorch file"), ("weights", "holds no TorchScript"), ("cut", "is cut")):
        with pytest.raises(DamagedError, match=says):
            export_source.torch_script(tmp_path / f"{name}.pt", MEL, LENGTHS)
    with pytest.raises(NotFoundError, match="There is no file"):
        export_source.torch_script(tmp_path / "none.pt", MEL, LENGTHS)
    module = built(code)
    for name, kind, says in (
        ("none", NotFoundError, "There is no file"),
        ("text", DamagedError, "PyTorch cannot read|holds more than weights"),
        ("cut", DamagedError, "is cut"),
        ("weights", UsageError, r"missing: first\.bias, .* and \d more; too many: w"),
    ):
        with pytest.raises(kind, match=says):
            export_module.load(module, tmp_path / f"{name}.pt")
    pytest.importorskip("onnxscript", reason="needs the package onnxscript")
    for name, says in (("text", "is no program"), ("whole", "as a program")):
        with pytest.raises(DamagedError, match=says):
            export_source.of_program(tmp_path / f"{name}.pt", LENGTHS)


def test_checkpoints_that_do_not_fit(code: Path, tmp_path: Path) -> None:
    file = tmp_path / "g.pt"
    torch.save(built(code, channels=6).state_dict(), file)
    with pytest.raises(UsageError, match=r"does not fit Vocoder: size mismatch for first\."):
        export_module.load(built(code), file)
    with pytest.raises(UsageError, match=r"has nothing at 'generator'; at the top it has first\.bias"):
        export_module.load(built(code), file, "generator")
    torch.save({"step": 3, "state_dict": {f"module.{k}": v for k, v in built(code).state_dict().items()}}, file)
    export_module.load(built(code), file)
    torch.save({"step": 3}, file)
    with pytest.raises(UsageError, match=r"is no state_dict; say where it is in it with --key \(step\)"):
        export_module.load(built(code), file)
    torch.save(built(code), file)
    with pytest.raises(DamagedError, match="holds more than weights, which would run code"):
        export_module.load(built(code), file)


def test_classes_that_are_not_there(code: Path) -> None:
    for where, kind, says in (
        ("their_models", UsageError, "write PACKAGE.MODULE:CLASS"),
        ("no_such_models:Vocoder", UsageError, "There is no module 'no_such_models'"),
        ("their_models:Nothing", UsageError, "has no class 'Nothing'"),
        ("their_models:number", UsageError, "has no class 'number'"),
        ("their_models:Broken", UsageError, r"cannot be made \(no such card\)"),
        ("builtins:dict", UsageError, "gives dict, not a torch.nn.Module"),
    ):
        with pytest.raises(kind, match=says):
            export_module.built(where, {}, code)
    with pytest.raises(UsageError, match=r"cannot be made .*depth"):
        export_module.built("their_models:Vocoder", {"depth": 3}, code)
    with pytest.raises(NotFoundError, match="There is no folder"):
        export_module.built("their_models:Vocoder", {}, code / "no")
