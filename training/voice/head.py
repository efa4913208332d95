"""Frames to sound: the very code that the package speaks with, found beside this checkout's scripts."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from lowvox.engines.lowvox_voice.head import (
    ALPHA,
    BANDS,
    CEPSTRA,
    HOP,
    PITCH,
    RATE,
    VOICING,
    WIDTH,
    Head,
    cosines,
)

__all__ = ["ALPHA", "BANDS", "CEPSTRA", "HOP", "PITCH", "RATE", "VOICING", "WIDTH", "Head", "cosines"]
