from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lowvox.memory import meter
from lowvox.memory.gauge import Gauge
from lowvox.memory.worker import Worker
from lowvox.types import Model, Profile
from replicas import naughty

MB = meter.MB
BIG = Model("big-40", "", "recognizer", ())


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("PYTHONPATH", str(Path(naughty.__file__).parent))
    with closing(Worker("big-40")) as worker:
        yield worker


def test_the_whole_of_a_worker_is_more_than_what_was_added_to_it(worker: Worker) -> None:
    whole, added = Gauge(worker, whole=True), Gauge(worker, whole=False)
    worker.load("naughty:Big", BIG, Profile())
    assert 40 * MB < added.now() < 45 * MB
    assert 3 * MB < whole.now() - added.now() < 30 * MB
    assert added.files() < 5 * MB


def test_a_peak_is_told_once(worker: Worker) -> None:
    gauge = Gauge(worker, whole=False)
    number = worker.call(0, "load", "naughty:Big", BIG, Profile()).number
    worker.call(0, "release", number)
    assert gauge.now() < 10 * MB
    assert gauge.peak() > 40 * MB
    assert gauge.peak() < 10 * MB
    assert gauge.data > 40 * MB


def test_a_worker_that_has_ended_holds_nothing(worker: Worker) -> None:
    gauge = Gauge(worker, whole=False)
    worker.close()
    assert (gauge.now(), gauge.files(), gauge.peak()) == (0, 0, 0)
