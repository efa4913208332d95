"""The manager's shell with real processes and real engines, good and bad."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import lowvox
from lowvox.audio.clip import PATH
from lowvox.errors import BudgetError, EngineError, LowvoxError, WorkerDiedError
from lowvox.memory import limit, meter, running
from lowvox.memory import residency as happened
from lowvox.memory.budget import Budget
from lowvox.memory.footprints import SOUND
from lowvox.memory.keeping import KeepAlive
from lowvox.memory.ledger import Ledger, key
from lowvox.memory.lending import Lent
from lowvox.memory.manager import Manager
from lowvox.memory.planner import Need
from lowvox.types import Footprint, Model, Usage
from replicas.standins import (
    FRAME,
    MB,
    VAD,
    Clock,
    Staff,
    Waiting,
    children,
    ended,
    in_thread,
    know,
    register,
    standin,
    until,
)

# Of a worker with an engine that needs next to nothing: 7.3 MB were measured, twice that where coverage is.
SMALL = Footprint(resident=24 * MB, stream=MB, work=3 * MB, load_s=0.1)
EACH = 28
A, B, C = (standin(name=name) for name in "abc")


@pytest.fixture
def staff(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Staff]:
    register(monkeypatch, "Engine")
    for model in (A, B, C):
        know(model, SMALL)
    Ledger().put(key(SOUND, "soundfile"), Footprint(0, 0, 0, 0.1))  # these tests read none
    made = Staff()
    yield made
    made.close()


def names(manager: Manager) -> list[str]:
    return [holding.model for holding in manager.holdings()]


def empty(manager: Manager) -> None:
    until(manager, lambda state: not state.helds)


def killed(pid: int | None) -> None:
    """Kill a worker, and wait until that is known."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        pass


# Lending.


def test_a_stream_is_lent_and_used_again(staff: Staff) -> None:
    manager = staff()
    with manager.lease(VAD) as (first,):
        assert 0 <= first.probability(FRAME) <= 1
    with manager.lease(VAD) as (second,):
        assert second.stream is first.stream
        with manager.lease(VAD) as (third,):
            assert third.stream is not second.stream
    with manager.lease(VAD, language="de") as (other,):
        assert other.stream not in (first.stream, third.stream)
    with pytest.raises(EngineError, match=r"The lease of silero-vad has ended; take another\."):
        first.probability(FRAME)


def test_a_stream_survives_the_failure_of_its_user(staff: Staff) -> None:
    manager = staff()
    with pytest.raises(ZeroDivisionError), manager.lease(A) as (first,):
        raise ZeroDivisionError
    with manager.lease(A) as (second,):
        assert second.stream is first.stream


def test_what_this_process_has_is_kept_though_it_took_nothing_anew(staff: Staff) -> None:
    """Its library is here from the second time on, so that loading it grows nothing."""
    for _ in range(2):
        manager = staff()
        with manager.lease(VAD) as (first,):
            pass
        with manager.lease(VAD) as (second,):
            assert second.stream is first.stream


def test_holdings_and_parts_tell_what_is_there(staff: Staff) -> None:
    marks: list[tuple[str, str]] = []
    manager = staff(1.5 * EACH, on_mark=lambda kind, name: marks.append((kind, name)))
    with manager.lease(A, sound=False):
        (holding,) = manager.holdings()
        assert (holding.model, holding.status, holding.leases, holding.streams) == ("a", "leased", 1, 1)
        assert holding.pid in children()
        assert (holding.bytes, holding.peak) == (25 * MB, 28 * MB)
    (holding,) = manager.holdings()
    assert (holding.status, holding.leases, holding.keep_alive, holding.pinned) == ("idle", 0, -1, False)
    manager.unload("a")
    empty(manager)
    assert manager.holdings() == ()
    assert marks == [("load", "a"), ("run", "a"), ("end", "a"), ("evict", "a")]
    assert [part.name for part in manager.parts()] == ["lowvox itself", "a"]
    assert manager.parts()[1].peak_mb == EACH


def test_a_job_gets_all_its_streams_or_waits_for_all(staff: Staff) -> None:
    manager, done = staff(2.5 * EACH), list[int]()

    def job(number: int) -> None:
        with manager.lease(A, B, sound=False):
            assert manager.taken <= 2 * EACH * MB
            done.append(number)

    with manager.lease(A, B, sound=False):
        threads = [in_thread(lambda number=number: job(number)) for number in range(4)]  # type: ignore[misc]
        until(manager, lambda state: len(state.line) == 4)
        assert not done
    assert ended(*threads)
    assert sorted(done) == [0, 1, 2, 3]


def test_a_lease_may_be_given_back_by_another_thread(staff: Staff) -> None:
    manager = staff(1.5 * EACH)
    with ExitStack() as leases:
        (lent,) = leases.enter_context(manager.lease(A, sound=False))
        assert ended(in_thread(leases.close))
        with pytest.raises(EngineError, match="The lease of a has ended"):
            lent.partial()
    with manager.lease(B, sound=False):
        assert names(manager) == ["b"]


# The waiting line.


def test_a_busy_stream_is_waited_for(staff: Staff) -> None:
    manager, got = staff(1.5 * EACH), list[object]()

    def wait() -> None:
        with manager.lease(A, sound=False) as (stream,):
            got.append(stream.stream)

    with manager.lease(A, sound=False) as (first,):
        thread = in_thread(wait)
        until(manager, lambda state: state.line)
        assert not got
    assert ended(thread)
    assert got == [first.stream]


def test_who_does_not_want_to_wait_is_told(staff: Staff) -> None:
    manager, told = staff(1.5 * EACH), list[str]()

    def ask() -> None:
        with pytest.raises(EngineError) as caught, manager.lease(B, sound=False, patience_s=0):
            pytest.fail("it was lent")
        told.append(str(caught.value))

    with manager.lease(A, sound=False):
        assert ended(in_thread(ask))
        assert manager._keeper.state.line == ()
    assert told == ["No memory of the budget became free in 0 s; try again later."]


def test_who_is_interrupted_leaves_the_line(staff: Staff) -> None:
    manager, go_on = staff(1.5 * EACH), threading.Event()
    holds = threading.Event()
    main = threading.get_ident()

    def hold() -> None:
        with manager.lease(A, sound=False):
            holds.set()
            go_on.wait(60)

    def interrupt() -> None:
        until(manager, lambda state: state.line)
        signal.pthread_kill(main, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        holder = in_thread(hold)
        holds.wait(60)
        interrupter = in_thread(interrupt)
        with pytest.raises(KeyboardInterrupt), manager.lease(B, sound=False):
            pytest.fail("it was lent")
    finally:
        signal.signal(signal.SIGINT, before)
        go_on.set()
    assert ended(holder, interrupter)
    assert manager._keeper.state.line == ()
    assert manager._keeper.state.jobs == ()
    assert manager._keeper._answers == {}
    with manager.lease(B, sound=False):
        assert names(manager) == ["b"]


def test_leases_of_one_thread_nest(staff: Staff) -> None:
    manager = staff(2.5 * EACH)
    with manager.lease(A, sound=False), manager.lease(B, sound=False):
        with pytest.raises(BudgetError) as caught, manager.lease(C, sound=False):
            pytest.fail("it was lent")
        assert caught.value.needed > caught.value.budget
        assert sorted(names(manager)) == ["a", "b"]


def test_of_those_who_wait_for_each_other_one_is_refused(staff: Staff) -> None:
    manager, told, both = staff(2.5 * EACH), list[str](), threading.Barrier(2)

    def job(mine: Model, yours: Model) -> None:
        with manager.lease(mine, sound=False):
            both.wait(60)
            try:
                with manager.lease(yours, sound=False):
                    told.append("lent")
            except BudgetError as error:
                told.append(str(error))

    assert ended(in_thread(lambda: job(A, B)), in_thread(lambda: job(B, A)))
    refusal, lent = told
    assert lent == "lent"
    assert "would take lowvox beside what the same job holds already to" in refusal


def test_a_line_has_an_end(staff: Staff) -> None:
    manager, told = staff(1.5 * EACH), list[type]()
    tickets = [manager._ticket([manager.choice(B)], {}, sound=False, lends=True) for _ in range(happened.LINE)]

    def ask() -> None:
        with (
            pytest.raises(EngineError, match="Too many jobs are waiting for memory already"),
            manager.lease(B, sound=False),
        ):
            pytest.fail("it was lent")
        told.append(EngineError)

    with manager.lease(A, sound=False):
        other = [happened.Ticket(ticket.id, -ticket.id, ticket.wants) for ticket in tickets]
        manager._keeper.post(*map(happened.Asked, other))
        assert ended(in_thread(ask))
        manager._keeper.post(*(happened.Cancelled(ticket.id) for ticket in other))
    assert told


# Room.


def test_what_does_not_fit_is_refused_before_it_is_loaded(staff: Staff) -> None:
    manager = staff(0.5 * EACH)
    told = r"^a would take lowvox to \d+ MB at its peak, and the budget is .*nothing was loaded"
    with pytest.raises(BudgetError, match=told), manager.lease(A, sound=False):
        pytest.fail("it was lent")
    assert not children()
    assert manager.holdings() == ()


def test_the_budget_that_is_offered_is_enough(staff: Staff) -> None:
    manager = staff(0.5 * EACH)
    for _ in range(2):
        with pytest.raises(BudgetError) as caught, manager.lease(A, B, sound=False):
            pytest.fail("it was lent")
    manager.budget = Budget.parse(str(caught.value).rsplit("--budget ", 1)[1].split()[0])
    with manager.lease(A, B, sound=False):
        assert sorted(names(manager)) == ["a", "b"]


def test_idle_models_make_room(staff: Staff) -> None:
    manager = staff(1.5 * EACH)
    for model in (A, B, C, A):
        with manager.lease(model, sound=False):
            assert names(manager) == [model.name]
            assert len(children()) == 1


def test_pinned_models_stay(staff: Staff) -> None:
    manager = staff(2.5 * EACH)
    for model in (A, B):
        with manager.lease(model, sound=False):
            pass
    manager.pin("a")
    assert [holding.pinned for holding in manager.holdings()] == [True, False]
    with manager.lease(C, sound=False):
        assert names(manager) == ["a", "c"]
    manager.press(2**40)
    assert names(manager) == ["a"]
    with pytest.raises(BudgetError), manager.lease(B, C, sound=False):
        pytest.fail("it was lent")
    manager.pin()
    with manager.lease(B, C, sound=False):
        assert sorted(names(manager)) == ["b", "c"]


def test_what_unloading_leaves_behind_is_not_taken_twice(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library stays in this process: a budget that holds the model holds it again."""
    register(monkeypatch, "Library", at="replicas.standins:Library", placements=("in-process",))
    model = standin("Library", "library-30")
    know(model, Footprint(resident=30 * MB, stream=MB, work=MB, load_s=0.1))
    manager = staff(33)
    for _ in range(4):
        with manager.lease(model, sound=False) as (stream,):
            assert stream.finish() == ()
            assert manager.taken < 33 * MB
        manager.unload("recognizer")
        empty(manager)
        manager._keeper._tick()  # from here on it is a part of what lowvox itself takes
        assert manager._keeper.state.residue == 0
    assert manager.parts()[1].resident_mb == 31


def test_preloading_costs_nobody_anything(staff: Staff) -> None:
    manager = staff(1.5 * EACH)
    assert manager.preload(A)
    (process,) = children()
    assert not manager.preload(B)
    assert names(manager) == ["a"]
    with manager.lease(A, sound=False):
        assert children() == {process}


def test_preloading_says_why_it_fails(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = staff()
    register(monkeypatch, "Missing")
    with pytest.raises(EngineError, match="Missing"):
        manager.preload(standin("Missing"))
    assert not children()


# Keeping.


def test_kept_for_no_time(staff: Staff) -> None:
    manager = staff(keep_alive=KeepAlive(0))
    with manager.lease(A):
        pass
    empty(manager)
    assert not children()


def test_kept_for_some_time(staff: Staff) -> None:
    clock = Clock()
    manager = staff(keep_alive=KeepAlive.parse("60s, b=-1, c=0"), clock=clock)
    with manager.lease(A, B, C):
        clock.now += 1000  # who is in use is not idle
        manager._keeper.post(happened.Ticked())
        assert names(manager) == ["a", "b", "c"]
    until(manager, lambda state: len(state.helds) == 2)
    clock.now += 59
    manager._keeper.post(happened.Ticked())
    assert names(manager) == ["a", "b"]
    with manager.lease(A):
        pass
    clock.now += 59
    manager._keeper.post(happened.Ticked())
    assert names(manager) == ["a", "b"]
    assert manager.holdings()[0].idle_s == 59
    clock.now += 1
    manager._keeper.post(happened.Ticked())
    until(manager, lambda state: len(state.helds) == 1)
    clock.now += 1e9
    manager._keeper.post(happened.Ticked())
    assert names(manager) == ["b"]


def test_time_ends_without_anybody_asking(staff: Staff) -> None:
    manager = staff(keep_alive=KeepAlive(0.01))
    with manager.lease(A):
        pass
    empty(manager)


@pytest.mark.parametrize("name", ["a", "recognizer"])
def test_unloading_by_name_and_role(staff: Staff, name: str) -> None:
    manager = staff()
    with manager.lease(A), manager.lease(VAD):
        pass
    manager.unload(name)
    until(manager, lambda state: len(state.helds) == 1)
    assert names(manager) == ["silero-vad"]
    with manager.lease(A) as (stream,):
        manager.unload(name)
        manager.unload("nothing")
        assert stream.finish() == ()
        with manager.lease(VAD):
            pass
    until(manager, lambda state: len(state.helds) == 1)
    assert not children()


# Limits of the whole process.


def test_a_limit_shrinks_the_room_and_ends(staff: Staff) -> None:
    manager = staff(3000)
    with limit.limited(meter.tree_usage().pss + 2000 * MB) as inner:
        assert manager.stated == manager.room == inner.bytes
        with limit.limited(inner.bytes - 500 * MB) as least:
            assert manager.room == least.bytes
        assert manager.room == inner.bytes
        other = staff(100)
        assert other.stated == other.budget.bytes  # type: ignore[union-attr]
    assert manager.room == manager.budget.bytes  # type: ignore[union-attr]


def test_a_limit_is_a_budget_where_there_is_none(staff: Staff) -> None:
    manager = staff()
    base = manager.footprints.base
    with manager.lease(A):
        pass
    with limit.limited(base + int(1.5 * EACH * MB)) as within:
        assert manager.room == within.bytes
        with manager.lease(B, sound=False):
            assert names(manager) == ["b"]  # and what was idle is gone
            with pytest.raises(BudgetError), manager.lease(A, sound=False):
                pytest.fail("it was lent")
    with manager.lease(A, B, C):
        assert len(names(manager)) == 3


def test_entering_a_limit_has_what_is_idle_go_first(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Big")
    manager = staff()
    with manager.lease(standin("Big", "big-300")):
        pass
    with limit.limited(meter.tree_usage().pss - 200 * MB):
        assert not children()


# Two managers of one process.


def test_two_managers_do_not_pass_their_budgets_together(staff: Staff) -> None:
    one, other = staff(2.5 * EACH), staff(2.5 * EACH)
    other.budget = one.budget
    with one.lease(A, sound=False), other.lease(B, sound=False):
        assert one.room == one.budget.bytes - other.taken  # type: ignore[union-attr]
        with pytest.raises(BudgetError), other.lease(C, sound=False):
            pytest.fail("it was lent")
    with one.lease(A, B, sound=False):  # what the other holds idle makes room
        assert names(other) == []


def test_who_is_refused_for_another_manager_waits_for_it(staff: Staff) -> None:
    one, other, got = staff(1.5 * EACH), staff(1.5 * EACH), list[str]()
    other.budget = one.budget

    def wait() -> None:
        with other.lease(B, sound=False):
            got.extend(names(other))

    with one.lease(A, sound=False):
        with pytest.raises(EngineError, match="No memory of the budget became free in 0 s"):
            in_other(lambda: other.lease(B, sound=False, patience_s=0).__enter__())
        thread = in_thread(wait)
        assert not got
    assert ended(thread)
    assert got == ["b"]


def in_other(work: object) -> None:
    """Do something in another thread, and raise here what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            raised.append(error)

    assert ended(in_thread(run))
    if raised:
        raise raised[0]


# Engines that misbehave.


def naughty(patch: pytest.MonkeyPatch, engine: str, size: Footprint = SMALL) -> Model:
    register(patch, engine)
    model = standin(engine, f"{engine.lower()}-20")
    know(model, size)
    return model


def test_a_worker_that_has_died_while_idle_is_noticed(staff: Staff) -> None:
    manager = staff(1.5 * EACH)
    with manager.lease(A, sound=False):
        first = manager.holdings()[0].pid
    killed(first)
    with manager.lease(A, sound=False) as (stream,):
        assert stream.finish() == ()
        assert manager.holdings()[0].pid != first
    killed(manager.holdings()[0].pid)
    with manager.lease(A, sound=False, language="en") as (stream,):  # which opens another stream in it
        assert stream.finish() == ()


def test_a_worker_that_dies_at_work_is_not_lent_again(staff: Staff) -> None:
    manager = staff(1.5 * EACH)
    with manager.lease(A, sound=False) as (stream,):
        killed(manager.holdings()[0].pid)
        with pytest.raises(WorkerDiedError, match="SIGKILL"):
            stream.finish()
    with manager.lease(A, sound=False) as (stream,):
        assert stream.finish() == ()
        assert len(names(manager)) == 1


def test_an_engine_that_crashes_fails_one_job(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, model = staff(2.5 * EACH), naughty(monkeypatch, "Crashing")
    with manager.lease(A, sound=False) as (good,):
        for _ in range(2):
            with manager.lease(model, sound=False) as (stream,):
                stream.accept(FRAME)
                with pytest.raises(WorkerDiedError, match="The process of crashing-20 was killed by SIGSEGV"):
                    stream.finish()
        assert good.finish() == ()


def test_an_engine_that_leaks_is_replaced_and_memory_stays_bounded(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[str] = []
    size = Footprint(resident=24 * MB, stream=MB, work=30 * MB, load_s=0.1)
    manager = staff(60, on_mark=lambda kind, _: marks.append(kind))
    model = naughty(monkeypatch, "Leaky", size)
    with manager.lease(model, sound=False) as (stream,):
        for _ in range(6):
            stream.accept(FRAME)
            assert stream.finish() == ()
            assert meter.total(list(children())).uss <= size.peak()
    assert marks.count("recycle") == 6
    assert marks.count("load") == 1


def test_a_stream_is_not_replaced_while_another_job_has_one_beside_it(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[str] = []
    manager = staff(on_mark=lambda kind, _: marks.append(kind))
    register(monkeypatch, "Leaky", capacity=None)
    model = standin("Leaky", "leaky-20")
    know(model, SMALL)
    with manager.lease(model) as (one,):
        with manager.lease(model) as (other,):
            assert one.finish() == other.finish() == ()
            assert (one.partial(), other.partial()) == ("", "")
            (holding,) = manager.holdings()
            assert (holding.streams, holding.leases) == (2, 2)
        assert "recycle" not in marks
        assert one.finish() == ()
    empty(manager)  # what has leaked is not used for the next job
    assert not children()


def test_an_engine_that_refuses_to_close_is_unloaded(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, model = staff(1.5 * EACH), naughty(monkeypatch, "Clinging")
    for language in ("en", "de"):
        with manager.lease(model, sound=False, language=language) as (stream,):
            assert stream.finish() == ()
    manager.unload("recognizer")
    empty(manager)
    assert not children()


def test_an_engine_of_this_process_that_refuses_to_close(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Clinging", at="replicas.naughty:Clinging", placements=("in-process",))
    manager = staff()
    for language in ("en", "de"):
        with manager.lease(standin("Clinging"), language=language) as (stream,):
            assert stream.finish() == ()
    manager.unload("recognizer")
    empty(manager)
    with manager.lease(VAD) as (stream,):
        stream.reset()


def test_an_engine_that_hangs_is_stopped_and_others_go_on(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowvox.memory.home._SHORTEST_S", 0.5)
    manager = staff(3.5 * EACH)
    model = naughty(monkeypatch, "Hanging", Footprint(24 * MB, MB, 3 * MB, load_s=0.0001))
    told: list[str] = []

    def hang() -> None:
        with pytest.raises(WorkerDiedError) as caught, manager.lease(model, sound=False):
            pytest.fail("it was lent")
        told.append(str(caught.value))

    with manager.lease(A, sound=False):
        pass
    thread = in_thread(hang)
    until(manager, lambda state: state.loading is not None)
    with manager.lease(A, sound=False) as (stream,):
        assert stream.finish() == ()
    with manager.lease(B, sound=False) as (stream,):
        assert stream.finish() == ()
    assert ended(thread)
    assert told == ["hanging-20 did not finish loading in 0.5 s; try again, or take another model (`lowvox models`)."]
    assert len(children()) == 2


def test_an_engine_that_is_loud_does_no_harm(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    manager, model = staff(1.5 * EACH), naughty(monkeypatch, "Loud")
    with manager.lease(model, sound=False) as (stream,):
        for _ in range(2):
            assert stream.finish() == ()
    assert capfd.readouterr() == ("", "")


def test_an_engine_that_lies_meets_its_ceiling(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Liar")
    model = standin("Liar", "liar-300")
    know(model, Footprint(24 * MB, MB, 3 * MB, load_s=0.1, data=60 * MB))
    manager = staff(2.5 * EACH)
    with manager.lease(A, sound=False) as (good,):
        for _ in range(2):
            with manager.lease(model, sound=False) as (stream,):
                stream.accept(b"\1" * 1024)
                stream.finish()  # as when it was measured
                stream.accept(FRAME)
                with pytest.raises(WorkerDiedError) as caught:
                    stream.finish()
                assert str(caught.value) == (
                    "liar-300 needed more than the 71 MB that were planned for it, and was stopped; give it a larger "
                    "--budget or a smaller model (`lowvox fit`)."
                )
        assert good.finish() == ()


def test_an_engine_that_lies_without_a_ceiling_is_stopped_by_the_guard(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = naughty(monkeypatch, "Leaky", SMALL)  # nothing is known of what a resource limit would count
    manager = staff(3.5 * EACH)
    with manager.lease(A, sound=False):
        pass
    with manager.lease(B, sound=False) as (good,), manager.lease(model, sound=False) as (stream,):
        monkeypatch.setattr("lowvox.memory.growth.Growth.suspect", lambda *_: False)
        stream.finish()
        stream.finish()
        manager.guard(Usage(manager.budget.bytes - 1, 0, 0, 0))  # type: ignore[union-attr]
        assert stream.partial() == ""
        manager.guard(Usage(manager.budget.bytes + 1, 0, 0, 0))  # type: ignore[union-attr]
        until(manager, lambda state: len(state.helds) == 2)  # what was idle went
        with pytest.raises(
            WorkerDiedError, match=r"^leaky-20 took [45]\d MB where 28 were planned, and was stopped to keep"
        ):
            stream.finish()
        assert good.finish() == ()
        assert sorted(names(manager)) == ["b", "leaky-20"]
    until(manager, lambda state: len(state.helds) == 1)


def test_without_a_budget_there_is_nothing_to_guard(staff: Staff) -> None:
    manager = staff()
    with manager.lease(A):
        manager.guard(Usage(2**40, 0, 0, 0))
        assert names(manager) == ["a"]


def test_an_engine_that_ends_whenever_it_has_been_loaded(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Engine", at="replicas.standins:Unready", placements=("in-process",))
    manager = staff()
    told = "x ends as soon as it has been loaded; `lowvox doctor`"
    with pytest.raises(EngineError, match=told), manager.lease(standin("Engine", "x")):
        pytest.fail("it was lent")
    empty(manager)


def test_a_failed_load_leaves_no_process(staff: Staff, tmp_path: Path) -> None:
    manager = staff()
    missing = Model("vosk-model", "vosk", "recognizer", ("en",), tmp_path)
    for _ in range(2):
        with pytest.raises(LowvoxError), manager.lease(missing):
            pytest.fail("it was lent")
    assert not children()
    assert manager.holdings() == ()


# The end.


def test_a_closed_manager_loads_nothing(staff: Staff) -> None:
    manager = staff()
    manager.close()
    with pytest.raises(EngineError, match="This Speech is closed; open another"), manager.lease(VAD):
        pytest.fail("it was lent")
    assert not manager.preload(VAD)
    manager.unload("vad")
    manager.guard(Usage(2**40, 0, 0, 0))
    manager.close()


def test_who_waits_when_it_is_closed_is_told(staff: Staff) -> None:
    manager, told = staff(1.5 * EACH), list[str]()

    def wait() -> None:
        with pytest.raises(EngineError) as caught, manager.lease(B, sound=False):
            pytest.fail("it was lent")
        told.append(str(caught.value))

    with manager.lease(A, sound=False):
        thread = in_thread(wait)
        until(manager, lambda state: state.line)
        manager.close()
        assert ended(thread)
    assert told == ["This Speech is closed; open another."]


def test_closing_while_a_model_loads(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, model, told = staff(), naughty(monkeypatch, "Hanging"), list[str]()

    def load() -> None:
        with pytest.raises(EngineError) as caught, manager.lease(model):
            pytest.fail("it was lent")
        told.append(str(caught.value))

    thread = in_thread(load)
    until(manager, lambda state: state.loading is not None)
    manager.close()
    assert ended(thread)
    assert told == ["This Speech is closed; open another."]
    assert not children()


def test_closing_does_not_wait_for_work(staff: Staff) -> None:
    manager = staff()
    with manager.lease(A) as (stream,), manager.lease(VAD) as (vad,):
        pid = manager.holdings()[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        told: list[str] = []

        def work() -> None:
            with pytest.raises(WorkerDiedError) as caught:
                stream.finish()
            told.append(str(caught.value))

        thread = in_thread(work)
        manager.close()
        assert ended(thread)
        assert told == ["a has been closed; open it again."]
        with pytest.raises(EngineError):
            vad.probability(FRAME)


def test_closing_does_not_wait_for_ever_for_this_process(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "Waiting", at="replicas.standins:Waiting", placements=("in-process",))
    monkeypatch.setattr("lowvox.memory.keeper._GRACE_S", 0.01)
    manager, told = staff(), list[str]()

    def load() -> None:
        with pytest.raises(EngineError) as caught, manager.lease(standin("Waiting")):
            pytest.fail("it was lent")
        told.append(str(caught.value))

    thread = in_thread(load)
    assert Waiting.begun.wait(60)
    manager.close()
    assert ended(thread)
    assert told == ["This Speech is closed; open another."]
    assert running.read() == ()
    Waiting.may.set()
    empty(manager)  # what it loaded all the same is unloaded
    assert manager._keeper._thread is not None
    assert ended(manager._keeper._thread)
    assert running.read() == ()


@pytest.mark.parametrize("moment", ["load", "run", "accept"])
def test_closing_a_speech_while_another_thread_uses_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    threads = set(threading.enumerate())
    came, told = threading.Event(), list[str]()
    speech = lowvox.Speech(language="en")
    mark, accept = speech.manager._mark, Lent.accept

    def marked(kind: str, name: str) -> None:
        mark(kind, name)
        if (kind, name) in (
            ("load", "pocketsphinx-en-us"),
            ("run", "silero-vad, pocketsphinx-en-us"),
        ) and kind == moment:
            came.set()

    def accepted(lent: Lent, pcm: bytes) -> None:
        if moment == "accept":
            came.set()
        accept(lent, pcm)

    monkeypatch.setattr(speech.manager, "_mark", marked)
    monkeypatch.setattr(speech.manager._keeper, "_mark", marked)
    monkeypatch.setattr(Lent, "accept", accepted)

    def use() -> None:
        with pytest.raises(EngineError) as caught:
            for _ in range(100):
                speech.transcribe(PATH)
        told.append(str(caught.value))

    thread = in_thread(use)
    assert came.wait(60)
    speech.close()
    assert ended(thread)
    assert "closed" in told[0]
    assert not children()
    assert ended(*set(threading.enumerate()) - threads)


def test_a_worker_ends_with_the_manager(staff: Staff) -> None:
    manager = staff()
    with manager.lease(A) as (stream,):
        stream.accept(bytes(3200))
        assert len(children()) == 1
    manager.close()
    assert not children()


# What it cannot hold, and where it cannot write.


def test_the_budget_that_the_command_offers_is_enough(measured: Path) -> None:
    """Run it."""
    command = [sys.executable, "-c", "from lowvox.commands import main; main()", "transcribe", str(PATH), "--budget"]
    refused = subprocess.run([*command, "60MB"], capture_output=True, text=True)
    assert refused.returncode == 3
    offer = refused.stderr.rsplit("--budget ", 1)[1].split()[0].rstrip(";.")
    done = subprocess.run([*command, offer, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    memory = json.loads(done.stdout)["memory"]
    assert memory["peak_pss_mb"] <= memory["budget_mb"] == float(offer.removesuffix("MB"))


def test_files_larger_than_the_budget_are_refused_unmeasured(staff: Staff, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(3 * MB))
    large = Model("large", "vosk", "recognizer", ("en",), tmp_path)
    manager = staff()
    manager.budget = Budget(2 * MB)
    told = "The files of large have 3 MB and the budget is 2 MB"
    with pytest.raises(BudgetError, match=told), manager.lease(large):
        pytest.fail("it was lent")


def test_jobs_are_as_many_as_fit(staff: Staff) -> None:
    manager = staff()
    need = Need("recognizer", (A,))
    assert manager.most([need], 7) == 7
    manager = staff(3.5 * EACH)
    assert manager.most([need], 7) == 3
    assert manager.plan([need]).fits


def test_session_settings_are_for_models_that_have_a_session(staff: Staff) -> None:
    manager = staff(session=lambda: (("enable_mem_pattern", False),))
    assert manager.entry("lowvox-te").profiles[0].stated == (("enable_mem_pattern", False),)
    assert manager.entry("espeak").profiles[0].stated == ()


def test_threads_are_those_asked_for(staff: Staff) -> None:
    assert staff(threads=3).choice(A).profile.threads == 3
    assert staff().choice(A).profile.threads == 1


def test_a_footprint_tells_what_a_model_takes(staff: Staff) -> None:
    assert staff().footprint(A) == SMALL


@pytest.mark.parametrize("budget", [None, 40])
def test_a_home_that_cannot_be_written_is_gone_without(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, budget: float | None
) -> None:
    monkeypatch.setenv("LOWVOX_HOME", "/proc/nowhere")
    told: list[str] = []
    manager = staff(budget, on_note=told.append)
    for _ in range(2):
        with manager.lease(VAD, sound=False) as (stream,):
            assert 0 <= stream.probability(FRAME) <= 1
    measured = [text for text in told if text.startswith("Measuring")]
    assert len(measured) == (budget is not None)
    assert len(told) - len(measured) <= 1


# All of it at once.


def test_hundreds_of_jobs_from_eight_threads(staff: Staff) -> None:
    know(VAD, Footprint(resident=9 * MB, stream=MB, work=MB, load_s=0.1))
    # Never room for all of them. ONNX Runtime's first load in this process takes more than the VAD's footprint says.
    manager = staff(28 + 2 * EACH)
    jobs = [(VAD,), (VAD, A), (A,), (A, B), (B,), (VAD,), (VAD, B), (VAD, A)]
    done: list[int] = []
    raised: list[BaseException] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        try:
            for number in range(40):
                models = (C,) if number % 20 == seed else rng.choice(jobs)
                with manager.lease(*models, sound=False, language=rng.choice(("en", "en", "de"))) as streams:
                    for stream, model in zip(streams, models, strict=True):
                        answer = stream.probability(FRAME) if model is VAD else stream.finish()
                        assert answer == () or 0 <= answer <= 1
                done.append(number)
        except BaseException as error:
            raised.append(error)

    assert ended(*[in_thread(lambda seed=seed: work(seed)) for seed in range(8)])  # type: ignore[misc]
    assert raised == []
    assert len(done) == 8 * 40
    state = manager._keeper.state
    assert (state.line, state.jobs, manager._keeper._answers) == ((), (), {})
    assert meter.tree_usage().pss <= manager.budget.bytes  # type: ignore[union-attr]
