"""The one door to ONNX Runtime: nothing else in lowvox imports it.

Its telemetry writes below the home folder and is on unless the environment forbids it before the first import; asking
it later to stop is too late for what it has written. Knows nothing of models and sessions.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

import lowvox

if TYPE_CHECKING:
    from types import ModuleType


def telemetry_off() -> bool:
    """Whether ONNX Runtime was, or would be, imported with its telemetry forbidden."""
    return os.environ.get("ORT_DISABLE_TELEMETRY") == "1" and not lowvox.onnxruntime_came_first


def runtime() -> ModuleType:
    """Import ONNX Runtime and return it; warns where its telemetry began before lowvox could forbid it."""
    # Somebody may have cleaned the environment since `import lowvox` set this.
    if "onnxruntime" not in sys.modules:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    onnxruntime = import_module("onnxruntime")
    if not telemetry_off():
        onnxruntime.disable_telemetry_events()
        warnings.warn(
            "onnxruntime was imported without ORT_DISABLE_TELEMETRY=1: its telemetry is off from here on, but it has "
            "already written below the home folder. Import lowvox first, or set that variable.",
            RuntimeWarning,
            stacklevel=2,
        )
    return onnxruntime


def quantization() -> ModuleType:
    """Return ONNX Runtime's own tools that round weights; they need the package onnx.

    For benchmarks alone, which compare with them: lowvox rounds by `lowvox.shrink.rounding`.
    """
    runtime()
    return import_module("onnxruntime.quantization")
