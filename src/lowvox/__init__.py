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
import sys
from typing import TYPE_CHECKING

# An application may have imported it first, with its telemetry on; `lowvox.onnx` and `lowvox doctor` say so.
onnxruntime_came_first = "onnxruntime" in sys.modules and os.environ.get("ORT_DISABLE_TELEMETRY") != "1"
# ONNX Runtime reads this once, at its first import: set here, it holds in every process that lowvox starts or runs in.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"

__all__ = [
    "Audio",
    "Budget",
    "BudgetError",
    "DamagedError",
    "DeviceError",
    "DownloadError",
    "EngineError",
    "Event",
    "LowvoxError",
    "MemoryReport",
    "NotFoundError",
    "OutputError",
    "Segment",
    "Speech",
    "Transcript",
    "UsageError",
    "Word",
    "WorkerDiedError",
    "dictate",
    "in_thread",
    "punctuate",
    "say",
    "transcribe",
]

if TYPE_CHECKING:
    from lowvox.concurrency import in_thread
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
    from lowvox.speech import Speech, dictate, punctuate, say, transcribe
    from lowvox.types import Audio, Event, MemoryReport, Segment, Transcript, Word

_HOMES = {
    "Budget": "memory.budget",
    "in_thread": "concurrency",
    **dict.fromkeys(("Speech", "dictate", "punctuate", "say", "transcribe"), "speech"),
    **dict.fromkeys(("Audio", "Event", "MemoryReport", "Segment", "Transcript", "Word"), "types"),
}


def __getattr__(name: str) -> object:
    """Fetch a public name from its home, once."""
    if name not in __all__:
        raise AttributeError(f"module 'lowvox' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(f"lowvox.{_HOMES.get(name, 'errors')}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    """Show the public names."""
    return [*__all__, "__version__"]
