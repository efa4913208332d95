"""ONNX Runtime comes in with its telemetry off, in fresh processes with an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
onnxruntime = lowvox.onnx.runtime()
import onnxruntime.datasets
session = onnxruntime.InferenceSession(onnxruntime.datasets.get_example("sigmoid.onnx"))
"""


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def python(code: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_written_and_nothing_said(empty: Path) -> None:
    result = python(f"import lowvox.onnx\n{RUN}\nassert lowvox.onnx.telemetry_off()", empty)
    assert (result.returncode, result.stderr) == (0, "")
    assert list(empty.iterdir()) == []


def test_importing_it_first_is_warned_of(empty: Path) -> None:
    # ONNX Runtime takes "true" as well, so that no test switches telemetry on; lowvox only trusts what is documented.
    code = f"import onnxruntime, lowvox.onnx\n{RUN}\nassert not lowvox.onnx.telemetry_off()"
    result = python(code, empty, ORT_DISABLE_TELEMETRY="true")
    assert result.returncode == 0
    assert "RuntimeWarning: onnxruntime was imported without ORT_DISABLE_TELEMETRY=1" in result.stderr


def test_importing_it_first_with_the_variable_is_fine(empty: Path) -> None:
    result = python(f"import onnxruntime, lowvox.onnx\n{RUN}", empty, ORT_DISABLE_TELEMETRY="1")
    assert (result.returncode, result.stderr) == (0, "")
    assert list(empty.iterdir()) == []


def test_a_cleaned_environment_is_set_again(empty: Path) -> None:
    result = python(f"import os, lowvox.onnx\nos.environ.clear()\nos.environ['HOME'] = {str(empty)!r}\n{RUN}", empty)
    assert (result.returncode, result.stderr) == (0, "")
    assert list(empty.iterdir()) == []
