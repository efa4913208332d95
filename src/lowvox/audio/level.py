"""How loud a block of PCM is, and a small bar that shows it."""

from __future__ import annotations

import math

_BARS = " ▁▂▃▄▅▆▇█"


def decibels(pcm: bytes) -> float:
    """Return the RMS level in dB below full scale; silence is -96."""
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    power = float(np.mean(samples * samples)) if len(samples) else 0.0
    return max(-96.0, 10 * math.log10(power)) if power else -96.0


def bar(level: float, width: int = 10) -> str:
    """Draw a level between -60 dB (nothing) and 0 dB (full) as `width` characters."""
    eighths = round(max(0.0, min(1.0, level / 60 + 1)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BARS[rest] if rest else "")).ljust(width)
