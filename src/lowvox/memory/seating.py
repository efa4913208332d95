"""Seating: who would sit where, as pure questions about a state of `residency`; `transition` decides by the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lowvox.memory.residency import Held, Seat, State, Ticket, Want

if TYPE_CHECKING:
    from collections.abc import Collection


def needed(state: State, ticket: Ticket) -> int:
    """Bytes that a job takes at its peak when everything that may go has gone: all but what is pinned or its own."""
    mine = own(state, ticket.holder)
    bare = [replace(held, seats=tuple(seat for seat in held.seats if seat.ticket in mine)) for held in state.helds]
    kept = tuple(held for held in bare if held.seats or (_pinned(state, held) and _usable(held)))
    return seated(replace(state, helds=kept), ticket)[0].charge


def projected(state: State, ticket: Ticket) -> int:
    """Bytes that a job takes at its peak beside everything that is there."""
    return seated(state, ticket)[0].charge


def wake(state: State) -> float | None:
    """Return when the next keep-alive ends, None when none does."""
    ends = (end(state, held) for held in state.helds)
    return min((found for found in ends if found is not None), default=None)


def seated(state: State, ticket: Ticket) -> tuple[State, tuple[tuple[int, int], ...]]:
    """Return the state in which a ticket has its seats, and which they are: (held, seat) for each want."""
    state = replace(state, overhead=max(state.overhead, ticket.overhead))
    seats = []
    for want in ticket.wants:
        held = _home(state, want) or Held(state.made + 1, want, ())
        seat = _seat(state, held, want) or Seat(state.made + 2, want.options, None)
        taken = replace(seat, ticket=ticket.id, options=want.options, open=seat.open and seat.options == want.options)
        seated = _restated(replace(held, seats=swapped(held, taken)), want)
        others = tuple(seated if other.id == held.id else other for other in state.helds)
        if held not in state.helds:
            others = (*others, seated)
        state = replace(state, helds=others, made=state.made + 2)
        seats.append((held.id, seat.id))
    return state, tuple(seats)


def _home(state: State, want: Want) -> Held | None:
    """Return where a want finds a seat: one that is free, best with its own options, or one that can be added."""
    fit = [held for held in state.helds if held.want.choice == want.choice and _usable(held)]
    with_room = [held for held in fit if want.capacity is None or len(held.seats) < want.capacity]
    free = [held for held in fit if _seat(state, held, want)]
    same = [held for held in free if (seat := _seat(state, held, want)) and seat.options == want.options]
    return next(iter((*same, *free, *with_room)), None)


def _seat(state: State, held: Held, want: Want) -> Seat | None:
    """Return a free seat, best one that was opened with the same options, or is being opened and nobody's."""
    loaders = {None, *(job.ticket.id for job in state.jobs if not job.ticket.lends)}
    free = [seat for seat in held.seats if seat.ticket in loaders and (seat.open or seat.options == want.options)]
    return max(free, key=lambda seat: seat.options == want.options, default=None)


def own(state: State, holder: int) -> set[int]:
    """Return the tickets with which a holder has seats."""
    return {job.ticket.id for job in state.jobs if job.ticket.holder == holder}


def _usable(held: Held) -> bool:
    return held.status != "unloading" and not held.doomed


def evictable(state: State, held: Held) -> bool:
    """Whether a model may be unloaded now: it is idle, and not pinned."""
    loading = any(seat.id == state.loading for seat in held.seats)
    return held.status == "ready" and not (held.busy or loading or (_pinned(state, held) and not held.doomed))


def _pinned(state: State, held: Held) -> bool:
    return held.want.choice.model.name in state.pinned


def spare(state: State, claimed: Collection[int]) -> tuple[Held, Seat] | None:
    """Return an idle seat of a model that stays."""
    seats = ((held, seat) for held in state.helds if held.status == "ready" for seat in held.seats)
    return next((pair for pair in seats if pair[1].open and pair[1].ticket is None and pair[1].id not in claimed), None)


def swapped(held: Held, seat: Seat) -> tuple[Seat, ...]:
    """Return the seats of a held model with this one in the place of its older self, or added."""
    if any(other.id == seat.id for other in held.seats):
        return tuple(seat if other.id == seat.id else other for other in held.seats)
    return (*held.seats, seat)


def _restated(held: Held, want: Want) -> Held:
    """Return a held model as the latest want states it: keep-alive and footprint, but never less bytes at rest."""
    stated = replace(held, want=want, excess=0)
    return replace(stated, excess=max(0, held.at_rest - stated.at_rest))


def end(state: State, held: Held) -> float | None:
    """Return when an idle model has to go, None: it is in use, or kept for ever."""
    if not evictable(state, held) or (held.want.keep_alive < 0 and not held.doomed):
        return None
    return held.idle_since + (0 if held.doomed else held.want.keep_alive)
