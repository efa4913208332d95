"""`lowvox demo`, the first thing that anybody runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from lowvox.audio.clip import PATH, TEXT

SAID = TEXT.lower().replace(".", "").replace(",", "")


def bare(text: str) -> str:
    """Text without marks and capitals."""
    return re.sub(r"[.,?!:;—] ?", lambda mark: mark[0][1:], text.lower()).replace("  ", " ")


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from lowvox.commands import main; main()", "demo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_whole_chain(home: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    done = demo()
    assert done.returncode == 0, done.stderr
    assert SAID in bare(done.stdout)
    assert "synthesised speech" in done.stderr
    assert soundfile.info(home / "cache" / "demo.wav").duration > 4
    for part in ("lowvox itself", "audio libraries", "silero-vad", "pocketsphinx-en-us", "lowvox-te", "lowvox-voice"):
        assert part in done.stdout
    assert "no budget was set" in done.stdout


def test_a_file_a_budget_and_a_plot(measured: Path, tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the espeak extra")
    page = tmp_path / "memory.html"
    done = demo(PATH, "--budget", "400MB", "-o", tmp_path / "said.wav", "--plot", page, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"text", "audio", "memory"}
    assert bare(told["text"]) == SAID
    assert soundfile.info(told["audio"]).duration > 4
    assert told["memory"]["peak_pss_mb"] <= told["memory"]["budget_mb"] == 400
    assert "pocketsphinx-en-us" in page.read_text(encoding="utf-8")
    assert not (measured / "cache" / "demo.wav").exists()


def test_what_does_not_fit_is_refused(measured: Path) -> None:
    done = demo("--budget", "90MB")
    assert (done.returncode, done.stdout) == (3, "")
