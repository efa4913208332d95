"""Written whole or not at all, with the weights beside it where they are too many. Needs no PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import onnx
from lowvox.errors import NotFoundError, OutputError, UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.export import write as writing
from onnx import TensorProto, helper, numpy_helper


def model(count: int = 2000) -> onnx.ModelProto:
    made = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [count])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [count])],
        [numpy_helper.from_array(np.arange(count, dtype=np.float32), "w")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def put(out: Path, most: int = writing.LARGEST) -> None:
    writing.refuse(out, overwrite=True)
    with writing.near(out) as lent:
        writing.write(model(), lent, out.name, most)
        writing.publish(lent, out)


def runs(path: Path) -> bool:
    session = Session(path)
    try:
        return bool(session.run({"x": np.zeros(2000, np.float32)})[0][7] == 7)
    finally:
        session.close()


def test_weights_lie_beside_it_where_they_are_too_many(tmp_path: Path) -> None:
    out = tmp_path / "sum.onnx"
    put(out)
    assert {path.name for path in tmp_path.iterdir()} == {"sum.onnx"}
    put(out, most=4000)
    assert {path.name for path in tmp_path.iterdir()} == {"sum.onnx", "sum.onnx.data"}
    assert out.stat().st_size < 1000
    assert runs(out)
    put(out)
    assert {path.name for path in tmp_path.iterdir()} == {"sum.onnx"}
    assert runs(out)


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "sum.onnx").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"sum\.onnx is there already; add --overwrite"):
        writing.refuse(tmp_path / "sum.onnx", overwrite=False)
    with pytest.raises(UsageError, match="is a folder; name a file"):
        writing.refuse(tmp_path, overwrite=True)


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in the middle"), writing.near(tmp_path / "sum.onnx") as lent:
        writing.write(model(), lent, "sum.onnx")
        raise ValueError("in the middle")
    assert not list(tmp_path.iterdir())
    with pytest.raises(NotFoundError, match="There is no folder"), writing.near(tmp_path / "no" / "sum.onnx"):
        pass
    with pytest.raises(OutputError, match="could not be written"), writing.near(Path("/proc/sum.onnx")):
        pass
