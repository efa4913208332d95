from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from lowvox import commands
from lowvox.audio.clip import PATH
from lowvox.commands.common import Console


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from lowvox.commands import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_a_command_that_is_not_there_names_the_nearest(home: Path) -> None:
    done = run("trnscribe")
    assert done.returncode == 2
    assert "Did you mean `lowvox transcribe`?" in done.stderr
    assert "lists the commands" in run("xyzzy").stderr


def test_version_and_help(home: Path) -> None:
    from lowvox import __version__

    assert __version__ in run("--version").stdout
    assert run("--help").stdout == run("-h").stdout


def test_an_error_is_one_sentence_and_debug_shows_where(home: Path) -> None:
    assert "Traceback" not in run("transcribe", "missing.wav").stderr
    done = run("transcribe", "missing.wav", "-l", "xx", "--debug")
    assert done.returncode == 4
    assert "Traceback" in done.stderr
    assert done.stderr.rstrip().splitlines()[-1].startswith("lowvox: ")


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 3, "no memory left"),
        (BrokenPipeError(), 1, ""),
        (OSError(28, "No space left on device", "x.txt"), 1, "No space left on device: x.txt."),
        (ZeroDivisionError("oops"), 1, "(ZeroDivisionError: oops); `--debug` shows where"),
    ],
)
def test_every_error_has_a_status(
    error: BaseException,
    status: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(commands.cli, "main", fail)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    assert commands._status([]) == status
    assert told in capsys.readouterr().err


def test_a_bar_only_where_somebody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(json=False, quiet=False).progress("Listening") as reach:
        reach(1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_bar_on_a_terminal(home: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from lowvox.commands import main; main()"]
    done = subprocess.run(
        [*command, "transcribe", str(PATH), "-o", str(tmp_path / "out.txt")], stderr=theirs, check=False
    )
    os.close(theirs)
    shown = ""
    with suppress(OSError):  # the end of a pseudo-terminal
        while piece := os.read(ours, 4096):
            shown += piece.decode(errors="replace")
    os.close(ours)
    assert done.returncode == 0
    assert "clip.flac" in shown
    assert "100%" in shown


def test_the_shell_completes_commands_and_options(home: Path) -> None:
    environment = {"_LOWVOX_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    assert run(COMP_WORDS="lowvox tr", **environment).stdout.split() == ["plain,transcribe"]
    done = run(COMP_WORDS="lowvox transcribe --bud", **environment | {"COMP_CWORD": "2"})
    assert done.stdout.split() == ["plain,--budget"]
