from __future__ import annotations

import threading
from itertools import count
from pathlib import Path

import pytest

from lowvox.memory import meter, monitor
from lowvox.memory.alerts import Alert
from lowvox.memory.history import read
from lowvox.memory.monitor import Mark, Monitor
from lowvox.types import Usage


def test_a_peak_stays_when_the_memory_has_gone() -> None:
    watch = Monitor()
    before = watch.sample().pss
    block = bytearray(b"x" * (50 * meter.MB))
    watch.sample()
    del block
    assert watch.sample().pss < before + 25 * meter.MB
    assert watch.peak.pss >= before + 45 * meter.MB
    assert watch.peak_rss >= watch.peak.rss


def test_the_time_line_never_grows_however_long_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "_LONGEST", 16)
    ticks = count()
    watch = Monitor(clock=lambda: float(next(ticks)))
    for _ in range(200):
        watch.sample()
    times = [at for at, _ in watch.timeline]
    assert len(times) < 16
    assert times == sorted(times)
    assert times[0] == 1.0
    assert times[-1] >= 180


def test_a_peak_stays_on_the_time_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "_LONGEST", 8)
    watch = Monitor()
    for at in range(100):
        watch._remember(float(at), 999 if at == 13 else at)
    assert len(watch.timeline) <= 8
    assert max(pss for _, pss in watch.timeline) == 999


def test_sampling_starts_and_stops() -> None:
    watch = Monitor()
    watch.start()
    watch.stop()
    watch.stop()
    assert watch.timeline
    assert watch.peak.pss > 0


@pytest.fixture
def watch() -> Monitor:
    """A monitor whose clock goes a second further at each look, from 0."""
    ticks = count()
    return Monitor(clock=lambda: float(next(ticks)))


def test_marks_have_their_time(watch: Monitor) -> None:
    watch.mark("load", "silero-vad")
    watch.mark("evict", "silero-vad")
    assert list(watch.marks) == [Mark(1.0, "load", "silero-vad"), Mark(2.0, "evict", "silero-vad")]
    for _ in range(5000):
        watch.mark("run", "a")
    assert len(watch.marks) == 1000


def test_whoever_enforces_is_told_of_every_look(watch: Monitor) -> None:
    told: list[Usage] = []
    watch.on_sample = told.append
    found = [watch.look(), watch.look()]
    assert told == found
    watch.sample()  # which may be called by the listener itself
    assert told == found


def test_alerts_are_kept_and_told(watch: Monitor) -> None:
    told: list[Alert] = []
    watch.on_alert = told.append
    watch.look()
    watch.budget = watch.peak.pss // 2
    watch.look()
    watch.look()
    assert [alert.kind for alert in told] == ["over"]
    assert list(watch.alerts) == told


def test_a_listener_that_fails_does_not_end_the_watch(watch: Monitor, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the listener's own")

    watch.on_sample = fail
    assert watch.look().pss > 0
    assert watch.look().pss > 0
    assert capsys.readouterr().err.count("RuntimeError: the listener's own") == 2


def test_the_rings_follow(tmp_path: Path) -> None:
    ticks, wall = count(), count(1e9)
    watch = Monitor(clock=lambda: float(next(ticks)), wall=lambda: float(next(wall)), history=tmp_path / "1.history")
    for _ in range(130):
        watch.look()
    seconds, minutes = read(tmp_path / "1.history")
    assert [entry.time for entry in seconds] == [1e9 + second for second in range(129)]
    assert len(minutes) == 2
    assert all(0 < entry.uss <= entry.pss <= entry.rss for entry in seconds)
    assert all(entry.peak >= entry.pss for entry in minutes)
    assert seconds[-1].cpu_s >= seconds[0].cpu_s > 0
    watch.history.close()


def test_the_thread_looks_rarely_at_rest_and_at_once_when_work_begins() -> None:
    watch = Monitor()
    looked = threading.Event()
    watch.on_sample = lambda _: looked.set()
    watch.pace(busy=False)
    watch.start()
    watch.pace(busy=True)
    assert looked.wait(60)
    watch.pace(busy=True)
    watch.stop()
    looked.clear()
    assert not any(thread.name == "lowvox-monitor" for thread in threading.enumerate())
