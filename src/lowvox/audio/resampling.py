"""Sound of one rate to sound of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.types import Audio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def same_rate(sound: Iterable[Audio], rate: int) -> Iterator[Audio]:
    """Give sound the rate in Hz; 0 leaves it as it is. Sound that has it already is passed on."""
    resample = None
    for audio in sound:
        if not rate or audio.rate == rate:
            yield audio
            continue
        import numpy as np
        import soxr

        resample = resample or soxr.ResampleStream(audio.rate, rate, 1, dtype="int16")
        yield Audio(resample.resample_chunk(np.frombuffer(audio.pcm, "<i2")).tobytes(), rate)
    if resample:
        yield Audio(resample.resample_chunk(np.zeros(0, np.int16), last=True).tobytes(), rate)
