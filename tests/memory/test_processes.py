from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from lowvox.memory import processes
from lowvox.memory.processes import Process, find, identity


def child(program: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    return process, process.stdout


def test_this_process() -> None:
    before = find(os.getpid())
    assert before
    while time.process_time() < before.cpu_s + 0.05:
        pass
    after = find(os.getpid())
    assert after
    assert after.started == before.started
    assert after.cpu_s > before.cpu_s


def test_the_ended_are_not_there_buried_or_not() -> None:
    process, stdout = child("")
    with process:
        assert stdout.read() == b""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and not buried yet
        assert find(process.pid) is None
        assert identity(process.pid) is None
    assert find(process.pid) is None


def test_a_name_with_brackets_and_spaces_confuses_nobody(tmp_path: Path) -> None:
    name = tmp_path / "a) R 1 (b"
    name.symlink_to(sys.executable)
    with subprocess.Popen([name, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        found = find(process.pid)
        assert found
        assert abs(found.started - time.clock_gettime(time.CLOCK_BOOTTIME)) < 3600
        process.kill()


def test_no_two_processes_are_the_same() -> None:
    assert identity(os.getpid()) == identity(os.getpid())
    assert identity(os.getpid()) != identity(1)


def test_one_that_runs_no_program_yet_is_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)

    def starting(process: Process | None) -> bool:
        monkeypatch.setattr(processes, "find", lambda _: process)
        return processes.is_starting(1)

    assert starting(Process(now, 0.0, forked=True))
    assert not starting(Process(now, 0.0))
    assert not starting(Process(now - 60, 0.0, forked=True))  # it was forked to stay
    assert not starting(None)


def test_a_forked_child_is_told_by_the_kernel() -> None:
    process, stdout = child("import os\nif not os.fork():\n print(os.getpid(), flush=True); input()\nos.wait()")
    with process:
        found = find(int(stdout.readline()))
        assert found
        assert found.forked
        assert not (find(process.pid) or Process(0, 0, forked=True)).forked


def test_other_systems_are_asked_through_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psutil")
    process, stdout = child("")
    with process:
        stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        monkeypatch.setattr(processes, "_LINUX", False)
        found = find(os.getpid())
        assert found
        assert found.cpu_s > 0
        assert find(process.pid) is None
    assert find(process.pid) is None


def test_a_system_without_a_boot_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "open", lambda *_: (_ for _ in ()).throw(FileNotFoundError()), raising=False)
    assert processes._boot() == ""
