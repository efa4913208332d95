"""A file is believed while the very process that wrote it lives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowvox.memory import processes, running
from lowvox.memory.running import Claim, TreeState
from lowvox.types import Holding

pytestmark = pytest.mark.usefixtures("home")
HOLDING = Holding("a", "vad", "worker", 7, "idle", 5, 9, 1, 0, 0.5, -1, True)
CLAIM = Claim(1.0, 300, True, 100, 0, 0.0, 20, (HOLDING,))


def write(state: TreeState) -> None:
    with running.exclusive():
        running.write(state)


def names() -> list[str]:
    return sorted(path.name for path in running.folder().iterdir())


def own(**changes: object) -> TreeState:
    return replace(running.fresh(), claims={"1": CLAIM}, **changes)  # type: ignore[arg-type]


def test_what_was_written_is_read() -> None:
    write(own())
    assert running.read() == (own(),)
    assert names() == [f"{os.getpid()}.json", "lock"]
    write(replace(own(), claims={}))
    assert names() == ["lock"]
    write(replace(own(), claims={}))
    assert running.read() == ()


def test_a_number_taken_over_by_another_process_is_not_believed() -> None:
    write(own(started="12345.00 another"))
    assert running.read() == ()


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_no_process_no_state(pid: int) -> None:
    write(own(pid=pid))
    assert running.read() == ()


def test_the_killed_are_swept_with_all_they_left() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        other = own(pid=process.pid, started=processes.identity(process.pid) or "")
        write(other)
        write(own())
        running.history(process.pid).write_bytes(b"x")
        running.history().write_bytes(b"x")
        (running.folder() / f"{process.pid}.part").write_bytes(b"x")
        (running.folder() / "somebody's notes").write_bytes(b"x")
        running.running()
        assert len(running.read()) == 2
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not even buried
        assert running.running() == (own(),)
    here = os.getpid()
    assert names() == sorted([f"{here}.history", f"{here}.json", "lock", "somebody's notes"])


def test_nothing_is_made_by_looking() -> None:
    assert running.running() == ()
    assert not running.folder().exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b'{"pid":1}', b'{"pid":-1,"started":"","command":""}']))
def test_damaged_files_are_not_there(content: bytes) -> None:
    with running.exclusive():
        (running.folder() / f"{os.getpid()}.json").write_bytes(content)
    assert running.read() == ()


def test_the_sums_of_several_managers() -> None:
    state = replace(own(), claims={"1": CLAIM, "2": Claim(2.0, None, False, 7, base=10)})
    assert (state.budget, state.shared, state.reserved, state.base) == (300, True, 107, 10)
    assert state.holdings == (HOLDING,)
    empty = replace(state, claims={})
    assert (empty.budget, empty.shared, empty.reserved, empty.base, empty.holdings) == (None, False, 0, 0, ())


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["/usr/bin/lowvox", "transcribe", "my secret.wav"], "lowvox transcribe"),
        (["/usr/bin/lowvox", "--help"], "lowvox"),
        (["lowvox.exe", "say", "secret"], "lowvox say"),
        (["/home/me/app.py", "secret"], "app.py"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_what_a_process_is_for_without_what_it_works_on(
    arguments: list[str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    assert running.fresh().command == command


def test_others_may_not_look_into_the_folder() -> None:
    write(own())
    assert running.folder().stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_locked_can_still_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    write(own())
    (running.folder() / "lock").unlink()
    (running.folder() / "lock").mkdir()
    assert running.running() == (own(),)
    assert isinstance(running.folder(), Path)
