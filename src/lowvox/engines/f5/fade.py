"""Chunks of sound joined into one: each fades into the next, and all are as loud as the first.

The known runtime matches each chunk to the edge of the one before; speech falls towards its end, so that its chunks
grow quieter and quieter. Knows nothing of how sound is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_QUIET = 100.0  # of 32767: what is quieter is no speech, and is left as it is
_LEAST, _MOST = 0.7, 1.5


def joined(sounds: Iterable[NDArray[np.float32]], overlap: int) -> Iterator[NDArray[np.float32]]:
    """Join sounds, float32 [n] in units of 16 bits, over `overlap` samples; yields one piece for each, as it comes.

    Each joint makes the whole shorter by the overlap, and never by more than half of either sound.
    """
    loud, tail = 0.0, np.zeros(0, np.float32)
    for at, sound in enumerate(sounds):
        loud, level = loud or _loudness(sound), _loudness(sound)
        fitted = sound * np.float32(np.clip(loud / level, _LEAST, _MOST)) if at and loud and level else sound
        half = len(fitted) // 2
        if len(tail) > half:  # the chunk is shorter than planned: what it does not reach goes out as it is
            yield tail[: len(tail) - half]
            tail = tail[len(tail) - half :]
        fitted = _faded(tail, fitted)
        held = min(overlap, half)
        yield fitted[: len(fitted) - held]
        tail = fitted[len(fitted) - held :]
    if len(tail):
        yield tail


def _faded(tail: NDArray[np.float32], sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fade the end of one sound into the beginning of the next."""
    if not len(tail):
        return sound
    angle = np.linspace(0, np.pi / 2, len(tail), dtype=np.float32)
    both = tail * np.cos(angle) ** 2 + sound[: len(tail)] * np.sin(angle) ** 2
    return np.concatenate([both, sound[len(tail) :]])


def _loudness(sound: NDArray[np.float32]) -> float:
    """Return the RMS, 0 for silence."""
    power = float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0
    return power if power > _QUIET else 0.0
