"""`lowvox rm`: asks on a terminal, and never elsewhere."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lowvox.models import store
from replicas.kaldi import build

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-c", "from lowvox.commands import main; main()", "rm"]


@pytest.fixture
def model(home: Path) -> Path:
    return build(store.folder() / "mine")


def rm(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize(("answer", "status", "stays"), [(b"y\n", 0, False), (b"n\n", 0, True), (b"\x04", 130, True)])
def test_asks_on_a_terminal(model: Path, answer: bytes, status: int, stays: bool) -> None:
    master, terminal = pty.openpty()
    with subprocess.Popen([*COMMAND, "mine"], stdin=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(master, 1024)
        os.write(master, answer)
        assert process.wait() == status
    os.close(master)
    assert model.exists() is stays


def test_without_a_terminal(model: Path) -> None:
    refused = rm("mine")
    assert refused.returncode == 2
    assert "run `lowvox rm mine --yes`" in refused.stderr
    assert model.exists()
    done = rm("mine", "--yes", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"name": "mine", "removed": True})
    assert list(store.folder().iterdir()) == []


def test_refusals(home: Path) -> None:
    for name, status, says in (("espeak", 2, "comes with its engine"), ("mine", 4, "is not installed")):
        done = rm(name, "-y")
        assert (done.returncode, done.stdout) == (status, "")
        assert says in done.stderr
