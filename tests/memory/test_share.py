"""One budget for several managers: of this process, and of another one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from lowvox.errors import BudgetError, EngineError
from lowvox.memory import meter, running, share
from lowvox.memory import residency as happened
from lowvox.memory.budget import Budget
from lowvox.memory.footprints import Footprints
from lowvox.memory.manager import Manager
from lowvox.memory.residency import State, Ticket, Want
from lowvox.memory.share import Share
from lowvox.types import Choice, Footprint
from replicas.standins import MB, VAD, Staff, children, ended, in_thread, know, register, standin, until
from replicas.tenant import Tenant, tenant

pytestmark = pytest.mark.usefixtures("home")
SMALL = Footprint(resident=24 * MB, stream=MB, work=3 * MB, load_s=0.1)
EACH = 28 * MB
A, B, C = (standin(name=name) for name in "abc")


def reserved() -> int:
    return sum(state.reserved for state in running.read())


@pytest.fixture
def staff(monkeypatch: pytest.MonkeyPatch) -> Iterator[Staff]:
    register(monkeypatch, "Engine")
    for model in (A, B, C):
        know(model, SMALL)
    made = Staff()
    yield made
    made.close()
    assert all(state.pid != os.getpid() for state in running.read())


# The share itself.


def ticket(number: int, size: int) -> Ticket:
    return Ticket(number, number, (Want(Choice(VAD), Footprint(size, 0, 0, 1.0)),))


class Pauses:
    """Lets something happen instead of time."""

    def __init__(self) -> None:
        self.count = 0
        self.then: dict[int, object] = {}

    def __call__(self, seconds: float) -> None:
        assert seconds == share._PAUSE_S
        self.count += 1
        if happens := self.then.get(self.count):
            happens()  # type: ignore[operator]


def shared(pauses: Pauses, size: int = 100) -> Share:
    return Share(Budget(size, shared=True), lambda _: None, pause=pauses)


def test_a_claim_stays_until_it_is_answered_and_settled() -> None:
    pauses = Pauses()
    one = shared(pauses)
    one.claim(State(base=10), ticket(1, 50), 100)
    assert one.reserved == reserved() == 60
    one.settle(lambda: 10)
    assert one.reserved == reserved() == 60
    one.answered(ticket(1, 50))
    one.answered(ticket(1, 50))
    one.settle(lambda: 10)
    assert one.reserved == reserved() == 10
    assert pauses.count == 0
    one.close()
    assert reserved() == 0


def test_who_gets_nothing_waits_a_little_and_asks_the_others() -> None:
    pauses = Pauses()
    one, other = shared(pauses), shared(pauses)
    one.claim(State(), ticket(1, 60), 100)
    other.claim(State(), ticket(1, 50), 100)
    assert (other.reserved, pauses.count) == (0, share._TRIES)
    assert one.wanted() == 10

    def give_back() -> None:
        one.answered(ticket(1, 60))
        one.settle(lambda: 40)

    pauses.count, pauses.then = 0, {3: give_back}
    other.claim(State(), ticket(1, 50), 100)
    assert (one.reserved, other.reserved, pauses.count) == (40, 50, 3)
    assert one.wanted() == 0
    for each in (one, other):
        each.close()


def test_too_much_is_not_waited_for() -> None:
    pauses = Pauses()
    one = shared(pauses)
    one.claim(State(), ticket(1, 101), 100)
    assert (one.reserved, pauses.count) == (0, 0)


def test_a_limit_here_is_none_of_the_others_business() -> None:
    pauses = Pauses()
    one, other = shared(pauses), shared(pauses)
    one.claim(State(), ticket(1, 30), 40)
    other.claim(State(), ticket(1, 60), 100)
    assert reserved() == 90
    for each in (one, other):
        each.close()


def test_a_closed_share_takes_and_tells_nothing() -> None:
    pauses = Pauses()
    one, other = shared(pauses), shared(pauses)
    other.claim(State(), ticket(1, 90), 100)
    pauses.then = {2: one.close}
    one.claim(State(), ticket(1, 50), 100)
    assert pauses.count == 2
    one.settle(lambda: 5)
    one.publish(State(base=5), ())
    assert [len(state.claims) for state in running.read()] == [1]
    other.close()
    assert running.read() == ()


def test_a_private_budget_reserves_nothing_and_is_told_all_the_same() -> None:
    private = Share(Budget(100), lambda _: None)
    assert not private.active
    private.settle(lambda: 50)
    private.publish(State(base=5), ())
    (state,) = running.read()
    assert (state.reserved, state.shared, state.base, state.budget) == (0, False, 5, 100)
    assert private.wanted() == 0
    assert private.told(200 * MB, 100 * MB, 0) == "the budget is 100 MB"
    private.close()
    assert running.read() == ()


def test_a_note_that_fails_does_no_harm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LOWVOX_HOME", "/proc/nowhere")

    def note(text: str) -> None:
        raise RuntimeError("main thread is not in main loop")

    one = Share(Budget(100, shared=True), note)
    one.claim(State(), ticket(1, 50), 100)
    assert one.reserved == 50  # where nothing can be shared, the budget is this process's alone
    assert "main thread is not in main loop" in capsys.readouterr().err


# Managers of this process.


def sharing(staff: Staff, size: int) -> Manager:
    return staff(budget=Budget(size, shared=True))


def test_a_job_in_line_is_not_refused_for_what_is_not_taken_yet(staff: Staff) -> None:
    manager = sharing(staff, Footprints().base + 2 * EACH)
    know(C, Footprint(resident=40 * MB, stream=MB, work=4 * MB, load_s=0.1))
    got: list[str] = []

    def wait() -> None:
        with manager.lease(C, sound=False):
            got.append("c")

    with manager.lease(A, sound=False):
        thread = in_thread(wait)
        until(manager, lambda state: state.line)
        keeper = manager._keeper
        keeper._share.settle(lambda: keeper.state.charge)
        keeper.post(happened.Ticked())
        assert len(keeper.state.line) == 1
    assert ended(thread)
    assert got == ["c"]


def test_a_model_that_takes_a_little_more_than_it_should_gets_it(staff: Staff) -> None:
    manager = sharing(staff, Footprints().base + 2 * EACH)
    know(A, Footprint(resident=MB, stream=0, work=MB, load_s=0.1))
    with manager.lease(A, sound=False) as (stream,):
        assert stream.finish() == ()
        assert manager.taken > 5 * MB
        assert reserved() >= manager._keeper.state.charge


def test_what_was_unloaded_last_is_given_back_too(staff: Staff) -> None:
    manager = sharing(staff, Footprints().base + 2 * EACH)
    with manager.lease(A, sound=False):
        assert reserved() == manager._keeper.state.charge
    thread = manager._keeper._thread
    manager.unload("a")
    assert thread is not None
    thread.join(60)
    assert not thread.is_alive()
    assert reserved() == manager._keeper.state.base
    (state,) = running.read()
    assert state.holdings == ()


def test_managers_of_one_process_count_once(staff: Staff) -> None:
    size = 2 * Footprints().base + int(2.5 * EACH)  # each has this process as its base
    one, other = sharing(staff, size), sharing(staff, size)
    with one.lease(A, sound=False), other.lease(B, sound=False):
        assert reserved() <= size
        with pytest.raises(BudgetError), other.lease(C, sound=False):
            pytest.fail("it was lent")


def test_a_closed_manager_reserves_nothing(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "_PAUSE_S", 1e9)
    manager = sharing(staff, Footprints().base + 2 * EACH)
    manager.close()
    with pytest.raises(EngineError, match="closed"), manager.lease(A, sound=False):
        pytest.fail("it was lent")
    assert running.read() == ()


# Two processes.


def together(staff: Staff, other: Tenant, models: float) -> Manager:
    """Return a manager that shares with the other process what holds so many models in all."""
    size = Footprints().base + other.base + int(models * EACH)
    assert other.tell(size) == "ready"
    return sharing(staff, size)


def test_what_another_process_uses_is_refused_and_freed_by_its_death(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share, "_TRIES", 2)
    with tenant() as other:
        manager = together(staff, other, 1.5)
        assert other.tell("lend a") == "done"
        with pytest.raises(BudgetError) as caught, manager.lease(B, sound=False):
            pytest.fail("it was lent")
        pid = other.process.pid
        assert f"other lowvox processes ({pid}; see `lowvox ps`) hold the rest of the" in str(caught.value)
        assert children() == set(meter.tree(pid))
        other.process.send_signal(signal.SIGKILL)
        other.process.wait()
        with manager.lease(B, sound=False) as (stream,):
            assert stream.finish() == ()


def test_what_another_process_holds_idle_makes_room(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "_TRIES", 600)
    with tenant() as other:
        manager = together(staff, other, 1.5)
        assert other.tell("lend a") == "done"
        assert other.tell("back") == "done"
        with manager.lease(B, sound=False) as (stream,):
            assert stream.finish() == ()
            assert reserved() <= manager.budget.bytes  # type: ignore[union-attr]
            assert "other lowvox processes" in other.tell("lend a")
        assert other.tell("lend a") == "done"  # and now it is the other way round


def test_what_another_process_gives_back_is_waited_for(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "_TRIES", 600)
    with tenant(keep_alive="0") as other:
        manager = together(staff, other, 1.5)
        assert other.tell("lend a") == "done"
        got: list[str] = []

        def wait() -> None:
            with manager.lease(B, sound=False):
                got.append("b")

        thread = in_thread(wait)
        while not manager._keeper._asking.locked():
            pass
        assert got == []
        assert other.tell("back") == "done"
        assert ended(thread)
        assert got == ["b"]


def test_two_processes_side_by_side(staff: Staff) -> None:
    with tenant(keep_alive="0") as other:
        manager = together(staff, other, 2.5)
        assert other.tell("lend a") == "done"
        with manager.lease(B, sound=False) as (stream,):
            assert stream.finish() == ()
            assert reserved() <= manager.budget.bytes  # type: ignore[union-attr]
        assert other.tell("back") == "done"
        assert other.tell("empty") == "done"
        (its,) = (state for state in running.read() if state.pid == other.process.pid)
        assert its.reserved == its.base
        assert other.tell("close") == "done"
        assert [state.pid for state in running.read()] == [os.getpid()]
