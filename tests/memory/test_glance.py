"""A glance tells what a measurement would, for less."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lowvox.memory import glance, meter
from lowvox.memory.glance import Glance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lowvox.types import Usage

MB = meter.MB
# Does what it is told, line by line, in one name space.
PUPPET = "import sys\nwords = {}\nprint(flush=True)\nfor line in sys.stdin:\n exec(line, words)\n print(flush=True)"


class Puppet:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def do(self, line: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "\n"


@contextmanager
def puppet() -> Iterator[Puppet]:
    arguments = [sys.executable, "-c", PUPPET]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "\n"
        yield Puppet(process)


def cheap() -> Glance:
    return Glance(cost=lambda: 0.0)


def test_a_whole_look_is_a_measurement() -> None:
    look = cheap().look(0, whole=True)
    measured = meter.tree_usage()
    assert look.usage.pss == pytest.approx(measured.pss, rel=0.05)
    assert look.usage.rss == pytest.approx(measured.rss, rel=0.05)
    assert look.peak_rss >= look.usage.rss
    assert look.cpu_s > 0


def test_growth_and_return_show_at_once_though_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = cheap()
    with puppet() as child:
        before = watch.look(0).usage
        monkeypatch.setattr(meter, "usage", lambda _: pytest.fail("measured"))
        child.do(f"block = bytearray(b'x') * {50 * MB}")
        during = watch.look(0.1).usage
        for name in ("pss", "rss", "uss", "anonymous"):
            assert getattr(during, name) - getattr(before, name) == pytest.approx(50 * MB, abs=MB)
        child.do("del block")
        assert watch.look(0.2).usage.pss == pytest.approx(before.pss, abs=MB)


def test_a_spike_between_two_looks_is_in_the_kernels_peak() -> None:
    watch = cheap()
    with puppet() as child:
        before = watch.look(0)
        child.do(f"block = bytearray(b'x') * {40 * MB}; del block")
        after = watch.look(0.1)
        assert after.usage.pss < before.usage.pss + 10 * MB
        assert after.peak_rss > before.peak_rss + 30 * MB


@pytest.mark.parametrize("first", [True, False])
def test_what_goes_while_it_is_measured_is_not_missed(first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's two accounts of a process are read one after the other."""
    block = [bytearray(b"x") * (60 * MB)]
    real = meter.usage

    def usage(pid: int) -> Usage:
        found = real(pid)
        if pid != os.getpid() or not block:
            return found
        block.clear()
        return found if first else real(pid)

    monkeypatch.setattr(meter, "usage", usage)
    watch = cheap()
    look = watch.look(0, whole=True)
    after = meter.tree_usage().pss
    assert look.usage.pss == pytest.approx(after, abs=5 * MB)
    assert look.own.peak - look.own.rss > 50 * MB
    assert watch.look(0.1).usage.pss == pytest.approx(after, abs=5 * MB)


def test_file_pages_are_measured_when_they_grow(tmp_path: Path) -> None:
    """Two processes that map the same file hold each page half; counting each in full would be 20 MB too much."""
    file = tmp_path / "weights"
    file.write_bytes(b"x" * (20 * MB))
    line = (
        f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); sum(m[::4096])"
    )
    watch = cheap()
    with puppet() as one, puppet() as other:
        before = watch.look(0).usage.pss
        one.do(line)
        other.do(line)
        watch.look(0.1)
        assert watch.look(5).usage.pss - before == pytest.approx(20 * MB, abs=3 * MB)


def test_workers_come_and_go() -> None:
    watch = cheap()
    alone = watch.look(0).usage
    with puppet() as child:
        child.do(f"block = bytearray(b'x') * {30 * MB}")
        assert watch.look(0.1).usage.rss < alone.rss + 25 * MB  # the tree is not listed at every look
        assert watch.look(0.6).usage.pss > alone.pss + 25 * MB
        child.process.kill()
        child.process.wait()
        assert watch.look(0.7).usage.pss < alone.pss + 10 * MB


def test_the_dearer_a_measurement_the_rarer(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[float] = []
    real = meter.usage
    now = 0.0
    spent = iter(range(1000))
    watch = Glance(cost=lambda: next(spent) * 0.01)  # each takes 10 ms: once in ten seconds is enough

    def usage(pid: int) -> object:
        if pid == os.getpid():
            measured.append(now)
        return real(pid)

    monkeypatch.setattr(meter, "usage", usage)
    for step in range(300):
        now = step / 10
        watch.look(now)
    assert measured == [0.0, 10.0, 20.0]


def test_a_child_between_birth_and_its_program_is_not_counted_twice() -> None:
    """Until it runs a program of its own, a new child has its parent's pages, and the kernel reports both in full."""
    block = bytearray(b"x") * (60 * MB)
    watch = cheap()
    alone = watch.look(0, whole=True).usage.pss
    stop = threading.Event()
    highest = 0

    def look() -> None:
        nonlocal highest
        while not stop.is_set():
            highest = max(highest, watch.look(0, whole=True).usage.pss)

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(30):
        subprocess.run(["true"], check=True)
    stop.set()
    thread.join()
    assert highest < alone + 40 * MB
    del block


def test_other_systems_are_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psutil")
    monkeypatch.setattr(meter, "_LINUX", False)
    monkeypatch.setattr(glance, "_LINUX", False)
    look = cheap().look(0)
    assert look.usage.rss >= look.usage.pss > 0
    assert glance._counters(2**22 + 1) is None


def test_who_has_ended_is_not_there() -> None:
    with puppet() as child:
        child.process.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert glance._counters(child.pid) is None  # not buried yet
    assert glance._counters(child.pid) is None
