from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lowvox.memory.lock import locked

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from lowvox.memory.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as process:
        with pytest.raises(OSError, match="unavailable"), locked(tmp_path / "lock", patience_s=0):
            pytest.fail("two holders")
        process.communicate()
        with locked(tmp_path / "lock"):
            pass


def test_a_holder_that_is_killed_lets_go(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as process:
        process.kill()
        with locked(tmp_path / "lock"):
            pass


def test_threads_wait_as_processes_do(tmp_path: Path) -> None:
    inside = 0

    def add() -> None:
        nonlocal inside
        for _ in range(50):
            with locked(tmp_path / "lock", patience_s=600):
                before = inside
                assert before == inside
                inside = before + 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == 200


def test_no_folder_no_lock(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "missing" / "lock"):
        pytest.fail("locked what is not there")
