"""Thousands of random histories of the manager's rules, against a fake shell that loads and unloads later.

What the shell must never be told to do is checked as it is told; what must always be true, after each step.
"""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

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
    Held,
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

BYTES = st.integers(0, 40)
HOLDERS = 5
NAMES = ("ears", "voice", "dots", "hush")
ROLES: tuple[Role, ...] = ("recognizer", "synthesizer", "punctuator", "vad")


@st.composite
def models(draw: st.DrawFn) -> tuple[Want, ...]:
    """One way to run each of four models."""
    found = []
    for name, role in zip(NAMES, ROLES, strict=True):
        resident = draw(BYTES)
        size = Footprint(resident, draw(BYTES) // 4, draw(BYTES) // 2, 1.0, shared=draw(st.integers(0, resident)))
        choice = Choice(Model(name, "fake", role, ()), runs=draw(st.integers(1, 3)))
        capacity = draw(st.sampled_from([None, 1, 1, 2]))
        found.append(Want(choice, size, (), capacity, draw(st.sampled_from([-1.0, 0.0, 5.0, 60.0]))))
    return tuple(found)


wishes = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(((), (), (("speed", 2),)))), min_size=1, max_size=2)

troubles: st.SearchStrategy[Event] = st.one_of(
    st.frozensets(st.sampled_from([*NAMES, *ROLES]), min_size=1, max_size=2).map(Unwanted),
    st.frozensets(st.sampled_from(NAMES), max_size=2).map(Pinned),
    st.integers(0, 150).map(Pressed),
    st.builds(Roomed, st.none() | st.integers(0, 300)),
    st.integers(100, 300).map(Roomed),
    st.integers(0, 40).map(Settled),
    st.integers(0, 9).map(lambda seldom: Settled(5) if seldom else Closed()),
)


class Histories(RuleBasedStateMachine):
    """The fake shell: it loads and unloads later, and knows what really is open, lent and waited for."""

    @initialize(
        wants=models(),
        room=st.none() | st.integers(60, 160),
        base=st.integers(0, 20),
        honest=st.booleans(),
        trouble=st.booleans(),
    )
    def begin(self, wants: tuple[Want, ...], room: int | None, base: int, honest: bool, trouble: bool) -> None:
        self.wants, self.honest, self.trouble = wants, honest, trouble
        self.state = State(room=room, base=base)
        self.now = 100.0
        self.asked = 0
        self.opening: Open | None = None
        self.streams: dict[int, dict[int, tuple[tuple[str, object], ...]]] = {}  # of each model that was ever opened
        self.kinds: dict[int, Choice] = {}
        self.going: list[int] = []
        self.waiting: dict[int, Ticket] = {}
        self.granted: dict[int, tuple[Ticket, tuple[tuple[int, int], ...]]] = {}
        self.seen: set[int] = set()

    # What happens

    @rule(holder=st.integers(1, HOLDERS), wishes=wishes, overhead=st.sampled_from([0, 0, 7]), lends=st.integers(0, 4))
    def ask(
        self, holder: int, wishes: list[tuple[int, tuple[tuple[str, object], ...]]], overhead: int, lends: int
    ) -> None:
        if holder in self.blocked:
            return
        self.asked += 1
        asked = tuple(replace(self.wants[number], options=options) for number, options in wishes)
        ticket = Ticket(self.asked, holder, asked, overhead, lends=lends > 0)
        self.waiting[ticket.id] = ticket
        self.tell(Asked(ticket))

    @precondition(lambda self: self.waiting)
    @rule(pick=st.integers(0, 9), late=st.integers(0, 5))
    def cancel(self, pick: int, late: int) -> None:
        number = list(self.waiting)[pick % len(self.waiting)]
        if not late and (free := self.free):  # the answer had come in this moment
            number = free[pick % len(free)]
            del self.granted[number]
        else:
            del self.waiting[number]
        self.tell(Cancelled(number))

    @precondition(lambda self: self.free)
    @rule(pick=st.integers(0, 9), spoiled=st.integers(0, 7), grown=st.sampled_from([None, 0, -5, 3, 40]))
    def give_back(self, pick: int, spoiled: int, grown: int | None) -> None:
        number = self.free[pick % len(self.free)]
        _, seats = self.granted.pop(number)
        helds = sorted({held for held, _ in seats})
        measured = () if grown is None else tuple((held, self.rest(held, grown)) for held in helds)
        self.tell(Released(number, frozenset(helds[:1] if not spoiled else ()), measured))

    @precondition(lambda self: self.opening)
    @rule(grown=st.sampled_from([None, None, 0, -3, 2, 30]))
    def opened(self, grown: int | None) -> None:
        assert self.opening is not None
        done, self.opening = self.opening, None
        self.streams[done.held][done.seat] = done.want.options
        self.tell(Loaded(0 if grown is None else self.rest(done.held, grown)))

    @precondition(lambda self: self.opening and self.trouble)
    @rule()
    def failed(self) -> None:
        self.opening = None
        self.tell(Failed(OSError("broken")))

    @precondition(lambda self: self.going)
    @rule(pick=st.integers(0, 9), kept=st.sampled_from([0, 0, 0, 2, 30, -9]))
    def unloaded(self, pick: int, kept: int) -> None:
        held = self.going.pop(pick % len(self.going))
        del self.streams[held]
        self.tell(Unloaded(held, 0 if self.honest else kept))

    @precondition(lambda self: self.opening or self.going)
    @rule()
    def all_done(self) -> None:
        while self.opening or self.going:
            self.opened(None) if self.opening else self.unloaded(0, 0)

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.tell(Ticked())

    @precondition(lambda self: self.trouble)
    @rule(event=troubles)
    def meet(self, event: Event) -> None:
        if isinstance(event, Closed):
            self.granted.clear()
        self.tell(event)

    # What is done

    def tell(self, event: Event) -> None:
        self.before = self.state
        self.state, actions = step(self.state, event, self.now)
        for action in actions:
            self.do(action, event)
        self.check_charge(event)
        self.check_victims(actions)

    def do(self, action: Action, event: Event) -> None:
        match action:
            case Open():
                self.check_open(action)
                self.opening = action
                self.streams.setdefault(action.held, {}).pop(action.seat, None)
                self.kinds[action.held] = action.want.choice
            case Close(held, seat):
                assert held in self.streams
                assert held not in self.going
                assert (held, seat) not in self.lent
                self.streams[held].pop(seat, None)
            case Unload(held):
                self.check_unload(held)
                self.going.append(held)
            case Grant(ticket, seats):
                self.check_grant(ticket, seats)
            case Refuse():
                self.check_refusal(action, event)

    def check_open(self, action: Open) -> None:
        assert self.opening is None, "one load at a time"
        assert not self.state.full
        assert action.held not in self.going
        seat = next(seat for held in self.state.helds for seat in held.seats if seat.id == action.seat)
        assert not seat.open
        assert action.want.options == seat.options
        assert self.state.loading == action.seat

    def check_unload(self, number: int) -> None:
        held = self.held(number)
        assert number in self.streams
        assert number not in self.going
        assert self.opening is None or self.opening.held != number
        assert not any(number == other for other, _ in self.lent)
        assert held.doomed or held.want.choice.model.name not in self.state.pinned

    def check_grant(self, number: int, seats: tuple[tuple[int, int], ...]) -> None:
        ticket = self.waiting.pop(number)
        if not ticket.lends:
            return
        assert not self.state.full
        assert len(seats) == len(set(seats)) == len(ticket.wants)
        assert not self.lent & set(seats)
        for wanted, (held, seat) in zip(ticket.wants, seats, strict=True):
            assert held not in self.going
            assert self.kinds[held] == wanted.choice
            assert self.streams[held][seat] == wanted.options
        self.granted[number] = (ticket, seats)

    def check_refusal(self, action: Refuse, event: Event) -> None:
        blocked = self.blocked
        ticket = self.waiting.pop(action.ticket)
        room = self.state.room
        if action.why == "budget":
            assert room is not None
            assert action.needed > room
            # Else it was promised seats before something took more than planned, and nobody gives anything back.
            if needed(self.state, ticket) <= room:
                assert not isinstance(event, Asked | Unwanted | Pinned | Ticked) or self.before.full
                assert {other.holder for other, _ in self.granted.values()} <= blocked
        elif action.why == "deadlock":
            others = {other.holder for other, _ in self.granted.values()}
            assert others - {ticket.holder}
            assert others <= blocked
            # Nobody behind it could have gone on, and made room.
            assert {job.ticket.id for job in self.state.jobs} <= {job.ticket.id for job in self.before.jobs}
        elif action.why == "failed":
            assert isinstance(event, Failed)
        elif action.why == "full":
            assert not ticket.lends
        elif action.why == "line":
            assert len(self.state.line) >= LINE
        else:
            assert self.state.closed

    def check_charge(self, event: Event) -> None:
        """Only what nobody could know makes it pass the room."""
        surprise = isinstance(event, Roomed | Settled)
        if not self.honest:
            surprise |= isinstance(event, Loaded | Released | Unloaded)
        if self.state.room is not None and not surprise:
            assert self.state.charge <= max(self.state.room, self.before.charge)
        if self.state.full and not self.going:
            assert not any(self.evictable(held) for held in self.state.helds)

    def check_victims(self, actions: list[Action]) -> None:
        wanted = {want.choice for ticket in self.state.line for want in ticket.wants}
        stay = [held for held in self.state.helds if self.evictable(held) and held.want.choice not in wanted]
        for action in actions:
            if isinstance(action, Unload):
                victim = self.held(action.held)
                over = 0 <= victim.want.keep_alive <= self.now - victim.idle_since
                assert victim.doomed or over or all(self.worth(victim) >= self.worth(held) for held in stay)

    # What is always true

    @invariant()
    def nothing_is_lent_twice_or_beyond_capacity(self) -> None:
        numbers = [held.id for held in self.state.helds] + [s.id for held in self.state.helds for s in held.seats]
        assert len(numbers) == len(set(numbers))
        assert len(self.state.line) <= LINE
        for held in self.state.helds:
            assert held.want.capacity is None or len(held.seats) <= held.want.capacity

    @invariant()
    def both_sides_agree(self) -> None:
        lent = {seat for job in self.state.jobs if job.granted for seat in job.seats}
        assert lent == self.lent
        line, jobs = self.state.line, self.state.jobs
        assert sorted(self.waiting) == sorted([t.id for t in line] + [job.ticket.id for job in jobs if not job.granted])
        assert self.state.loading == (self.opening.seat if self.opening else None)
        assert {held.id for held in self.state.helds if held.status == "unloading"} == set(self.going)
        tickets = {job.ticket.id for job in jobs}
        for held in self.state.helds:
            assert (held.status == "absent") <= (held.id not in self.streams or self.is_opening(held.id))
            assert {seat.ticket for seat in held.seats} - {None} <= tickets
            for seat in held.seats:
                if seat.open:
                    assert self.streams[held.id][seat.id] == seat.options
                else:
                    assert seat.ticket is not None or seat.id == self.state.loading

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        if self.waiting and not self.opening and not self.going:
            assert self.free
        for ticket in self.state.line[:1]:
            assert self.state.room is not None
            assert projected(self.state, ticket) > self.state.room

    @invariant()
    def an_honest_model_takes_no_more_than_its_charge(self) -> None:
        if self.honest:
            state = self.state
            assert self.really() <= state.charge - state.base - state.overhead - state.residue

    @invariant()
    def what_is_over_has_gone(self) -> None:
        end = wake(self.state)
        assert end is None or end > self.now
        assert not any(held.doomed and self.evictable(held) for held in self.state.helds)

    def teardown(self) -> None:
        """Whatever has happened, all come to their end once jobs end and loads are done; and then nothing is left."""
        if not hasattr(self, "state"):
            return
        for _ in range(1000):
            if self.opening:
                self.opened(None)
            elif self.going:
                self.unloaded(0, 0)
            elif self.free:
                self.give_back(0, 1, None)
            elif (end := wake(self.state)) is not None:
                self.wait(end - self.now)
            else:
                break
        assert not self.waiting
        assert not self.granted
        self.tell(Closed())
        self.all_done()
        assert not self.streams
        assert not self.state.helds
        assert not self.state.jobs

    # What the shell knows

    @property
    def blocked(self) -> set[int]:
        """Holders that wait."""
        return {ticket.holder for ticket in self.waiting.values()}

    @property
    def free(self) -> list[int]:
        """Tickets that may be given back: their holders do not wait."""
        return [number for number, (ticket, _) in self.granted.items() if ticket.holder not in self.blocked]

    @property
    def lent(self) -> set[tuple[int, int]]:
        return {seat for _, seats in self.granted.values() for seat in seats}

    def held(self, number: int) -> Held:
        found = self.state.find(number)
        assert found is not None
        return found

    def is_opening(self, number: int) -> bool:
        return self.opening is not None and self.opening.held == number

    def evictable(self, held: Held) -> bool:
        pinned = held.want.choice.model.name in self.state.pinned and not held.doomed
        return held.status == "ready" and not (held.busy or pinned or self.is_opening(held.id))

    def worth(self, held: Held) -> float:
        return max(self.now - held.idle_since, 1e-3) * held.at_rest / held.want.footprint.load_s

    def rest(self, number: int, grown: int) -> int:
        """Bytes of a model at rest, as its footprint says, or others where models lie."""
        size = next(want.footprint for want in self.wants if want.choice == self.kinds[number])
        planned = size.resident + size.stream * len(self.streams.get(number, ()))
        return max(0, planned + (0 if self.honest else grown))

    def really(self) -> int:
        """Bytes that all models take now when they take what their footprints say."""
        total = 0
        for number in self.streams:
            size = next(want.footprint for want in self.wants if want.choice == self.kinds[number])
            working = sum(held == number for held, _ in self.lent)
            total += self.rest(number, 0) + self.is_opening(number) * size.stream
            total += min(working, self.kinds[number].runs) * size.work
        for want in self.wants:
            copies = sum(self.kinds[number] == want.choice for number in self.streams)
            total -= max(0, copies - 1) * want.footprint.shared
        return total


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
