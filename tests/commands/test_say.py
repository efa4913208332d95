"""`lowvox say` as a real process with the real engine."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import wave
from io import BytesIO
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("espeakng_loader", reason="needs the extra `espeak`")
pytestmark = pytest.mark.usefixtures("home")

COMMAND = [sys.executable, "-c", "from lowvox.commands import main; main()", "say"]
DOCS = Path(__file__).resolve().parents[2] / "docs" / "speaking.md"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


def say(*arguments: object, text: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [
        *COMMAND,
        *(os.fsencode(argument) if isinstance(argument, str) else str(argument) for argument in arguments),
    ]
    return subprocess.run(command, input=text, capture_output=True, check=False, env=os.environ | environment)


def seconds(path: Path) -> float:
    return float(soundfile.info(path).duration)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder for what is written."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_writes_a_file_and_tells_scripts(out: Path) -> None:
    done = say("Hello there.", "How are you?", "-o", out / "a.wav", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told) == ["voice", "duration_s", "rtf", "first_audio_s", "memory"]
    assert told["voice"] == "lowvox-voice"
    assert told["duration_s"] == pytest.approx(seconds(out / "a.wav"), abs=0.01)
    assert told["duration_s"] > 1
    assert told["rtf"] > 0
    assert told["memory"]["peak_rss_mb"] > 10
    assert "lowvox-voice" in [part["name"] for part in told["memory"]["parts"]]


def test_notes_go_to_standard_error(out: Path) -> None:
    done = say("Hello.", "-o", out / "a.wav")
    assert done.stdout == b""
    assert done.stderr.decode().startswith(f"Wrote {out / 'a.wav'}: ")
    assert say("Hello.", "-o", out / "a.wav", "-q").stderr == b""


@pytest.mark.parametrize("suffix", ["flac", "ogg", "raw"])
def test_other_formats(out: Path, suffix: str) -> None:
    assert say("Hello there.", "-o", out / f"a.{suffix}").returncode == 0
    if suffix == "raw":
        assert (out / "a.raw").stat().st_size > 20000
    else:
        assert seconds(out / f"a.{suffix}") > 0.5


def test_voice_and_speed_are_heard(out: Path) -> None:
    text = "The quick brown fox jumps over the lazy dog."
    done = say(
        text, "-v", "en-us+f3", "--rate", "2", "--pitch", "1.2", "--volume", "0.5", "-o", out / "a.wav", "--json"
    )
    assert json.loads(done.stdout)["voice"] == "en-us+f3"
    say(text, "-o", out / "b.wav")
    assert seconds(out / "a.wav") < 0.7 * seconds(out / "b.wav")


def test_text_from_a_file_and_from_standard_input_is_the_same(out: Path) -> None:
    text = "Hallo Köln. Es ist der 3. Mai."
    (out / "t.txt").write_text(text, encoding="utf-8")
    lengths = []
    for name, arguments in (("file", ["-f", out / "t.txt"]), ("in", ["-"]), ("dash", ["-f", "-"]), ("arg", [text])):
        done = say(*arguments, "-l", "de", "-o", out / f"{name}.wav", text=text.encode())
        assert done.returncode == 0, done.stderr
        lengths.append(seconds(out / f"{name}.wav"))
    assert lengths == pytest.approx([lengths[0]] * 4, rel=0.01)


def test_standard_output_is_a_stream() -> None:
    done = say("Hello there.", "-o", "-")
    sound, rate = soundfile.read(BytesIO(done.stdout), dtype="int16")
    assert (rate, sound.ndim) == (16000, 1)
    assert abs(sound).max() > 3000
    raw = say("Hello there.", "-o", "-", "--format", "raw").stdout
    assert len(raw) == pytest.approx(len(done.stdout) - 44, rel=0.01)


def test_lists_voices() -> None:
    lines = say("--list-voices", "-l", "de").stdout.decode().splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [["de", "German"]]
    voices = json.loads(say("--list-voices", "--json").stdout)["voices"]
    assert {"voice": "vi", "name": "Vietnamese (Northern)"} in voices
    assert len(voices) > 100
    assert say("--list-voices", "-l", "zz").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "Say what to speak"),
        (["hello", "-f", "x.txt"], 2, "only one"),
        (["  ", "-o", "OUT/a.wav"], 2, "The text holds nothing to speak"),
        (["-", "-o", "OUT/a.wav"], 2, "Standard input holds nothing to speak"),
        (["hello", "--format", "wav"], 2, "--format is for --output"),
        (["hello", "-o", "-", "--json"], 2, "Sound and JSON cannot both"),
        (["hello", "-o", "OUT/a.mp3"], 2, ".wav, .flac, .ogg, .raw"),
        (["hello", "-o", "OUT"], 2, "is a folder"),
        (["hello", "-o", "OUT/no/a.wav"], 4, "mkdir -p"),
        (["hello", "--rate", "9", "-o", "OUT/a.wav"], 2, "from 0.5 to 4"),
        (["hello", "-v", "en-uk", "-o", "OUT/a.wav"], 4, "en-us = English (America)"),
        (["hello", "-l", "zz", "-o", "OUT/a.wav"], 4, "zz"),
        (["-f", "no.txt", "-o", "OUT/a.wav"], 4, "There is no file no.txt"),
        (["hello", "--budget", "1MB", "-o", "OUT/a.wav"], 3, "nothing was loaded"),
        (["fine. \udcff", "-o", "OUT/a.wav"], 4, "byte 6 is 0xff"),
    ],
)
def test_refuses_in_one_sentence_and_leaves_nothing(out: Path, arguments: list[str], status: int, says: str) -> None:
    done = say(*(argument.replace("OUT", str(out)) for argument in arguments))
    complaint = done.stderr.decode()
    assert (done.returncode, list(out.iterdir())) == (status, []), complaint
    assert says in complaint
    assert "Traceback" not in complaint


@linux
def test_a_full_disk_leaves_nothing(out: Path) -> None:
    command = [
        "bash",
        "-c",
        'ulimit -f 100; exec "$@"',
        "-",
        *COMMAND,
        *("-v", "en", "Quite a long sentence. " * 20),
        "-o",
        str(out / "a.wav"),
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, list(out.iterdir())) == (1, [])
    assert b"a.wav could not be written (File too large); nothing was left behind" in done.stderr
    with Path("/dev/full").open("wb") as full:
        streamed = subprocess.run([*COMMAND, "Hello.", "-o", "-"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert streamed.returncode == 1
    assert b"standard output takes no more" in streamed.stderr


def interrupt(target: Path) -> tuple[int, str]:
    """Feed text until sound is being written, then press Ctrl-C; return the status and what was said."""
    command = [*COMMAND, "-", "-o", str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as working:
        assert working.stdin is not None
        assert working.stderr is not None
        # The pipe holds 64 kB: this waits whenever the sentences are not spoken as fast as they come.
        while not any(path.stat().st_size > 100_000 for path in target.parent.glob(".*.part")):
            working.stdin.write(b"Another sentence is spoken. " * 40)
            working.stdin.flush()
        working.send_signal(signal.SIGINT)
        complaint = working.stderr.read().decode()
        working.stdin.close()
    return working.returncode, complaint


def test_options_of_the_engine_alone(out: Path) -> None:
    done = say("Hello.", "-v", "en", "-o", str(out / "a.wav"), "--set", "seed=1")
    assert (done.returncode, list(out.iterdir())) == (2, [])
    assert b"The engine 'espeak' has no option 'seed'" in done.stderr
    assert b"--set takes NAME=VALUE" in say("Hello.", "--set", "seed").stderr


@linux
def test_ctrl_c_keeps_what_was_spoken(out: Path) -> None:
    status, told = interrupt(out / "a.wav")
    assert (status, told.strip()) == (130, f"Stopped; what was spoken so far is in {out / 'a.wav'}.")
    assert [path.name for path in out.iterdir()] == ["a.wav"]
    with soundfile.SoundFile(out / "a.wav") as file:
        assert len(file.read()) == file.frames > 16000


@linux
def test_plays_what_it_would_write(tmp_path: Path, out: Path) -> None:
    try:
        import sounddevice  # noqa: F401
    except OSError:
        pytest.skip("needs PortAudio (libportaudio2)")
    heard = tmp_path / "heard"
    loudspeaker = (
        f'pcm.!default {{ type file slave.pcm "null" file "{heard}" format "raw" }}\npcm.null {{ type null }}\n'
    )
    (tmp_path / "asound.conf").write_text(f"{loudspeaker}ctl.!default {{ type null }}\n", encoding="utf-8")
    done = say("Hello there.", "--json", ALSA_CONFIG_PATH=str(tmp_path / "asound.conf"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["duration_s"] > 0.5
    say("Hello there.", "-o", out / "a.wav")
    with wave.open(str(out / "a.wav")) as file:
        assert len(heard.read_bytes()) / 2 == pytest.approx(file.getnframes(), rel=0.02)


@linux
def test_the_examples_of_the_guide_work(tmp_path: Path) -> None:
    guide = DOCS.read_text(encoding="utf-8")
    shim = tmp_path / "bin" / "lowvox"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from lowvox.commands import main; main()" "$@"\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    environment = os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}"}
    work = tmp_path / "work"
    work.mkdir()
    for shell in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL):
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", shell], check=True, cwd=work, env=environment, capture_output=True
        )
    for python in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        subprocess.run([sys.executable, "-c", python], check=True, cwd=work, capture_output=True)
    made = {path.name for path in work.iterdir()}
    assert made == {
        *("hello.wav", "hello.flac", "hello.ogg", "text.txt", "text.wav", "text.raw", "copy.wav"),
        *("one.wav", "two.flac", "three.wav"),
    }
    assert all(path.stat().st_size > 20 for path in work.iterdir())
