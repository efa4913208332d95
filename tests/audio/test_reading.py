from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lowvox.audio import reading
from lowvox.errors import DamagedError, NotFoundError


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """A 440 Hz tone at half of full scale, the same in every channel."""
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def read(path: Path | str) -> bytes:
    with reading.opened(path) as recording:
        return b"".join(recording.blocks())


def rms(pcm: bytes) -> float:
    return float(np.sqrt(np.mean((np.frombuffer(pcm, "<i2") / 32768) ** 2)))


@pytest.mark.parametrize(
    ("suffix", "rate"), [("wav", 8000), ("wav", 44100), ("flac", 48000), ("ogg", 22050), ("mp3", 44100)]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_formats_rates_and_channels(tmp_path: Path, suffix: str, rate: int, channels: int) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(2, rate, channels), rate)
    pcm = read(path)
    assert len(pcm) / 32000 == pytest.approx(2, abs=0.1)  # MP3 adds a frame
    assert rms(pcm) == pytest.approx(0.5 / 2**0.5, rel=0.05)


def test_the_same_rate_passes_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "same.wav"
    samples = (np.arange(-3000, 3000) * 10).astype("<i2")
    soundfile.write(path, samples, 16000)
    got = np.frombuffer(read(path), "<i2").astype(int)
    assert np.abs(got - samples).max() <= 1


def test_speech_in_one_channel_of_surround_sound_stays_loud(tmp_path: Path) -> None:
    path = tmp_path / "surround.wav"
    sound = np.zeros((16000, 6), np.float32)
    sound[:, 2] = tone(1, 16000)[:, 0]
    soundfile.write(path, sound, 16000)
    assert rms(read(path)) == pytest.approx(0.5 / 2**0.5 / 6**0.5, rel=0.02)


def test_louder_than_full_scale_is_clipped(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, tone(1, 16000) * 8, 16000, subtype="FLOAT")
    samples = np.frombuffer(read(path), "<i2").astype(int)
    assert samples.max() == 32767
    assert samples.min() == -32767


def test_it_comes_in_small_blocks(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(30, 44100), 44100)
    with reading.opened(path) as recording:
        assert recording.seconds == 30
        assert max(map(len, recording.blocks())) <= 2 * 3200


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_damage(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "nan.wav"
    sound = tone(1, 16000)
    sound[9000] = bad
    soundfile.write(path, sound, 16000, subtype="FLOAT")
    with pytest.raises(DamagedError, match=r"nan\.wav holds samples that are not numbers"):
        read(path)


def test_a_truncated_flac_is_damage_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    noise = np.random.default_rng(1).normal(0, 0.1, 16000 * 10)
    soundfile.write(path, noise, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedError, match=r"cut\.flac is damaged: it breaks off after [345]\.\d of 10\.0 s"):
        read(path)


def test_no_sound_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(DamagedError, match=r"empty \(0 bytes\)"):
        read(tmp_path / "empty.wav")
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16000)
    with pytest.raises(DamagedError, match=r"no sound at all \(0 samples\)"):
        read(tmp_path / "none.wav")


def test_what_is_not_sound(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("Dear diary, this is not a recording.\n" * 50)
    with pytest.raises(DamagedError, match="not sound that lowvox can read"):
        read(tmp_path / "notes.wav")
    with pytest.raises(NotFoundError, match="no file"):
        read(tmp_path / "missing.wav")
    with pytest.raises(NotFoundError, match="is a folder"):
        read(tmp_path)


READ_STDIN = (
    "from lowvox.audio import reading\n"
    "with reading.opened('-') as recording:\n"
    "    print(recording.name, recording.seconds, sum(map(len, recording.blocks())))"
)


def piped(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", READ_STDIN], input=data, capture_output=True, check=False)


def test_standard_input_is_spooled_to_disk_and_leaves_nothing(home: Path) -> None:
    sound = io.BytesIO()
    soundfile.write(sound, tone(3, 22050), 22050, format="FLAC")
    assert piped(sound.getvalue()).stdout.split() == [b"standard", b"input", b"3.0", b"96000"]
    assert not list((home / "cache").iterdir())
    assert b"Standard input is empty" in piped(b"").stderr
