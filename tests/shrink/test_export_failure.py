"""What the exporter stumbled over, out of the pages that it says. Needs no PyTorch."""

from __future__ import annotations

import pytest

from lowvox.shrink.export.failure import first, operator

SCRIPT = (
    "Exporting the operator 'aten::special_bessel_j0' to ONNX opset version 17 is not supported. Please feel free to"
)
PROGRAM = (
    "Failed to convert the exported program to an ONNX model.\n<class 'DispatchError'>: No ONNX function found for "
    "<OpOverload(op='aten.special_bessel_j0', overload='default')>. Failure message: No decompositions registered\n"
)
TRACEBACK = (
    "The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript (latest call last):\n"
    '  File "code/__torch__.py", line 9, in forward\nRuntimeError: mat1 and mat2 shapes cannot be multiplied\n'
)


@pytest.mark.parametrize(
    ("said", "names"),
    [(SCRIPT, r"operator aten::special_bessel_j0 in set 17"), (PROGRAM, r"operator aten\.special_bessel_j0;")],
)
def test_the_operator_is_named(said: str, names: str) -> None:
    outer = RuntimeError("it failed")
    outer.__cause__ = ValueError(said)
    for error in (RuntimeError(said), outer):
        with pytest.raises(AssertionError, match=names):
            raise AssertionError(operator(error))


def test_the_line_that_says_something() -> None:
    assert first(ValueError("one. \ntwo")) == "one"
    assert first(RuntimeError(TRACEBACK)) == "RuntimeError: mat1 and mat2 shapes cannot be multiplied"
    assert first(KeyError()) == "KeyError"
    assert operator(ValueError("x" * 300)) == "x" * 200
