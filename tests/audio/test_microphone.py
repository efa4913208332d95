"""The microphone through the real PortAudio, where ALSA can be told to take a file for one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lowvox.audio.clip import clip
from replicas.portaudio import alsa, needs_portaudio, needs_silence

SCRIPT = """
import json, sys, threading
from lowvox.audio import microphone
stopped = threading.Event()
{body}
"""


def run(body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, "-c", SCRIPT.format(body=body)]
    return subprocess.run(script, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def from_a_file(tmp_path: Path) -> str:
    """A sound system whose microphone hears the clip, then silence."""
    (tmp_path / "said").write_bytes(clip() + bytes(64000))
    return alsa(tmp_path, said=tmp_path / "said")


@needs_portaudio
def test_what_is_said_is_heard(from_a_file: str) -> None:
    done = run(
        "blocks = microphone.listen('default', stopped)\n"
        "heard = b''\n"
        "while len(heard) < 64000: heard += next(blocks)\n"
        "blocks.close(); print(heard[:64000].hex())",
        ALSA_CONFIG_PATH=from_a_file,
    )
    assert done.returncode == 0, done.stderr
    heard = bytes.fromhex(done.stdout)
    assert heard[:32000] in clip() + bytes(96000)


@needs_portaudio
def test_devices_are_listed_and_chosen(from_a_file: str) -> None:
    done = run(
        "found = microphone.devices(); first = found[0]\n"
        "assert microphone.choose(str(first.id)) == first\n"
        "assert microphone.choose(first.name[:4].upper()) == first\n"
        "assert microphone.choose('default') in found\n"
        "print(json.dumps([device.name for device in found]))\n"
        "microphone.choose('headset')",
        ALSA_CONFIG_PATH=from_a_file,
    )
    assert "default" in json.loads(done.stdout)
    assert "no microphone 'headset'; `lowvox dictate --list-devices`" in done.stderr


@needs_portaudio
def test_a_listener_that_falls_behind_is_told_what_was_lost(from_a_file: str) -> None:
    done = run(
        "microphone._QUEUED_BLOCKS = 3\n"
        "lost, told = [], threading.Event()\n"
        "def tell(seconds): lost.append(seconds); told.set()\n"
        "blocks = microphone.listen('default', stopped, tell)\n"
        "next(blocks); told.wait(); next(blocks); blocks.close(); print(lost[0])",
        ALSA_CONFIG_PATH=from_a_file,
    )
    assert done.stdout.strip() == "0.1", done.stderr


@needs_portaudio
def test_when_stopped_what_was_heard_is_still_given(from_a_file: str) -> None:
    done = run(
        "blocks = microphone.listen('default', stopped)\n"
        "heard = next(blocks)\n"
        "full = threading.Event()\n"
        "import queue; put = queue.Queue.put_nowait\n"
        "def watched(self, item):\n"
        "    put(self, item)\n"
        "    if self.qsize() >= 20: full.set()\n"
        "queue.Queue.put_nowait = watched\n"
        "full.wait(); stopped.set()\n"
        "print(sum(1 for _ in blocks) >= 20)",
        ALSA_CONFIG_PATH=from_a_file,
    )
    assert done.stdout.strip() == "True", done.stderr


@needs_portaudio
def test_the_whole_command_listens(from_a_file: str, home: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", "from lowvox.commands import main; main()", "dictate", "--json", "-q"],
        env=os.environ | {"ALSA_CONFIG_PATH": from_a_file},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    event = json.loads(running.stdout.readline())
    running.terminate()
    running.communicate()
    assert event["kind"] in {"partial", "final"}


@needs_portaudio
@needs_silence
def test_without_a_device_says_what_to_do() -> None:
    assert (
        "There is no microphone; connect one, or use --from FILE."
        in run("next(microphone.listen('default', stopped))").stderr
    )


def test_without_portaudio_says_how_to_get_it(tmp_path: Path) -> None:
    # sounddevice raises just this where the system has no PortAudio.
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')", encoding="utf-8")
    complaint = run("microphone.devices()", PYTHONPATH=str(tmp_path)).stderr.splitlines()[-1]
    assert "DeviceError" in complaint
    assert "apt install libportaudio2" in complaint
