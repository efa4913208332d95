from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lowvox.errors import BudgetError, EngineError, LowvoxError, WorkerDiedError
from lowvox.memory import meter
from lowvox.memory.budget import Budget
from lowvox.memory.manager import Manager
from lowvox.types import Footprint, Model

# Silero serves as every model here: as itself in this process, or under the name of an engine that lives in a worker.
VAD = Model("silero-vad", "silero-vad", "vad", ())
EARS = Model("pocketsphinx-en-us", "pocketsphinx", "recognizer", ("en",))
FRAME = bytes(1024)


@pytest.fixture
def manager(home: Path) -> Iterator[Manager]:
    made = Manager()
    yield made
    made.close()


def with_budget(manager: Manager, seats: float, each: int = 10) -> None:
    """Give it room for `seats` streams of `each` MB."""
    size = Footprint(0, each * meter.MB, 0, 0.1)
    manager.footprint = lambda model: size  # type: ignore[method-assign]
    manager._audio = lambda: Footprint(0, 0, 0, 0.0)  # type: ignore[method-assign]
    manager.budget = Budget(manager._base + int(seats * each * meter.MB))


def test_a_stream_is_lent_and_used_again(manager: Manager) -> None:
    with manager.lease(VAD) as (first,):
        assert 0 <= first.probability(FRAME) <= 1
    with manager.lease(VAD) as (second,):
        assert second is first
        with manager.lease(VAD) as (third,):
            assert third is not second
    with manager.lease(VAD, language="de") as (other,):
        assert other not in (first, third)


def test_a_stream_survives_the_failure_of_its_user(manager: Manager) -> None:
    with pytest.raises(ZeroDivisionError), manager.lease(VAD) as (first,):
        raise ZeroDivisionError
    with manager.lease(VAD) as (second,):
        assert second is first


def test_a_stream_whose_engine_has_died_is_not_lent_again(manager: Manager) -> None:
    with manager.lease(EARS) as (first,):
        os.kill(first._worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerDiedError):
            first.accept(FRAME)
    with manager.lease(EARS) as (second,):
        assert second is not first
        second.accept(FRAME)
    assert len(manager._seats) == 1


def test_what_does_not_fit_is_refused_before_it_is_loaded(manager: Manager) -> None:
    with_budget(manager, 0.5)
    with pytest.raises(BudgetError, match=r"needs \d+ MB at its peak \(silero-vad 10, .*nothing was loaded") as caught:
        manager.check([VAD])
    assert caught.value.needed > caught.value.budget == manager.budget.bytes  # type: ignore[union-attr]
    with pytest.raises(BudgetError), manager.lease(VAD):
        pytest.fail("it was lent")
    assert not manager._seats


def test_idle_streams_make_room(manager: Manager) -> None:
    with_budget(manager, 1)
    other = Model("other", "silero-vad", "vad", ())
    with manager.lease(VAD) as (first,):
        pass
    with manager.lease(other):
        assert [seat.model for seat in manager._seats] == [other]
    with manager.lease(VAD) as (again,):
        assert again is not first


def test_a_busy_stream_is_waited_for(manager: Manager) -> None:
    with_budget(manager, 1)
    waiting, got = threading.Event(), []

    def wait() -> None:
        waiting.set()
        with manager.lease(VAD) as (stream,):
            got.append(stream)

    with manager.lease(VAD) as (first,):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        assert not got
    thread.join(timeout=30)
    assert got == [first]


def test_a_job_gets_all_its_streams_or_waits_for_all(manager: Manager) -> None:
    with_budget(manager, 3)
    other = Model("other", "silero-vad", "vad", ())
    done: list[int] = []

    def job(number: int) -> None:
        with manager.lease(VAD, other):
            done.append(number)

    with manager.lease(VAD, other):
        threads = [threading.Thread(target=job, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(done) == [0, 1, 2, 3]


def test_nobody_waits_for_himself(manager: Manager) -> None:
    with_budget(manager, 1)
    with manager.lease(VAD), pytest.raises(BudgetError), manager.lease(VAD):
        pytest.fail("it was lent")


def test_a_closed_manager_loads_nothing(manager: Manager) -> None:
    manager.close()
    with pytest.raises(EngineError, match="This Speech is closed"), manager.lease(VAD):
        pytest.fail("it was lent")


def test_who_waits_when_it_is_closed_is_told(manager: Manager) -> None:
    with_budget(manager, 1)
    told: list[Exception] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        try:
            with manager.lease(VAD):
                pass
        except EngineError as error:
            told.append(error)

    with manager.lease(VAD):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        manager.close()
        thread.join(timeout=30)
    assert len(told) == 1


def test_closing_does_not_wait_for_work(manager: Manager) -> None:
    with manager.lease(EARS) as (stream,):
        os.kill(stream._worker.pid, signal.SIGSTOP)
        manager.close()
        with pytest.raises(WorkerDiedError, match="has been closed"):
            stream.accept(FRAME)


def test_a_failed_load_leaves_no_process(manager: Manager, tmp_path: Path) -> None:
    missing = Model("vosk-model", "vosk", "recognizer", ("en",), tmp_path)
    before = meter.tree()
    for _ in range(2):
        with pytest.raises(LowvoxError), manager.lease(missing):
            pytest.fail("it was lent")
    assert meter.tree() == before


def test_files_larger_than_the_budget_are_refused_unmeasured(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(3 * meter.MB))
    large = Model("large", "vosk", "recognizer", ("en",), tmp_path)
    manager.budget = Budget(2 * meter.MB)
    with pytest.raises(BudgetError, match="The files of large have 3 MB and the budget is 2 MB"):
        manager.check([large])


def test_the_budget_that_is_offered_is_enough(home: Path) -> None:
    with pytest.raises(BudgetError) as caught:
        Manager(Budget.parse("1 MB")).check([VAD])
    offer = str(caught.value).rsplit("--budget ", 1)[1].split()[0]
    Manager(Budget.parse(offer)).check([VAD])


def test_jobs_are_as_many_as_fit(manager: Manager) -> None:
    assert manager.fits(7, [VAD]) == 7
    with_budget(manager, 5.5)
    assert manager.fits(7, [VAD]) == 5
    assert manager.fits(7, [VAD, VAD]) == 2
    assert manager.fits(2, [VAD]) == 2
    with_budget(manager, 0.5)
    assert manager.fits(7, [VAD]) == 0


def test_a_footprint_is_measured_once_and_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "soundfile", raising=False)  # as in a process that has just begun
    told: list[str] = []
    for _ in range(2):
        manager = Manager(Budget.parse("4 GB"), on_measure=told.append)
        manager.check([VAD])
        assert {part.name for part in manager.parts()} == {"lowvox itself", "audio libraries", "silero-vad"}
        assert all(part.peak_mb is not None and part.peak_mb >= part.resident_mb for part in manager.parts())
        manager.close()
    assert [text.split(" once")[0] for text in told] == ["Measuring audio libraries", "Measuring silero-vad"]


def test_without_a_budget_nothing_is_measured(manager: Manager) -> None:
    manager.check([VAD])
    with manager.lease(VAD):
        part = manager.parts()[-1]
    assert part.name == "silero-vad"
    assert part.peak_mb is None


def test_a_worker_ends_with_the_manager(home: Path) -> None:
    before = set(meter.tree())
    manager = Manager()
    with manager.lease(EARS) as (stream,):
        stream.accept(bytes(3200))
        assert len(set(meter.tree()) - before) == 1
    manager.close()
    manager.close()
    assert set(meter.tree()) == before
