"""Playing, through the real PortAudio: into a file where ALSA can be told to, and without a device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from replicas.portaudio import alsa, needs_portaudio, needs_silence

SCRIPT = """
from lowvox.audio.playing import Player
from lowvox.types import Audio
with Player() as player:
    for number in range(40):
        player.write(Audio(bytes([number, 0]) * 4410, 22050))
        {then}
"""


def play(then: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, "-c", SCRIPT.format(then=then)]
    return subprocess.run(script, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def into_a_file(tmp_path: Path) -> Path:
    """A sound system whose loudspeaker is the file `heard`."""
    return Path(alsa(tmp_path, heard=tmp_path / "heard"))


@needs_portaudio
def test_everything_is_heard_in_order(into_a_file: Path) -> None:
    done = play(ALSA_CONFIG_PATH=str(into_a_file))
    assert done.returncode == 0, done.stderr
    heard = (into_a_file.parent / "heard").read_bytes()
    assert heard == b"".join(bytes([number, 0]) * 4410 for number in range(40))


@needs_portaudio
def test_an_error_falls_silent_and_passes(into_a_file: Path) -> None:
    done = play("raise KeyboardInterrupt", ALSA_CONFIG_PATH=str(into_a_file))
    assert "KeyboardInterrupt" in done.stderr.splitlines()[-1]
    assert len((into_a_file.parent / "heard").read_bytes()) <= 8820


@needs_portaudio
@needs_silence
def test_without_a_device_says_what_to_do() -> None:
    complaint = play().stderr.splitlines()[-1]
    assert complaint.startswith("lowvox.errors.DeviceError: There is no loudspeaker")
    assert "-o speech.wav" in complaint


def test_without_portaudio_says_how_to_get_it(tmp_path: Path) -> None:
    # sounddevice raises just this where the system has no PortAudio.
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')", encoding="utf-8")
    complaint = play(PYTHONPATH=str(tmp_path)).stderr.splitlines()[-1]
    assert "DeviceError" in complaint
    assert "apt install libportaudio2" in complaint
