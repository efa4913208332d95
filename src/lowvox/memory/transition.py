"""The transition: what follows when something happens to models in memory, as one pure function.

`step(state, event, now)` gives the next state and what has to be done. Tickets wait in one line, first come, first
served; one model is loaded at a time; one that is in use or pinned is never evicted. Knows no process, no thread, no
clock and no engine: `manager` does what is decided here, and reports back with events.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatchmethod
from math import inf
from typing import TYPE_CHECKING, Any

from lowvox.memory import seating
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
    Job,
    Loaded,
    Open,
    Pinned,
    Pressed,
    Refuse,
    Released,
    Roomed,
    Seat,
    Settled,
    State,
    Ticked,
    Ticket,
    Unload,
    Unloaded,
    Unwanted,
)

if TYPE_CHECKING:
    from collections.abc import Collection


def step(state: State, event: Event, now: float) -> tuple[State, list[Action]]:
    """Return the state after an event, and what has to be done; `now` is in seconds and never falls."""
    turn = _Turn(state, now)
    turn.take(event)
    turn.settle()
    return turn.state, turn.actions


class _Turn:
    """One step under way."""

    def __init__(self, state: State, now: float) -> None:
        self.state = state
        self.now = now
        self.actions: list[Action] = []

    def settle(self) -> None:
        """Do all that can be done now: make room, grant, seat who waits, let go, begin the next load."""
        while self.state.full and not self._unloading and (self._shrink() or self._give_up()):
            pass
        self._grant()
        while self.state.line and self._serve(self.state.line[0]):
            pass
        # Only now: who waits for a model whose time is over shall not have to load it again.
        for held in self.state.helds:
            if self._over(held):
                self._unload(held)
        self._open_next()

    # Events ----------------------------------------------------------------------------------------------------------

    @singledispatchmethod
    def take(self, event: Event) -> None:
        """Write down what has happened."""
        raise NotImplementedError(event)

    @take.register
    def _(self, event: Asked) -> None:
        """Put a ticket in line; who already holds something goes before those who may wait for it."""
        state, ticket = self.state, event.ticket
        if state.closed:
            self.actions.append(Refuse(ticket.id, "closed"))
        elif state.room is not None and (least := seating.needed(state, ticket)) > state.room:
            self.actions.append(Refuse(ticket.id, "budget", least))
        elif len(state.line) >= LINE:
            self.actions.append(Refuse(ticket.id, "line"))
        elif seating.own(state, ticket.holder):
            self._set(line=(ticket, *state.line))
        else:
            self._set(line=(*state.line, ticket))

    @take.register
    def _(self, event: Cancelled) -> None:
        self._set(line=tuple(ticket for ticket in self.state.line if ticket.id != event.ticket))
        self._leave(event.ticket)

    @take.register
    def _(self, event: Loaded) -> None:
        """Write down that a seat is open, and its model ready."""
        held, seat = self._loading()
        self._set(loading=None)
        seats = seating.swapped(held, replace(seat, open=True))
        self._put(replace(held, seats=seats, status="ready", idle_since=self.now))
        self._weigh(held.id, event.measured)

    @take.register
    def _(self, event: Failed) -> None:
        """Give up a seat that could not be opened, and its model, which may be there in part; its ticket gets none."""
        held, seat = self._loading()
        self._set(loading=None)
        self._remove(replace(held, status="ready", doomed=True), seat)
        if seat.ticket is not None:
            self._leave(seat.ticket)
            self.actions.append(Refuse(seat.ticket, "failed", error=event.error))

    @take.register
    def _(self, event: Released) -> None:
        self._leave(event.ticket)
        for number, measured in event.measured:
            self._weigh(number, measured, worked=True)
        for number in event.spoiled:
            if (held := self.state.find(number)) is not None:
                self._put(replace(held, doomed=True))

    @take.register
    def _(self, event: Unloaded) -> None:
        helds = tuple(held for held in self.state.helds if held.id != event.held)
        self._set(helds=helds, residue=max(0, self.state.residue + event.kept))

    @take.register
    def _(self, event: Unwanted) -> None:
        for held in self.state.helds:
            model = held.want.choice.model
            if event.names & {model.name, model.role}:
                self._put(replace(held, doomed=True))

    @take.register
    def _(self, event: Pinned) -> None:
        self._set(pinned=event.names)

    @take.register
    def _(self, event: Pressed) -> None:
        """Evict until enough is on its way, or nothing is left that may go."""
        size = event.bytes - sum(held.at_rest for held in self.state.helds if held.status == "unloading")
        while size > 0 and (victim := self._victim()):
            size -= victim.at_rest
            self._unload(victim)

    @take.register
    def _(self, event: Roomed) -> None:
        self._set(room=event.room)

    @take.register
    def _(self, event: Settled) -> None:
        """Take what was measured for the base, less the overhead, which jobs to come state again."""
        least = min(self.state.base, event.base)  # a job that ended early may not have loaded the overhead
        self._set(base=max(least, event.base - self.state.overhead), residue=0)

    @take.register
    def _(self, event: Ticked) -> None:
        """What has come to its end is let go by `settle`."""

    @take.register
    def _(self, event: Closed) -> None:  # noqa: ARG002
        """Refuse all that wait and unload everything, also what is in use; what is being loaded follows."""
        waiting = [*self.state.line, *(job.ticket for job in self.state.jobs if not job.granted)]
        self.actions += [Refuse(ticket.id, "closed") for ticket in waiting]
        self._set(closed=True, line=())
        for job in self.state.jobs:
            self._leave(job.ticket.id)
        for held in self.state.helds:
            self._put(replace(held, doomed=True))

    # Decisions -------------------------------------------------------------------------------------------------------

    def _serve(self, ticket: Ticket) -> bool:
        """Deal with the first in line; False: it has to wait."""
        seated, seats = seating.seated(self.state, ticket)
        if not seated.full:
            self.state = replace(seated, line=seated.line[1:], jobs=(*seated.jobs, Job(ticket, seats)))
            self._grant()
        elif not ticket.lends:
            self._drop(ticket, Refuse(ticket.id, "full"))
        elif (least := seating.needed(self.state, ticket)) > (self.state.room or 0):
            self._drop(ticket, Refuse(ticket.id, "budget", least))
        elif self._unloading:
            return False  # room is on its way, and how much will be known then
        elif self._shrink({number for pair in seats for number in pair}):
            return True
        elif not self._stuck() or self._pending:
            return False
        elif other := next((other for other in self.state.line if not seating.seated(self.state, other)[0].full), None):
            # Who behind can go on gives back what this one waits for.
            self._set(line=(other, *(waiting for waiting in self.state.line if waiting is not other)))
        else:
            self._drop(ticket, Refuse(ticket.id, "deadlock", seated.charge))
        return True

    def _shrink(self, claimed: Collection[int] = ()) -> bool:
        """Evict one idle model or close one idle seat that is not claimed; False: there is none.

        At last a claimed model may go that has grown beyond its footprint: loaded anew it takes less.
        """
        if victim := self._victim(claimed):
            self._unload(victim)
        elif spare := seating.spare(self.state, claimed):
            self._close(*spare)
        elif victim := self._victim({held.id for held in self.state.helds if not held.excess}):
            self._unload(victim)
        else:
            return False
        return True

    def _give_up(self) -> bool:
        """Refuse the first job that can't be granted for want of room; False: somebody may still make some."""
        if not self._pending or not self._stuck():
            return False
        ticket, charge = self._pending[0].ticket, self.state.charge
        self._leave(ticket.id)
        self.actions.append(Refuse(ticket.id, "budget", charge))
        return True

    def _grant(self) -> None:
        """Grant the jobs whose seats are all open; one that only loads lets them idle."""
        shut = {seat.ticket for held in self.state.helds for seat in held.seats if not seat.open}
        for job in self._pending:
            if self.state.full or job.ticket.id in shut:
                continue
            self.actions.append(Grant(job.ticket.id, job.seats))
            if job.ticket.lends:
                granted = replace(job, granted=True)
                self._set(jobs=tuple(granted if other is job else other for other in self.state.jobs))
            else:
                self._leave(job.ticket.id)

    def _open_next(self) -> None:
        """Begin the next load: one at a time, and none while more is taken than there is room for."""
        if self.state.loading is not None or self.state.full:
            return
        for held in self.state.helds:
            for seat in held.seats:
                if not seat.open:
                    self._set(loading=seat.id)
                    self.actions.append(Open(held.id, seat.id, replace(held.want, options=seat.options)))
                    return

    def _leave(self, number: int) -> None:
        """Take a ticket's seats from it: they idle; those that were never opened are not any more."""
        self._set(jobs=tuple(job for job in self.state.jobs if job.ticket.id != number))
        for seat in [seat for held in self.state.helds for seat in held.seats if seat.ticket == number]:
            held = next(held for held in self.state.helds if seat in held.seats)
            if seat.open or seat.id == self.state.loading:
                self._put(replace(held, seats=seating.swapped(held, replace(seat, ticket=None)), idle_since=self.now))
            else:
                self._close(held, seat)

    def _stuck(self) -> bool:
        """Whether waiting is in vain: nothing is on its way, and whoever has seats waits for others."""
        if self.state.loading is not None or self._unloading:
            return False
        waiting = {ticket.holder for ticket in (*self.state.line, *(job.ticket for job in self._pending))}
        return all(job.ticket.holder in waiting for job in self.state.jobs if job.granted)

    def _victim(self, spared: Collection[int] = ()) -> Held | None:
        """Return the idle model that goes next: long idle, large, and quick to load again."""
        idle = [held for held in self.state.helds if seating.evictable(self.state, held) and held.id not in spared]
        return max(idle, key=self._worth, default=None)

    def _worth(self, held: Held) -> float:
        if self._over(held):
            return inf
        idle = max(self.now - held.idle_since, 1e-3)
        return idle * held.at_rest / max(held.want.footprint.load_s, 1e-3)

    def _over(self, held: Held) -> bool:
        """Whether an idle model's time is over."""
        end = seating.end(self.state, held)
        return end is not None and end <= self.now

    # Changes ---------------------------------------------------------------------------------------------------------

    @property
    def _unloading(self) -> bool:
        return any(held.status == "unloading" for held in self.state.helds)

    @property
    def _pending(self) -> list[Job]:
        """Jobs that have seats and are not granted yet."""
        return [job for job in self.state.jobs if not job.granted]

    def _loading(self) -> tuple[Held, Seat]:
        """Return the seat that is being opened, and its model."""
        return next((held, seat) for held in self.state.helds for seat in held.seats if seat.id == self.state.loading)

    def _weigh(self, number: int, measured: int, *, worked: bool = False) -> None:
        """Write down what a model was measured to take, 0: not known. At work it takes more: that says nothing."""
        held, granted = self.state.find(number), {job.ticket.id for job in self.state.jobs if job.granted}
        if held is None or not measured or any(seat.ticket in granted for seat in held.seats):
            return
        size, there = held.want.footprint, sum(seat.open for seat in held.seats)
        beyond = max(0, measured - size.resident - there * size.stream)
        kept = min(beyond, held.work(there)) if worked else held.kept
        self._put(replace(held, kept=kept, excess=max(0, beyond - kept)))

    def _unload(self, held: Held) -> None:
        self._put(replace(held, status="unloading"))
        self.actions.append(Unload(held.id))

    def _close(self, held: Held, seat: Seat) -> None:
        """Give up a seat, with the stream that it may have."""
        if held.status == "ready":
            self.actions.append(Close(held.id, seat.id))
        self._remove(held, seat)

    def _remove(self, held: Held, seat: Seat) -> None:
        """Take a seat away, and with the last one a model that was never loaded."""
        left = replace(held, seats=tuple(other for other in held.seats if other.id != seat.id))
        if left.seats or left.status != "absent":
            self._put(left)
        else:
            self._set(helds=tuple(other for other in self.state.helds if other.id != held.id))

    def _drop(self, ticket: Ticket, refusal: Refuse) -> None:
        self._set(line=tuple(other for other in self.state.line if other is not ticket))
        self.actions.append(refusal)

    def _put(self, held: Held) -> None:
        self._set(helds=tuple(held if other.id == held.id else other for other in self.state.helds))

    def _set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
