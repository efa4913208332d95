"""`lowvox transcribe` as a real process, and its decisions as functions."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from lowvox.audio.clip import PATH, TEXT
from lowvox.commands.transcribe import Job, plan

pytestmark = pytest.mark.usefixtures("measured")

SAID = TEXT.lower().replace(".", "").replace(",", "")


def bare(text: str) -> str:
    """Text without marks and capitals."""
    return re.sub(r"[.,?!:;—] ?", lambda mark: mark[0][1:], text.lower()).replace("  ", " ")


COMMAND = [sys.executable, "-c", "from lowvox.commands import main; main()", "transcribe"]


def transcribe(*arguments: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, arguments)], input=data, capture_output=True, check=False)


def test_text_goes_to_standard_output() -> None:
    done = transcribe(PATH)
    assert (done.returncode, bare(done.stdout.decode())) == (0, SAID + "\n")
    assert done.stdout.startswith(b"Good morning")


def test_words_as_they_were_heard() -> None:
    assert transcribe(PATH, "--no-punctuation").stdout.decode() == SAID + "\n"


def test_json_has_the_keys_that_scripts_rely_on() -> None:
    done = transcribe(PATH, "--json")
    told = json.loads(done.stdout)
    assert list(told) == ["file", "text", "language", "model", "duration_s", "rtf", "segments", "memory"]
    assert told["segments"][0]["words"][0] == {"start": 0.18, "end": pytest.approx(0.44, abs=0.1), "word": "Good"} | {
        "confidence": pytest.approx(0.9, abs=0.11)
    }
    assert set(told["memory"]) == {"budget_mb", "peak_pss_mb", "peak_rss_mb", "peak_uss_mb", "parts"}


def test_standard_input_and_subtitles() -> None:
    done = transcribe("-", "--format", "srt", data=PATH.read_bytes())
    assert done.returncode == 0
    assert done.stdout.decode().startswith("1\n00:00:00,180 --> ")


def test_a_batch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(PATH, tmp_path / f"{name}.flac")
    out = tmp_path / "out"
    assert transcribe(tmp_path / "a.flac", "-o", f"{out}/").returncode == 0
    (out / "a.txt").write_text("kept")
    done = transcribe(tmp_path / "a.flac", tmp_path / "b.flac", "-o", out)
    assert done.returncode == 0
    assert b"a.flac: already in" in done.stderr
    assert (out / "a.txt").read_text() == "kept"
    assert bare((out / "b.txt").read_text()) == SAID + "\n"
    assert transcribe(tmp_path / "a.flac", tmp_path / "b.flac", "-o", out).returncode == 0
    transcribe(tmp_path / "a.flac", "-o", out, "--force")
    assert bare((out / "a.txt").read_text()) == SAID + "\n"


def test_one_bad_file_does_not_stop_the_others_and_the_highest_status_counts(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no sound at all, only words")
    done = transcribe(tmp_path / "missing.wav", tmp_path / "bad.wav", PATH, "--jobs", 2, "-o", f"{tmp_path}/out/")
    assert done.returncode == 4
    assert b"There is no file" in done.stderr
    assert b"bad.wav is not sound" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.txt"]


def test_jobs_print_in_order(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16000), 16000)
    done = transcribe(PATH, tmp_path / "silence.wav", PATH, "-j", 3, "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [bare(line["text"]) for line in told] == [SAID, "", SAID]
    assert b"silence.wav: no words were found in it." in done.stderr


def test_jobs_stay_inside_the_budget() -> None:
    done = transcribe(PATH, PATH, PATH, "-j", 3, "--budget", "320MB", "--json")
    assert done.returncode == 0
    assert b"of 3 jobs at once" in done.stderr
    peaks = [json.loads(line)["memory"]["peak_pss_mb"] for line in done.stdout.splitlines()]
    assert max(peaks) <= 320


def test_a_budget_that_cannot_hold_it_is_refused(tmp_path: Path) -> None:
    done = transcribe(PATH, "--budget", "100MB", "-o", tmp_path / "out.txt")
    assert done.returncode == 3
    assert b"nothing was loaded. Give it --budget" in done.stderr
    assert not list(tmp_path.glob("*.txt"))


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["-l", "xx"], 4, "'xx'"),
        (["-l", "de"], 4, "lowvox pull vosk-model-small-de"),
        (["-m", "no-such-model"], 4, "no-such-model"),
        (["--budget", "much"], 2, "not a memory size"),
        (["--format", "docx"], 2, "docx"),
        (["-j", "0"], 2, "0"),
    ],
)
def test_refusals_are_one_sentence(arguments: list[str], status: int, told: str) -> None:
    done = transcribe(PATH, *arguments)
    assert done.returncode == status
    assert told in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_a_half_copied_model_folder_is_damage(tmp_path: Path) -> None:
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(b"half")
    done = transcribe(PATH, "-m", tmp_path)
    assert done.returncode == 4
    assert b"missing" in done.stderr or b"lacks" in done.stderr
    assert b"Traceback" not in done.stderr


def test_telephone_sound_and_clipping_are_understood(tmp_path: Path) -> None:
    samples, _ = soundfile.read(PATH)
    import soxr

    soundfile.write(tmp_path / "phone.wav", soxr.resample(samples, 16000, 8000), 8000)
    soundfile.write(tmp_path / "loud.wav", np.clip(samples * 6, -1, 1), 16000)
    done = transcribe(tmp_path / "phone.wav", tmp_path / "loud.wav", "--json")
    texts = [bare(json.loads(line)["text"]).split() for line in done.stdout.splitlines()]
    assert all(len(set(text) & set(SAID.split())) > 6 for text in texts)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize(("end", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_leaves_nothing_behind(tmp_path: Path, end: signal.Signals, status: int) -> None:
    long, out = tmp_path / "long.wav", tmp_path / "out"
    samples, _ = soundfile.read(PATH)
    soundfile.write(long, np.tile(samples, 40), 16000)
    out.mkdir()
    running = subprocess.Popen([*COMMAND, str(long), "-o", str(out)], stderr=subprocess.PIPE)
    while not any(out.iterdir()):  # its hidden file appears when it begins
        assert running.poll() is None
        os.sched_yield()
    running.send_signal(end)
    running.send_signal(end)
    _, told = running.communicate()
    assert running.returncode == status
    assert b"Traceback" not in told
    assert not list(out.iterdir())


def test_outputs_are_named_after_inputs(tmp_path: Path) -> None:
    folder = f"{tmp_path}/"
    assert plan(("x/a.wav",), None, "text") == [Job("x/a.wav", None)]
    assert plan(("a.wav",), f"{tmp_path}/b.txt", "text") == [Job("a.wav", tmp_path / "b.txt")]
    assert plan(("x/a.wav", "-"), folder, "srt") == [
        Job("x/a.wav", tmp_path / "a.srt"),
        Job("-", tmp_path / "stdin.srt"),
    ]
    assert [job.target for job in plan(("a.wav", "a.mp3"), folder, "vtt")] == [
        tmp_path / "a.wav.vtt",
        tmp_path / "a.mp3.vtt",
    ]


def test_outputs_that_would_overwrite_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"both be written to .*a\.wav\.txt"):
        plan(("x/a.wav", "y/a.wav"), f"{tmp_path}/", "text")
    sound = tmp_path / "own.flac"
    sound.touch()
    for output in (sound, tmp_path / "x" / ".." / "own.flac"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(click.UsageError, match="written over the sound"):
            plan((str(sound),), str(output), "text")
    with pytest.raises(click.UsageError, match="do not fit into one file"):
        plan(("a.wav", "b.wav"), f"{tmp_path}/c.txt", "text")
