"""Recordings that Pocket TTS is to speak like: cut, ended on a pause, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from lowvox.engines.pocket import prompt as pocket_prompt
from lowvox.errors import DamagedError, NotFoundError, UsageError

RATE = 24000


def tone(seconds: float, rate: int = RATE) -> NDArray[np.float32]:
    return (0.5 * np.sin(np.arange(int(seconds * rate)) / rate * 2 * np.pi * 200)).astype(np.float32)


def written(tmp_path: Path, sound: NDArray[np.float32], rate: int = RATE) -> Path:
    file = tmp_path / "me.wav"
    soundfile.write(file, sound, rate, subtype="FLOAT")
    return file


def test_a_prompt_ends_on_a_short_pause() -> None:
    speech, silence = tone(1.0), np.zeros(RATE, np.float32)
    found = pocket_prompt.ended(np.concatenate([speech, silence]), RATE)
    pause = int(0.08 * RATE)
    assert len(found) == RATE + pause
    assert not found[RATE:].any()
    assert np.array_equal(found[: RATE - 480], speech[:-480])
    assert found[RATE - 1] == 0
    assert np.allclose(found[RATE - 480 : RATE], speech[-480:] * np.linspace(1, 0, 480), atol=1e-6)


def test_one_that_is_shorter_than_a_look_is_left() -> None:
    assert pocket_prompt.ended(tone(0.01), RATE).tolist() == tone(0.01).tolist()


def test_what_is_read_is_at_the_rate_of_the_model(tmp_path: Path) -> None:
    found = pocket_prompt.prompt(written(tmp_path, tone(1.0, 8000), 8000), RATE)
    assert abs(len(found) - (RATE + int(0.08 * RATE))) <= 480
    near = pocket_prompt.ended(tone(1.0), RATE)
    assert np.abs(found[2000:20000] - near[2000:20000]).max() < 0.01


def test_a_long_one_is_cut_at_thirty_seconds(tmp_path: Path) -> None:
    sound = np.concatenate([tone(30), np.full(10 * RATE, 0.9, np.float32)])
    found = pocket_prompt.prompt(written(tmp_path, sound), RATE)
    assert len(found) == 30 * RATE + int(0.08 * RATE)
    assert found.max() < 0.51


def test_an_hour_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "hour.flac"
    blocks = [tone(30), *[np.zeros(60 * RATE, np.float32)] * 59]
    with soundfile.SoundFile(file, "w", RATE, 1) as out:
        for block in blocks:
            out.write(block)
    file.write_bytes(file.read_bytes()[:-100])  # which would be said of whoever reads on
    assert len(pocket_prompt.prompt(file, RATE)) == 30 * RATE + int(0.08 * RATE)


@pytest.mark.parametrize(
    ("sound", "error", "told"),
    [
        (np.zeros(RATE, np.float32), DamagedError, "silent"),
        (tone(0.3), UsageError, "shorter than 0.5 s"),
        (np.zeros(0, np.float32), DamagedError, "no sound at all"),
        (np.full(RATE, np.nan, np.float32), DamagedError, "not numbers"),
    ],
)
def test_what_is_no_speech_is_refused(
    tmp_path: Path, sound: NDArray[np.float32], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        pocket_prompt.prompt(written(tmp_path, sound), RATE)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello " * 99)
    with pytest.raises(DamagedError, match=r"is not sound"):
        pocket_prompt.prompt(tmp_path / "text.wav", RATE)
    with pytest.raises(NotFoundError):
        pocket_prompt.prompt(tmp_path / "none.wav", RATE)
