"""What ONNX Runtime says becomes one sentence, of the right kind: real graphs that fail, and what it says of memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lowvox.errors import DamagedError, EngineError
from lowvox.onnx.failure import told
from lowvox.onnx.session import Session
from onnx import TensorProto, helper, save_model
from replicas import graphs


def model(operator: str = "Relu", kind: int = TensorProto.FLOAT, opset: int = 17, ir: int = 8) -> bytes:
    values = [helper.make_tensor_value_info(name, kind, ["n"]) for name in "xy"]
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "graph", values[:1], values[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return bytes(made.SerializeToString())


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (model(ir=99), r"it is newer than the installed onnxruntime"),
        (model(opset=99), r"it is newer than the installed onnxruntime"),
        (model("Unheard"), r"cannot compute: update that"),
        (model("Sin", TensorProto.INT64), r"cannot be loaded"),
        (model("Erf", TensorProto.BFLOAT16), r"cannot compute: update that"),
    ],
)
def test_what_is_not_damaged_is_not_called_so(graph: bytes, says: str) -> None:
    with pytest.raises((EngineError, DamagedError), match=says) as caught:
        Session(graph)
    text = str(caught.value)
    assert (type(caught.value) is EngineError) == ("onnxruntime" in text)
    assert text.startswith("The graph cannot be loaded (")
    assert text.endswith(".")
    assert "\n" not in text
    assert "[ONNXRuntimeError]" not in text


def test_weights_that_belong_beside_it_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    whole: Any = helper.make_model(helper.make_graph([], "", [], []))
    whole.ParseFromString(graphs.stack())
    save_model(whole, path, save_as_external_data=True, location="voice.weights", size_threshold=0)
    Session(path).close()
    (tmp_path / "voice.weights").unlink()
    with pytest.raises(DamagedError, match=r"its weights belong into a file beside it: copy that as well\.$"):
        Session(path)


@pytest.mark.parametrize("said", ["std::bad_alloc", "Failed to allocate memory for requested buffer of size 9"])
def test_no_more_memory_is_not_called_damage(said: str) -> None:
    error = told(DamagedError, "x.onnx cannot be loaded", RuntimeError(said), "copy it again")
    assert type(error) is EngineError
    assert str(error) == (
        "x.onnx cannot be loaded: there was no more memory for it; close something or take a smaller model."
    )


def test_an_error_without_words_has_its_name() -> None:
    assert str(told(EngineError, "x failed", KeyError(), "try")) == "x failed (KeyError); try."
