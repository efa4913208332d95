"""The manager's rules, one example each; `test_histories` tries to break them."""

from __future__ import annotations

import pytest

from lowvox.memory.residency import (
    LINE,
    Action,
    Asked,
    Cancelled,
    Close,
    Closed,
    Event,
    Failed,
    Grant,
    Loaded,
    Open,
    Pinned,
    Pressed,
    Refuse,
    Released,
    Roomed,
    Settled,
    State,
    Ticked,
    Ticket,
    Unload,
    Unloaded,
    Unwanted,
    Want,
)
from lowvox.memory.seating import needed, projected, wake
from lowvox.memory.transition import step
from lowvox.types import Choice, Footprint, Model, Role

HUNDRED = Footprint(resident=80, stream=10, work=10, load_s=1.0)


def want(
    name: str = "ears",
    *,
    role: Role = "recognizer",
    size: Footprint = HUNDRED,
    capacity: int | None = 1,
    keep_alive: float = -1.0,
    runs: int = 1,
    **options: object,
) -> Want:
    """A model of 100 bytes at work, of which each stream needs its own copy."""
    choice = Choice(Model(name, "fake", role, ()), runs=runs)
    return Want(choice, size, tuple(sorted(options.items())), capacity, keep_alive)


class Desk:
    """Tells events to the manager's rules, and carries out what follows: at once, unless `slow`."""

    def __init__(self, room: int | None = None, *, base: int = 0, slow: bool = False) -> None:
        self.state = State(room=room, base=base)
        self.now = 1000.0
        self.slow = slow
        self.tickets = 0
        self.last: list[Action] = []

    def tell(self, event: Event) -> list[Action]:
        """Return what is to be done after an event, and after what that has led to."""
        self.state, actions = step(self.state, event, self.now)
        self.last = list(actions)
        if not self.slow:
            for action in actions:
                if isinstance(action, Open):
                    self.last += self.also(Loaded())
                elif isinstance(action, Unload):
                    self.last += self.also(Unloaded(action.held))
        return self.last

    def also(self, event: Event) -> list[Action]:
        before, self.last = self.last, []
        after = self.tell(event)
        self.last = before
        return after

    def ask(self, *wants: Want, holder: int = 1, lends: bool = True, overhead: int = 0) -> int:
        """Ask for models and return the number of the ticket."""
        self.tickets += 1
        self.tell(Asked(Ticket(self.tickets, holder, wants, overhead, lends)))
        return self.tickets

    def give_back(self, ticket: int, *spoiled: int, measured: int = 0) -> list[Action]:
        seats = next(job.seats for job in self.state.jobs if job.ticket.id == ticket)
        weighed = tuple((held, measured) for held, _ in seats)
        return self.tell(Released(ticket, frozenset(spoiled), weighed if measured else ()))

    def wait(self, seconds: float) -> list[Action]:
        self.now += seconds
        return self.tell(Ticked())

    @property
    def there(self) -> list[str]:
        """The models in memory."""
        return [held.want.choice.model.name for held in self.state.helds]

    def does(self, kind: type) -> list[Action]:
        return [action for action in self.last if isinstance(action, kind)]


def test_a_model_is_loaded_lent_kept_and_lent_again() -> None:
    desk = Desk()
    first = desk.ask(want())
    assert desk.last == [Open(1, 2, want()), Grant(first, ((1, 2),))]
    desk.give_back(first)
    assert desk.there == ["ears"]
    again = desk.ask(want())
    assert desk.last == [Grant(again, ((1, 2),))]


def test_a_job_gets_all_its_models_or_none() -> None:
    desk = Desk(slow=True)
    job = desk.ask(want("ears"), want("voice"))
    assert desk.last == [Open(1, 2, want("ears"))]
    assert desk.tell(Loaded()) == [Open(3, 4, want("voice"))]
    assert desk.tell(Loaded()) == [Grant(job, ((1, 2), (3, 4)))]


def test_one_model_is_loaded_at_a_time() -> None:
    desk = Desk(slow=True)
    desk.ask(want("ears"), holder=1)
    desk.ask(want("voice"), holder=2)
    assert desk.last == []
    assert desk.tell(Loaded()) == [Grant(1, ((1, 2),)), Open(3, 4, want("voice"))]


def test_streams_share_a_resident_up_to_its_capacity() -> None:
    desk = Desk()
    for holder in range(3):
        desk.ask(want(capacity=2), holder=holder)
    assert [len(held.seats) for held in desk.state.helds] == [2, 1]


def test_an_idle_stream_with_other_options_is_opened_anew() -> None:
    desk = Desk()
    desk.give_back(desk.ask(want(voice="anna")))
    second = desk.ask(want(voice="bob"))
    assert desk.last == [Open(1, 2, want(voice="bob")), Grant(second, ((1, 2),))]


def test_an_idle_stream_with_the_same_options_is_preferred() -> None:
    desk = Desk()
    anna, bob = (desk.ask(want(capacity=None, voice=name), holder=at) for at, name in enumerate(("anna", "bob")))
    desk.give_back(anna)
    desk.give_back(bob)
    desk.ask(want(capacity=None, voice="bob"))
    assert desk.last == [Grant(3, ((1, 4),))]


def test_a_job_that_can_never_fit_is_refused_at_once() -> None:
    desk = Desk(room=99)
    job = desk.ask(want())
    assert desk.last == [Refuse(job, "budget", needed=100)]
    assert desk.there == []


def test_what_lowvox_takes_itself_counts() -> None:
    desk = Desk(room=120, base=15)
    job = desk.ask(want(), overhead=6)
    assert desk.last == [Refuse(job, "budget", needed=121)]


def test_what_jobs_need_besides_models_is_loaded_once_for_all() -> None:
    desk = Desk(room=230)
    desk.ask(want("ears"), holder=1, overhead=30)
    desk.ask(want("voice"), holder=2, overhead=20)
    assert desk.state.overhead == 30
    assert desk.does(Grant)


def test_an_idle_model_is_evicted_to_make_room() -> None:
    desk = Desk(room=150)
    desk.give_back(desk.ask(want("ears")))
    desk.ask(want("voice"))
    assert desk.there == ["voice"]


def test_memory_is_counted_until_it_has_come_back() -> None:
    desk = Desk(room=150)
    desk.give_back(desk.ask(want("ears")))
    desk.slow = True
    desk.ask(want("voice"))
    assert desk.last == [Unload(1)]
    assert [action.held for action in desk.tell(Unloaded(1)) if isinstance(action, Open)] == [3]


def test_what_did_not_come_back_is_not_free() -> None:
    desk = Desk(room=150)
    desk.give_back(desk.ask(want("ears")))
    desk.slow = True
    desk.ask(want("voice"))
    desk.tell(Unloaded(1, kept=51))
    assert desk.last == [Refuse(2, "budget", needed=151)]
    assert desk.state.residue == 51


def test_what_was_left_behind_is_used_again() -> None:
    desk = Desk()
    desk.tell(Unloaded(98, kept=20))
    desk.tell(Unloaded(99, kept=-15))
    assert desk.state.residue == 5


@pytest.mark.parametrize(("taken", "base"), [(40, 33), (30, 30), (25, 25)])
def test_what_lowvox_takes_itself_is_measured_anew(taken: int, base: int) -> None:
    desk = Desk(room=200, base=30)
    desk.give_back(desk.ask(want(), overhead=7))
    desk.tell(Unloaded(99, kept=20))
    desk.tell(Settled(taken))
    desk.ask(want(), overhead=7)  # is there already, or will be
    assert desk.state.charge == base + 7 + 100


def test_a_leased_model_is_never_evicted_and_its_memory_is_waited_for() -> None:
    desk = Desk(room=150)
    first = desk.ask(want("ears"), holder=1)
    second = desk.ask(want("voice"), holder=2)
    assert desk.last == []
    desk.tell(Pressed(1000))
    assert desk.there == ["ears"]
    desk.give_back(first)
    assert desk.there == ["voice"]
    assert any(job.granted for job in desk.state.jobs if job.ticket.id == second)


def test_the_line_is_served_in_order() -> None:
    desk = Desk(room=150)
    first = desk.ask(want("ears"), holder=1)
    big, small = Footprint(100, 0, 40, 1.0), Footprint(10, 0, 10, 1.0)
    desk.ask(want("voice", size=big), holder=2)
    desk.ask(want("dots", size=small), holder=3)
    assert [ticket.id for ticket in desk.state.line] == [2, 3]  # the small one would fit, but does not push in
    desk.give_back(first)
    assert [job.ticket.id for job in desk.state.jobs] == [2]


@pytest.mark.parametrize(
    ("other", "goes"),
    [
        (Footprint(80, 10, 10, load_s=1.0), "a"),  # longer idle
        (Footprint(30, 10, 10, load_s=1.0), "a"),  # larger
        (Footprint(80, 10, 10, load_s=3.0), "a"),  # quicker to load
        (Footprint(180, 10, 10, load_s=1.0), "b"),
        (Footprint(80, 10, 10, load_s=0.4), "b"),
    ],
)
def test_the_victim_is_long_idle_large_and_quick_to_load(other: Footprint, goes: str) -> None:
    desk = Desk()
    desk.give_back(desk.ask(want("a")))
    desk.now += 2
    desk.give_back(desk.ask(want("b", size=other)))
    desk.now += 3
    desk.tell(Pressed(1))
    assert desk.there == ["b" if goes == "a" else "a"]


def test_a_model_that_the_job_wants_is_no_victim() -> None:
    desk = Desk(room=200)
    desk.give_back(desk.ask(want("ears")))
    desk.now += 60
    desk.give_back(desk.ask(want("dots")))
    desk.ask(want("ears"), want("voice"))
    assert desk.there == ["ears", "voice"]
    assert [job.seats[0] for job in desk.state.jobs] == [(1, 2)]


@pytest.mark.parametrize(("keep_alive", "left"), [(0, []), (60, []), (61, ["ears"]), (-1, ["ears"])])
def test_an_idle_model_goes_when_its_keep_alive_ends(keep_alive: float, left: list[str]) -> None:
    desk = Desk()
    job = desk.ask(want(keep_alive=keep_alive))
    desk.wait(1000)
    assert desk.there == ["ears"]  # the time starts when it is given back
    desk.give_back(job)
    assert desk.there == (["ears"] if keep_alive else [])
    desk.wait(60)
    assert desk.there == left


def test_wake_tells_when_the_next_keep_alive_ends() -> None:
    desk = Desk()
    assert wake(desk.state) is None
    long, short, leased = (desk.ask(want(name, keep_alive=s), holder=s) for name, s in [("a", 90), ("b", 60), ("c", 5)])
    desk.give_back(long)
    desk.give_back(short)
    assert wake(desk.state) == desk.now + 60
    desk.tell(Pinned(frozenset({"a", "b"})))
    assert wake(desk.state) is None
    desk.give_back(leased)
    assert wake(desk.state) == desk.now + 5


def test_nothing_has_to_be_woken_for_while_it_is_being_loaded() -> None:
    desk = Desk()
    desk.give_back(desk.ask(want(capacity=None, keep_alive=60)))
    busy = desk.ask(want(capacity=None, keep_alive=60))
    desk.slow = True
    second = desk.ask(want(capacity=None, keep_alive=60), holder=2)
    desk.tell(Cancelled(second))
    desk.give_back(busy)
    desk.now += 100
    assert wake(desk.state) is None
    assert desk.tell(Ticked()) == []


def test_who_waits_takes_over_a_model_whose_time_is_over() -> None:
    desk = Desk(room=150)
    first = desk.ask(want(keep_alive=0), holder=1)
    second = desk.ask(want(keep_alive=0), holder=2)
    assert desk.give_back(first) == [Grant(second, ((1, 2),))]
    assert desk.give_back(second)[0] == Unload(1)


def test_a_model_whose_time_is_over_goes_before_others() -> None:
    desk = Desk(room=270)
    job = desk.ask(want("large", size=Footprint(100, 10, 10, 1.0)), want("over", keep_alive=0), holder=1)
    desk.ask(want("new", size=Footprint(150, 0, 0, 1.0)), holder=2)
    desk.give_back(job)
    assert desk.there == ["large", "new"]


def test_the_latest_job_states_how_long_a_model_is_kept_and_what_it_takes() -> None:
    desk = Desk()
    desk.give_back(desk.ask(want(keep_alive=0, size=Footprint(0, 0, 0, 1.0))), measured=0)
    desk.give_back(desk.ask(want(keep_alive=60, size=Footprint(0, 0, 0, 1.0))), measured=95)
    assert desk.state.charge == 95
    desk.ask(want(keep_alive=90))
    assert desk.state.charge == 95 + 10
    assert desk.state.helds[0].want.keep_alive == 90


def test_a_pinned_model_stays() -> None:
    desk = Desk(room=200)
    desk.tell(Pinned(frozenset({"ears"})))
    desk.give_back(desk.ask(want("ears", keep_alive=0)))
    desk.tell(Pressed(1000))
    job = desk.ask(want("voice", size=Footprint(101, 10, 10, 1.0)))
    assert desk.last == [Refuse(job, "budget", needed=80 + 121)]
    assert desk.there == ["ears"]
    desk.tell(Pinned(frozenset()))
    assert desk.there == []


def test_an_idle_stream_of_a_model_that_others_use_is_closed_to_make_room() -> None:
    desk = Desk(room=300)
    seats = [desk.ask(want(capacity=None), holder=holder) for holder in range(3)]
    desk.give_back(seats[1])
    desk.ask(want("voice", size=Footprint(185, 0, 0, 1.0)), holder=9)
    assert desk.last[0] == Close(1, 4)
    assert desk.there == ["ears", "voice"]


def test_an_idle_stream_of_a_pinned_model_is_closed_to_make_room() -> None:
    desk = Desk(room=300)
    desk.tell(Pinned(frozenset({"ears"})))
    for seat in [desk.ask(want(capacity=None), holder=holder) for holder in range(2)]:
        desk.give_back(seat)
    desk.ask(want("voice", size=Footprint(205, 0, 0, 1.0)))
    assert desk.last[0] == Close(1, 2)
    assert desk.state.charge == 80 + 10 + 205


def test_unwanted_models_go_now_if_idle_else_after_their_job() -> None:
    desk = Desk()
    ears, voice = desk.ask(want("ears")), desk.ask(want("voice", role="synthesizer", capacity=None), holder=2)
    desk.give_back(ears)
    desk.tell(Unwanted(frozenset({"ears", "synthesizer"})))
    assert desk.there == ["voice"]
    other = desk.ask(want("voice", role="synthesizer", capacity=None), holder=3)
    assert len(desk.there) == 2  # a model that is to go is lent to nobody else
    desk.give_back(voice)
    desk.give_back(other)
    assert desk.there == ["voice"]


def test_a_spoiled_model_goes_even_if_pinned() -> None:
    desk = Desk()
    desk.tell(Pinned(frozenset({"ears"})))
    desk.give_back(desk.ask(want()), 1)
    assert desk.there == []


def test_pressure_evicts_what_is_idle_but_no_more_than_is_needed() -> None:
    desk = Desk()
    for name in ("a", "b", "c"):
        desk.give_back(desk.ask(want(name)))
        desk.now += 1
    desk.slow = True
    assert desk.tell(Pressed(50)) == [Unload(1)]
    assert desk.tell(Pressed(50)) == []  # 90 bytes are on their way
    assert desk.tell(Pressed(100)) == [Unload(3)]


def test_a_smaller_budget_evicts_and_a_larger_one_serves_the_line() -> None:
    desk = Desk(room=250)
    idle, leased = desk.ask(want("a")), desk.ask(want("b"), holder=2)
    desk.give_back(idle)
    desk.tell(Roomed(180))
    assert desk.there == ["b"]
    desk.ask(want("c"), holder=3)
    assert [ticket.id for ticket in desk.state.line] == [3]
    desk.tell(Roomed(None))
    assert desk.there == ["b", "c"]
    desk.give_back(leased)


def test_a_preload_never_evicts_or_waits() -> None:
    desk = Desk(room=250)
    desk.ask(want("a"), lends=False)
    assert isinstance(desk.last[-1], Grant)
    assert not any(held.busy for held in desk.state.helds)
    desk.ask(want("b", size=Footprint(150, 20, 0, 1.0)), lends=False)
    assert desk.last == [Refuse(2, "full")]
    assert desk.there == ["a"]


def test_a_job_takes_over_what_is_being_preloaded() -> None:
    desk = Desk(slow=True)
    desk.ask(want(), lends=False)
    job = desk.ask(want(), holder=2)
    assert [held.id for held in desk.state.helds] == [1]
    assert desk.tell(Loaded()) == [Grant(job, ((1, 2),))]


def test_a_job_takes_over_what_is_being_loaded_for_nobody() -> None:
    desk = Desk(slow=True)
    desk.tell(Cancelled(desk.ask(want())))
    job = desk.ask(want())
    assert desk.last == []
    assert desk.tell(Loaded()) == [Grant(job, ((1, 2),))]


def test_a_stream_that_is_being_opened_is_not_replaced() -> None:
    desk = Desk(slow=True)
    desk.tell(Cancelled(desk.ask(want(voice="anna"))))
    job = desk.ask(want(voice="bob"))
    assert desk.tell(Loaded()) == [Open(3, 4, want(voice="bob"))]
    assert desk.tell(Loaded()) == [Grant(job, ((3, 4),))]


def test_a_preload_that_takes_more_than_was_planned_is_given_up() -> None:
    desk = Desk(room=200, slow=True)
    desk.ask(want("a"))
    desk.tell(Loaded())
    preload = desk.ask(want("b"), lends=False)  # by the one who holds a
    assert desk.tell(Loaded(measured=101)) == [Refuse(preload, "budget", needed=211), Unload(3)]


def test_cancelled_while_its_model_is_loaded_the_model_idles() -> None:
    desk = Desk(slow=True)
    desk.tell(Cancelled(desk.ask(want(keep_alive=60), want("voice"))))
    assert desk.there == ["ears"]  # the other one had not been begun
    assert desk.last == []  # so that there is nothing to close
    assert desk.tell(Loaded()) == []
    assert wake(desk.state) == desk.now + 60


def test_cancelled_while_it_waits_a_job_leaves_the_line() -> None:
    desk = Desk(room=100)
    first, second = desk.ask(want("ears"), holder=1), desk.ask(want("voice"), holder=2)
    desk.tell(Cancelled(second))
    assert desk.state.line == ()
    desk.give_back(first)
    assert desk.there == ["ears"]


def test_a_stream_that_was_to_be_replaced_is_closed_when_its_job_is_cancelled() -> None:
    desk = Desk()
    desk.give_back(desk.ask(want(voice="anna", keep_alive=60)))
    desk.slow = True
    desk.ask(want("other"), holder=2)
    desk.now += 5
    desk.tell(Cancelled(desk.ask(want(voice="bob", keep_alive=60))))
    assert Close(1, 2) in desk.last
    assert desk.state.helds[0].seats == ()
    assert wake(desk.state) == desk.now + 55  # nobody has used it


def test_a_load_that_fails_refuses_its_job_and_unloads_what_there_is() -> None:
    desk = Desk(slow=True)
    error = OSError("no such file")
    job = desk.ask(want("voice"), want("ears"))
    desk.tell(Loaded())
    assert desk.tell(Failed(error)) == [Refuse(job, "failed", error=error), Unload(3)]
    desk.tell(Unloaded(3, kept=4))
    assert desk.there == ["voice"]
    assert desk.state.residue == 4


def test_a_load_that_fails_for_nobody_leaves_nothing() -> None:
    desk = Desk(slow=True)
    desk.tell(Cancelled(desk.ask(want())))
    assert desk.tell(Failed(OSError())) == [Unload(1)]
    desk.tell(Unloaded(1))
    assert desk.state.helds == ()


def test_a_stream_that_fails_to_open_leaves_the_others_alone() -> None:
    desk = Desk(slow=True)
    first = desk.ask(want(capacity=None))
    desk.tell(Loaded())
    second = desk.ask(want(capacity=None), holder=2)
    error = OSError()
    assert desk.tell(Failed(error)) == [Refuse(second, "failed", error=error)]
    assert desk.state.helds[0].doomed
    assert desk.give_back(first) == [Unload(1)]


def test_a_model_that_takes_more_than_was_planned_is_given_up() -> None:
    desk = Desk(room=120, slow=True)
    job = desk.ask(want())
    assert desk.tell(Loaded(measured=111)) == [Refuse(job, "budget", needed=121)]
    assert desk.state.charge == 111  # idle, it fits
    again = desk.ask(want())
    assert desk.last == [Unload(1)]  # loaded anew it may take what was planned
    desk.tell(Unloaded(1))
    assert isinstance(desk.tell(Loaded(measured=90))[0], Grant)
    assert desk.state.jobs[0].ticket.id == again


def test_a_model_that_takes_more_than_was_planned_waits_for_what_others_give_back() -> None:
    desk = Desk(room=200, slow=True)
    first = desk.ask(want("ears"), holder=1)
    desk.tell(Loaded(measured=90))
    second = desk.ask(want("voice"), holder=2)
    assert desk.tell(Loaded(measured=95)) == []  # 205 of 200
    assert desk.give_back(first) == [Grant(second, ((3, 4),))]  # the other one does not work any more: 195


def test_a_model_that_grew_while_it_was_used_is_charged_with_it() -> None:
    desk = Desk(room=200)
    desk.give_back(desk.ask(want("ears")), measured=130)
    assert desk.state.charge == 130
    desk.ask(want("voice"))
    assert desk.there == ["voice"]


def test_what_is_measured_while_others_work_says_nothing() -> None:
    desk = Desk()
    first, second = (desk.ask(want(capacity=None), holder=holder) for holder in range(2))
    desk.give_back(first, measured=150)
    assert desk.state.charge == 80 + 20 + 10
    desk.give_back(second, measured=150)
    assert desk.state.charge == 150


def test_nothing_more_is_loaded_while_more_is_taken_than_there_is_room_for() -> None:
    desk = Desk(room=400, slow=True)
    first = desk.ask(want("a"), holder=1)
    desk.tell(Loaded())
    desk.ask(want("b"), want("c"), holder=2)
    desk.tell(Roomed(299))
    assert desk.tell(Loaded()) == []  # c would come on top
    assert isinstance(desk.give_back(first)[0], Open)  # a does not work any more: 290


def test_who_holds_something_goes_before_those_who_may_wait_for_it() -> None:
    desk = Desk(room=250)
    desk.ask(want("a"), holder=1)
    desk.ask(want("b", size=Footprint(160, 0, 0, 1.0)), holder=2)
    desk.ask(want("c"), holder=1)
    assert desk.there == ["a", "c"]
    assert [ticket.holder for ticket in desk.state.line] == [2]


def test_holders_that_wait_for_each_other_are_not_left_waiting() -> None:
    desk = Desk(room=250)
    desk.ask(want("a"), holder=1)
    desk.ask(want("b"), holder=2)
    desk.ask(want("c"), holder=1)
    assert desk.last == []  # the other one may come to its end
    fourth = desk.ask(want("d"), holder=2)
    assert desk.last == [Refuse(fourth, "deadlock", needed=300)]
    assert [ticket.holder for ticket in desk.state.line] == [1]
    desk.give_back(2)
    assert desk.there == ["a", "c"]


def test_who_can_go_on_is_let_pass_before_anybody_is_refused() -> None:
    desk = Desk(room=300)
    desk.ask(want("a"), holder=1)
    desk.ask(want("b"), holder=2)
    third = desk.ask(want("c", size=Footprint(60, 0, 0, 1.0)), holder=3)
    desk.ask(want("d", size=Footprint(60, 0, 0, 1.0)), holder=1)
    desk.ask(want("e", size=Footprint(160, 0, 0, 1.0)), holder=2)
    assert [ticket.holder for ticket in desk.state.line] == [2, 1]
    desk.give_back(third)
    assert desk.there == ["a", "b", "d"]
    assert [ticket.holder for ticket in desk.state.line] == [2]
    desk.give_back(4)
    desk.give_back(1)
    assert desk.there == ["b", "e"]


def test_a_holder_is_told_when_it_needs_too_much_with_what_it_holds() -> None:
    desk = Desk(room=150)
    desk.ask(want("a"), holder=1)
    nested = desk.ask(want("b"), holder=1)
    assert desk.last == [Refuse(nested, "budget", needed=200)]


def test_seats_of_others_may_go_when_a_holder_asks_for_more() -> None:
    desk = Desk(room=150)
    for holder in (1, 2, 3, 4):
        desk.ask(want(capacity=None, runs=1), holder=holder)
    nested = desk.ask(want("b", size=Footprint(25, 0, 0, 1.0)), holder=1)
    assert [ticket.id for ticket in desk.state.line] == [nested]  # 155 now, 125 when the others are done
    assert needed(desk.state, desk.state.line[0]) == 125
    assert projected(desk.state, desk.state.line[0]) == 155


def test_the_line_is_bounded() -> None:
    desk = Desk(room=100)
    desk.ask(want(), holder=0)
    for holder in range(1, LINE + 1):
        desk.ask(want(), holder=holder)
        assert desk.last == []
    one_more = desk.ask(want(), holder=LINE + 1)
    assert desk.last == [Refuse(one_more, "line")]


def test_the_end_refuses_who_waits_and_unloads_all() -> None:
    desk = Desk(room=210)
    leased = desk.ask(want("a"), holder=1)
    desk.tell(Pinned(frozenset({"a"})))
    desk.slow = True
    loading = desk.ask(want("b"), holder=2)
    waiting = desk.ask(want("c"), holder=3)
    assert desk.tell(Closed()) == [Refuse(waiting, "closed"), Refuse(loading, "closed"), Unload(1)]
    assert desk.tell(Released(leased)) == []
    assert desk.tell(Loaded()) == [Unload(3)]
    late = desk.ask(want())
    assert desk.last == [Refuse(late, "closed")]
    desk.tell(Unloaded(1))
    desk.tell(Unloaded(3))
    assert not desk.state.helds
    assert not desk.state.jobs


def test_an_event_that_is_none_is_an_error() -> None:
    with pytest.raises(NotImplementedError):
        step(State(), "hello", 0.0)  # type: ignore[arg-type]
