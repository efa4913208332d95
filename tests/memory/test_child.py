"""The process itself: what it inherits, and how it ends together with its starter."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lowvox.memory.child import Child
from replicas import naughty

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def child() -> Iterator[Child]:
    running = Child(3)
    yield running
    running.kill()
    for lane in running.lanes:
        lane.close()


def state(pid: int) -> str | None:
    """The letter that /proc has for a process: Z is a zombie, None no process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


def test_each_lane_answers_through_pipe_and_slot(child: Child) -> None:
    for lane in child.lanes:
        lane.send((0, "crowd", (0.5,), {}))
        kind, sound = lane.receive()
        assert (kind, len(sound)) == ("value", 16_000)
        assert bytes(lane._slot[:16_000]) == sound  # it came through shared memory


def test_it_ends_when_its_lanes_do(child: Child) -> None:
    for lane in child.lanes:
        lane.close()
    assert child.status() == 0
    assert child.words == []


def test_it_ends_when_a_lane_breaks_while_it_answers() -> None:
    child = Child(1)
    lane = child.lanes[0]
    lane.send((0, "crowd", (60.0,), {}))  # more than the pipe holds
    lane.close()
    assert child.status() == 0
    child.kill()


def test_one_that_closes_its_pipes_and_lives_on_is_killed(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowvox.memory.child._GRACE_S", 0.01)
    assert child.status() is None
    assert not child.alive


@linux
def test_killing_leaves_neither_zombie_nor_descriptor() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("lowvox-listener"):  # of other tests: they hold descriptors for a moment
            thread.join()
    before = sorted(Path("/proc/self/fd").iterdir())
    child = Child(2)
    child.kill()
    child.kill()
    assert state(child.pid) is None
    assert child.status() == -signal.SIGKILL
    for lane in child.lanes:
        lane.close()
    child._listener.join()
    del child, lane
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@linux
def test_it_is_started_with_our_allocator_settings_and_the_users_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    child = Child(1)
    child.lanes[0].send((0, "trim", (), {}))
    assert child.lanes[0].receive() == ("value", True)
    settings = Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")
    assert b"MALLOC_ARENA_MAX=7" in settings
    assert b"MALLOC_TRIM_THRESHOLD_=131072" in settings
    child.kill()
    child.lanes[0].close()


@linux
def test_one_that_dies_unnoticed_leaves_no_zombie(child: Child) -> None:
    os.kill(child.pid, signal.SIGSEGV)
    child._listener.join()
    assert state(child.pid) is None


STARTER = """
import os
from lowvox.memory.child import Child
from lowvox.types import Model, Profile
child = Child(2)
child.lanes[0].send((0, "crowd", (1.0,), {}))
child.lanes[0].receive()
if %r:
    child.lanes[1].send((0, "load", ("naughty:Hanging", Model("m", "e", "recognizer", ()), Profile()), {}))
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@linux
@pytest.mark.parametrize("hanging", [False, True])
def test_it_ends_with_a_starter_that_is_killed(hanging: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(naughty.__file__).parent))
    starter = subprocess.Popen([sys.executable, "-c", STARTER % hanging], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    ending = os.pidfd_open(int(starter.stdout.readline()))
    starter.communicate()
    assert select.select([ending], [], [], 30)[0], "the worker outlived its starter"
    os.close(ending)
    assert not list(Path("/dev/shm").glob("*lowvox*"))


def test_a_process_that_cannot_be_started_leaves_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        Child(2)


def test_elsewhere_there_is_one_lane_without_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowvox.memory.child._POSIX", False)
    child = Child(4)
    (lane,) = child.lanes
    lane.send((0, "crowd", (0.5,), {}))
    assert len(lane.receive()[1]) == 16_000
    child.kill()
    lane.close()
