"""Whom a Pocket TTS voice speaks like: a recording of somebody, as the model was taught to hear one.

No longer than 30 s, and ending on a short pause: one that ends on speech is continued, one that ends on a long silence
delays what follows. Knows no graph and no voice file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lowvox.audio import reading
from lowvox.errors import DamagedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LONGEST_S = 30.0
_SHORTEST_S = 0.5
_SILENT = 0.003  # of full scale: what never gets louder is no speech
_FRAME_S, _FADE_S, _PAUSE_S = 0.02, 0.02, 0.08
_FLOOR_DB = 35.0


def prompt(file: Path, rate: int) -> NDArray[np.float32]:
    """Read at most the first 30 s of a recording as float32 [n] at `rate`, ended on a pause.

    NotFoundError, DamagedError where there is no sound in it, UsageError where it is too short.
    """
    sound = _read(file, rate)
    if float(np.abs(sound).max(initial=0)) < _SILENT:
        raise DamagedError(f"{file.name} is silent; record it again, nearer to the microphone.")
    return ended(sound, rate)


def ended(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Cut the silence behind the last speech, fade what is left out, and put a pause behind it."""
    frame = max(1, int(_FRAME_S * rate))
    count = len(sound) // frame
    if not count:
        return sound
    level = np.sqrt(np.square(sound[: count * frame].reshape(count, frame)).mean(1))
    decibels = 20 * np.log10(level + 1e-12)
    end = (int(np.flatnonzero(decibels > decibels.max() - _FLOOR_DB)[-1]) + 1) * frame
    fade = min(int(_FADE_S * rate), end)
    found = np.concatenate([sound[:end], np.zeros(int(_PAUSE_S * rate), np.float32)])
    found[end - fade : end] *= np.linspace(1, 0, fade, dtype=np.float32)
    return found


def _read(file: Path, rate: int) -> NDArray[np.float32]:
    with reading.opened(file) as recording:
        most, blocks, done = int(LONGEST_S * recording.rate), [], 0
        for block in recording.mono():
            blocks.append(block[: most - done])
            done += len(blocks[-1])
            if done >= most:
                break
        if done < _SHORTEST_S * recording.rate:
            raise UsageError(f"{file.name} is shorter than {_SHORTEST_S} s; record a whole sentence.")
        sound: NDArray[np.float32] = np.concatenate(blocks)
        if recording.rate == rate:
            return sound
        import soxr

        resampled: NDArray[np.float32] = soxr.resample(sound, recording.rate, rate)
        return resampled
