from __future__ import annotations

from itertools import count

import pytest

from lowvox.memory import meter, monitor
from lowvox.memory.monitor import Monitor


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
