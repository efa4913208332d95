"""`lowvox dictate` as a real process, with a recording for a microphone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lowvox.audio.clip import PATH, TEXT
from lowvox.commands.common import Console
from lowvox.commands.dictate import StatusLine
from replicas.portaudio import needs_portaudio, needs_silence

pytestmark = pytest.mark.usefixtures("measured")

SAID = TEXT.lower().replace(".", "").replace(",", "")


def bare(text: str) -> str:
    """Text without marks and capitals."""
    return re.sub(r"[.,?!:;—] ?", lambda mark: mark[0][1:], text.lower()).replace("  ", " ")


COMMAND = [sys.executable, "-c", "from lowvox.commands import main; main()", "dictate"]


def dictate(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_a_recording_becomes_text_as_if_it_were_spoken() -> None:
    done = dictate("--from", PATH)
    assert (done.returncode, bare(done.stdout)) == (0, SAID + "\n")
    assert done.stdout.startswith("Good morning")


def test_events_are_objects_one_on_each_line() -> None:
    done = dictate("--from", PATH, "--json", "-q")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["kind"] for event in events[:-1]] == ["partial"] * (len(events) - 1)
    assert events[-1]["kind"] == "final"
    assert bare(events[-1]["text"]) == SAID
    assert set(events[-1]) == {"kind", "text", "start", "lag_s", "segment"}
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_keeps_the_last_words(tmp_path: Path) -> None:
    samples, _ = soundfile.read(PATH)
    soundfile.write(tmp_path / "long.wav", np.tile(samples, 40), 16000)
    running = subprocess.Popen(
        [*COMMAND, "--from", str(tmp_path / "long.wav"), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout is not None
    while len(json.loads(running.stdout.readline())["text"].split()) < 2:
        pass
    running.send_signal(signal.SIGINT)
    rest, told = running.communicate()
    last = json.loads(rest.splitlines()[-1])
    assert running.returncode == 130
    assert last["kind"] == "final"
    assert last["text"].startswith("Good")
    assert b"Traceback" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_twice_ends_it_at_once(tmp_path: Path) -> None:
    samples, _ = soundfile.read(PATH)
    soundfile.write(tmp_path / "long.wav", np.tile(samples, 40), 16000)
    running = subprocess.Popen(
        [*COMMAND, "--from", str(tmp_path / "long.wav"), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate()
    assert running.returncode == 130
    assert b"Traceback" not in told


def test_text_that_cannot_be_typed_is_said_before_anybody_speaks() -> None:
    done = dictate("--from", PATH, "--type", DISPLAY="", WAYLAND_DISPLAY="wayland-0", XDG_SESSION_TYPE="wayland")
    assert done.returncode in {1, 4}
    assert "Wayland" in done.stderr or "pip install" in done.stderr
    assert done.stdout == ""


@needs_portaudio
@needs_silence
def test_a_microphone_that_is_not_there() -> None:
    for arguments in ([], ["--device", "headset"]):
        done = dictate(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "There is no microphone; connect one, or use --from FILE." in done.stderr
    assert dictate("--list-devices").returncode == 0
    assert json.loads(dictate("--list-devices", "--json").stdout) == {"devices": []}


def test_a_budget_is_refused_before_listening() -> None:
    done = dictate("--from", PATH, "--budget", "50MB")
    assert done.returncode == 3
    assert "Listening" not in done.stderr


def test_the_level_needs_a_terminal() -> None:
    done = dictate("--level")
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr


def test_the_status_line_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    line = StatusLine(Console(json=False, quiet=False))
    line._shown = True
    loud = (np.ones(1600) * 20000).astype("<i2").tobytes()
    assert list(line.listening([loud])) == [loud]
    line.say("hello")
    line.write("hello world")
    line.note("careful")
    told = capsys.readouterr()
    assert told.out == "hello world\n"
    assert "█" in told.err
    assert "Listening; Ctrl-C ends." in told.err
    assert told.err.endswith("careful\n")
