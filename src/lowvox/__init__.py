"""lowvox: speech in the RAM you have.

    import lowvox

    print(lowvox.transcribe("talk.flac").text)
    lowvox.say("All of it stays on this machine.", "out.wav")

    with lowvox.Speech(budget="300 MB", language="en") as speech:
        for event in speech.dictate():
            print(event.text)

Importing this package loads neither numpy nor ONNX Runtime: each name below is fetched when it is first used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# ONNX Runtime reads this once, at its first import: set here, it holds in every process that lowvox starts or runs in.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lowvox.errors import (
        BudgetError,
        DamagedError,
        DeviceError,
        DownloadError,
        EngineError,
        LowvoxError,
        NotFoundError,
        OutputError,
        UsageError,
        WorkerDiedError,
    )
    from lowvox.memory.budget import Budget
    from lowvox.speech import Speech, in_thread, say, transcribe
    from lowvox.types import Audio, Event, MemoryReport, Segment, Transcript, Word

_HOMES = {
    "Audio": "types",
    "Budget": "memory.budget",
    "BudgetError": "errors",
    "DamagedError": "errors",
    "DeviceError": "errors",
    "DownloadError": "errors",
    "EngineError": "errors",
    "Event": "types",
    "LowvoxError": "errors",
    "MemoryReport": "types",
    "NotFoundError": "errors",
    "OutputError": "errors",
    "Segment": "types",
    "Speech": "speech",
    "Transcript": "types",
    "UsageError": "errors",
    "Word": "types",
    "WorkerDiedError": "errors",
    "in_thread": "speech",
    "say": "speech",
    "transcribe": "speech",
}

__all__ = list(_HOMES)  # noqa: PLE0604  # the names are the strings above


def __getattr__(name: str) -> object:
    """Fetch a public name from its home, once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lowvox' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"lowvox.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    """Show the public names."""
    return [*__all__, "__version__"]
