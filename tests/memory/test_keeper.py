"""The keeper's thread and what can happen between any two of its steps."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from lowvox.errors import EngineError
from lowvox.memory import meter, pressure
from lowvox.memory import residency as happened
from lowvox.memory.growth import Growth
from lowvox.memory.home import Home
from lowvox.memory.keeper import Keeper
from lowvox.memory.lending import Lent
from lowvox.memory.residency import Asked, Grant, Refuse, Ticket, Want
from lowvox.memory.share import Share
from lowvox.types import Choice, Footprint, Model
from replicas.standins import FRAME, MB, VAD, Clock, Staff, children, ended, in_thread, know, register, standin, until

SMALL = Footprint(resident=24 * MB, stream=MB, work=3 * MB, load_s=0.1)
A, B = (standin(name=name) for name in "ab")


@pytest.fixture
def staff(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Staff]:
    register(monkeypatch, "Engine")
    for model in (A, B):
        know(model, SMALL)
    made = Staff()
    yield made
    made.close()


def bare(room: int | None = None) -> Keeper:
    nothing = Share(None, lambda _: None)
    return Keeper(
        0,
        nothing,
        lambda: room,
        on_mark=lambda *_: None,
        on_load=lambda *_: None,
        on_busy=lambda _: None,
        clock=Clock(),
    )


def test_the_thread_ends_when_nothing_is_held_and_begins_again(staff: Staff) -> None:
    manager = staff()
    keeper = manager._keeper
    for _ in range(3):
        with manager.lease(A):
            thread = keeper._thread
        manager.unload("a")
        assert thread is not None
        assert ended(thread)
        assert not keeper._keeping
    keeper.post(happened.Ticked())
    assert not keeper._keeping


def test_jobs_from_many_threads_while_the_thread_comes_and_goes(staff: Staff) -> None:
    """Each lease ends with the model unloaded, so that the next may come just when the thread ends."""
    manager = staff()
    done: list[int] = []

    def work(number: int) -> None:
        for _ in range(10):
            with manager.lease(VAD) as (stream,):
                stream.probability(FRAME)
            manager.unload("vad")
            done.append(number)

    assert ended(*[in_thread(lambda number=number: work(number)) for number in range(4)])  # type: ignore[misc]
    assert len(done) == 40


def test_an_answer_that_nobody_waits_for_is_forgotten() -> None:
    keeper = bare(room=10)
    ticket = Ticket(1, 1, (Want(Choice(VAD, placement="in-process"), Footprint(20, 0, 0, 1.0)),))
    answer = keeper.ask(ticket, None)
    assert isinstance(answer, Refuse)
    assert keeper._answers == {}
    keeper._cancel(ticket)
    assert keeper._answers == {}


def test_room_is_what_it_is_at_each_step() -> None:
    rooms = [5]
    keeper = bare()
    keeper._room = lambda: rooms[0]
    keeper.post()
    assert keeper.state.room == 5
    rooms[0] = 7
    keeper.post(happened.Ticked())
    assert keeper.state.room == 7


def test_while_one_keeper_decides_no_other_does(staff: Staff) -> None:
    one, other = staff()._keeper, staff()._keeper
    decided: list[bool] = []

    def decide() -> None:
        other.post(happened.Ticked())
        decided.append(True)

    with one._changed:
        thread = in_thread(decide)
        assert not decided
    assert ended(thread)
    assert decided


def test_pressure_outside_evicts_what_is_idle(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()
    with manager.lease(A), manager.lease(B):
        pass
    with manager.lease(A):
        monkeypatch.setattr(pressure, "wanted", lambda _: 5 * MB)
        manager._keeper.post(happened.Ticked())  # whatever happens wakes the thread, which looks
        until(manager, lambda state: len(state.helds) == 1)
        assert [holding.model for holding in manager.holdings()] == ["a"]


def test_what_unloading_left_is_measured_anew(staff: Staff) -> None:
    manager = staff()
    with manager.lease(A):
        keeper = manager._keeper
        keeper.post(happened.Unloaded(-1, kept=MB))
        assert keeper.state.residue >= 0
        until(manager, lambda state: state.residue == 0)
        assert keeper.state.base == pytest.approx(meter.usage(os.getpid()).rss, rel=0.2)


def test_busy_is_told(staff: Staff) -> None:
    told: list[bool] = []
    manager = staff(on_busy=told.append)
    with manager.lease(A):
        pass
    manager._keeper._tick()
    assert told[0] is True
    assert told[-1] is False


# A worker that is replaced between two utterances.


def leaky(patch: pytest.MonkeyPatch) -> Model:
    register(patch, "Leaky")
    model = standin("Leaky", "leaky-20")
    know(model, SMALL)
    return model


def test_nothing_is_replaced_once_all_has_been_closed(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()
    model = leaky(monkeypatch)
    inside, go_on = threading.Event(), threading.Event()
    grown = Growth.grown

    def held_up(growth: Growth, size: int) -> bool:
        inside.set()
        go_on.wait(60)
        return grown(growth, size)

    raised: list[BaseException] = []
    with manager.lease(model) as (stream,):
        monkeypatch.setattr(Growth, "grown", held_up)

        def work() -> None:
            try:
                stream.finish()
            except EngineError as error:
                raised.append(error)

        thread = in_thread(work)
        inside.wait(60)
        manager.close()
        go_on.set()
        assert ended(thread)
    assert raised == []  # the utterance was done
    assert not children()


def test_closing_while_a_worker_is_replaced(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()
    model = leaky(monkeypatch)
    inside, go_on = threading.Event(), threading.Event()
    load = Home._load

    def held_up(home: Home) -> object:
        inside.set()
        go_on.wait(60)
        return load(home)

    told: list[str] = []
    with manager.lease(model) as (stream,):
        monkeypatch.setattr(Home, "_load", held_up)

        def work() -> None:
            with pytest.raises(EngineError) as caught:
                stream.finish()
            told.append(str(caught.value))

        thread = in_thread(work)
        inside.wait(60)
        closing = in_thread(manager.close)
        until(manager, lambda state: state.closed)
        while manager._keeper._homes and all(home._ended is None for home in manager._keeper._homes.values()):
            pass
        go_on.set()
        assert ended(thread, closing)
    assert told == ["leaky-20 has been closed; open it again."]
    assert not children()


def test_a_replacement_that_fails_is_told_and_the_next_job_works(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()
    model = leaky(monkeypatch)
    with manager.lease(model) as (stream,), monkeypatch.context() as patch:
        register(patch, "Leaky", at="naughty:Missing")
        with pytest.raises(EngineError, match="Missing"):
            stream.finish()
    with manager.lease(model) as (stream,):
        assert stream.partial() == ""


def test_a_stream_that_cannot_be_opened_anew(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()
    model = leaky(monkeypatch)
    with manager.lease(model) as (stream,), monkeypatch.context() as patch:
        patch.setattr(Home, "renew", broken)
        with pytest.raises(EngineError, match="no stream"):
            stream.finish()
    with manager.lease(model) as (stream,):
        assert stream.partial() == ""


def broken(home: Home, seat: int, options: object) -> None:
    home._streams.clear()
    raise EngineError("no stream")


def test_an_interrupted_return_spoils_what_was_not_looked_at(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()

    def interrupted(home: Home) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), manager.lease(A):
        monkeypatch.setattr(Home, "trim", interrupted)
    until(manager, lambda state: not state.helds)
    assert manager._keeper.state.jobs == ()


def test_a_return_after_the_end(staff: Staff) -> None:
    keeper = bare()
    ticket = Ticket(1, 1, ())
    keeper.give_back(ticket, Grant(1, ((7, 8),)))
    keeper.rested(7, Lent("x", None, None, lambda _: None))
    keeper.post(happened.Closed())
    keeper.post(Asked(ticket))
    assert isinstance(keeper._answers[1], Refuse)
    keeper.close()
    keeper.close()


def test_closing_from_its_own_thread(staff: Staff) -> None:
    def closed(kind: str, name: str) -> None:
        if kind == "evict":
            manager._keeper.close()

    manager = staff(on_mark=closed)
    with manager.lease(A):
        pass
    manager.unload("a")
    until(manager, lambda state: state.closed and not state.helds)
