"""`audio.resampling`: sound of one rate to sound of another."""

from __future__ import annotations

import numpy as np

from lowvox.audio.resampling import same_rate
from lowvox.types import Audio


def tone(rate: int, seconds: float = 1.0) -> bytes:
    return (np.sin(np.arange(round(rate * seconds)) * 2 * np.pi * 440 / rate) * 9999).astype("<i2").tobytes()


def test_sound_of_the_same_rate_is_passed_on() -> None:
    sound = [Audio(tone(16000), 16000), Audio(b"", 16000)]
    assert list(same_rate(sound, 16000)) == sound
    assert list(same_rate(sound, 0)) == sound
    assert list(same_rate([], 8000)) == []


def test_sound_of_another_rate_comes_in_blocks_and_whole() -> None:
    pcm = tone(16000)
    blocks = [Audio(pcm[at : at + 3200], 16000) for at in range(0, len(pcm), 3200)]
    made = list(same_rate(blocks, 22050))
    assert {audio.rate for audio in made} == {22050}
    samples = np.frombuffer(b"".join(audio.pcm for audio in made), "<i2").astype(float)
    assert abs(len(samples) - 22050) <= 2
    wanted = np.frombuffer(tone(22050), "<i2").astype(float)
    inner = slice(500, 21500)
    assert np.abs(samples[: len(wanted)][inner] - wanted[inner]).max() < 100
