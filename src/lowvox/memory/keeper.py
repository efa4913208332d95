"""The keeper: carries out what `transition` decides, in a thread of its own, so that whoever waits can be interrupted.

It loads and unloads one at a time, and once a second looks after keep-alives, other programs' memory and the other
lowvox processes. The thread ends when nothing is held. Knows neither plans nor words for people.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from lowvox.memory import meter, pressure, seating, transition
from lowvox.memory import residency as happened
from lowvox.memory.growth import Growth
from lowvox.memory.home import Home
from lowvox.memory.residency import Action, Close, Grant, Open, Refuse, State, Ticket, Unload, Want
from lowvox.types import Holding

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from lowvox.memory.lending import Lent
    from lowvox.memory.residency import Held
    from lowvox.memory.share import Share
    from lowvox.types import Choice, Footprint

# How often the outside is looked at: other programs' memory, other lowvox processes.
_TICK_S = 1.0
# An engine in this process that hangs cannot be ended.
_GRACE_S = 10.0
# A worker above its charge by this factor has broken its plan.
_TOLERANCE = 1.05
CLOSED = "has been closed; open it again."
# One for all keepers of this process: while one decides what it takes, no other does.
_LOCK = threading.RLock()
_keepers: weakref.WeakSet[Keeper] = weakref.WeakSet()


class Keeper:
    """Holds the state and the homes. Safe to use from several threads.

    `room` tells how many bytes may be taken now, None: any number. `on_mark` is told (kind, name) at each load and
    eviction, `on_load` the want and its bytes at rest, `on_busy` whether anything is loading or lent.
    """

    def __init__(
        self,
        base: int,
        share: Share,
        room: Callable[[], int | None],
        *,
        on_mark: Callable[[str, str], None],
        on_load: Callable[[Want, int], None],
        on_busy: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State(base=base)
        self._base = base
        self._share = share
        self._room = room
        self._mark = on_mark
        self._on_load = on_load
        self._busy = on_busy
        self._clock = clock
        self._changed = threading.Condition(_LOCK)
        self._asking = threading.Lock()
        self._loader = threading.Lock()
        self._answers: dict[int, Grant | Refuse] = {}
        self._todo: deque[Action] = deque()
        self._homes: dict[int, Home] = {}
        self._growths: dict[int, Growth] = {}
        self._left: dict[Choice, int] = {}  # bytes that unloading left in this process
        self._thread: threading.Thread | None = None
        self._keeping = False
        _keepers.add(self)

    def post(self, *events: happened.Event) -> None:
        """Take a step for each event with the room that there is now; answers go to who waits, work to the thread."""
        with self._changed:
            room = self._free()
            for event in (happened.Roomed(room), *events) if room != self.state.room else events:
                self.state, actions = transition.step(self.state, event, self._clock())
                self._answers |= {action.ticket: action for action in actions if isinstance(action, Grant | Refuse)}
                self._todo += [action for action in actions if not isinstance(action, Grant | Refuse)]
            if not self._keeping and (self._todo or self.state.helds or self.state.line):
                self._thread = threading.Thread(target=self._keep, name="lowvox-memory", daemon=True)
                self._thread.start()
                self._keeping = True  # only now: whoever starts it may be interrupted
            self._changed.notify_all()

    def ask(self, ticket: Ticket, patience_s: float | None) -> Grant | Refuse | None:
        """Stand in line and wait for the answer, None when it takes longer; whoever is interrupted leaves the line."""
        try:
            with self._asking:  # first come, first served, also with what is reserved for a job
                if self._share.active and (room := self._room()) is not None:
                    self._share.claim(self.state, ticket, room)
                self.post(happened.Asked(ticket))
            with self._changed:
                self._changed.wait_for(lambda: ticket.id in self._answers, patience_s)
                if ticket.id in self._answers:
                    return self._answers.pop(ticket.id)
        except BaseException:
            self._cancel(ticket)
            raise
        finally:
            self._share.answered(ticket)
        self._cancel(ticket)
        return None

    def press(self, size: int) -> None:
        """Evict idle models of so many bytes, as far as there are any, and wait until they have gone."""
        self.post(happened.Pressed(size))
        with self._changed:
            self._changed.wait_for(
                lambda: all(held.status != "unloading" for held in self.state.helds), timeout=_GRACE_S
            )

    def anew(self, choice: Choice, size: Footprint) -> Footprint:
        """Return what a choice takes, given its footprint, where something of its last time is still there."""
        state = self.state
        left = min(self._left.get(choice, 0), max(0, state.base - self._base) + state.residue)
        return replace(size, resident=max(0, size.resident - left))

    def home(self, number: int) -> Home | None:
        """Return a held model's home, while it has one."""
        return self._homes.get(number)

    def give_back(self, ticket: Ticket, grant: Grant) -> None:
        """Return seats, with what their models take at rest now; what has died or grown is not used again."""
        spoiled = {held for held, _ in grant.seats}  # until it was looked at, which may be interrupted
        measured: dict[int, int] = {}
        try:
            for number in list(spoiled):
                home, growth = self._homes.get(number), self._growths.get(number)
                if home is None or growth is None or home.dead:
                    continue
                if self._alone(number, ticket):
                    home.trim()
                    measured[number] = home.at_rest()
                    if growth.add(home.private()):
                        continue
                spoiled.discard(number)
        finally:
            self.post(happened.Released(ticket.id, frozenset(spoiled), tuple(measured.items())))

    def rested(self, number: int, lent: Lent) -> None:
        """Look at a worker between two utterances: one that has grown is replaced where nobody else uses it."""
        home, growth = self._homes.get(number), self._growths.get(number)
        if home is None or growth is None or home.pid is None or not growth.suspect(home.private()):
            return
        home.trim()
        if not growth.grown(home.private()):
            return
        with self._loader:  # nothing is opened or unloaded meanwhile
            held = self.state.find(number)
            if held is None or held.status != "ready" or len(held.seats) != 1:
                return
            seat = held.seats[0]
            self._mark("recycle", home.choice.model.name)
            home.renew(seat.id, seat.options)
            growth.begin(home.private())
            lent.stream = home.stream(seat.id)

    def stop_the_greedy(self, reason: Callable[[int, int], str]) -> None:
        """End the workers that take more than they are charged with; `reason` is made of both figures, in bytes."""
        with self._changed:
            pairs = [(held, self._homes[held.id]) for held in self.state.helds if held.id in self._homes]
        for held, home in pairs:
            if home.pid is not None and (size := home.at_rest()) > _TOLERANCE * held.charge:
                self._mark("stop", held.want.choice.model.name)
                home.end(reason(size, held.charge))

    def close(self) -> None:
        """Unload everything and load nothing more; may be called twice."""
        self.post(happened.Closed())
        with self._changed:
            thread, homes = self._thread, list(self._homes.values())
        for home in homes:
            home.end(CLOSED)
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(_GRACE_S)

    def holdings(self) -> tuple[Holding, ...]:
        """Return what is held now."""
        with self._changed:
            return tuple(self._holding(held) for held in self.state.helds)

    # The thread --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        told = None
        while True:
            with self._changed:
                waits = bool(self.state.helds or self.state.line)
                if not self._todo and not waits and told is self.state:
                    self._keeping = False
                    return
                if not self._todo and waits:
                    self._changed.wait(self._pause())
                action = self._todo.popleft() if self._todo else None
            if action is None:
                self._tick()
            else:
                with self._loader:
                    self._do(action)
            told = self.state
            self._share.settle(lambda: self.state.charge)
            self._share.publish(told, self.holdings())

    def _pause(self) -> float:
        end = seating.wake(self.state)
        return _TICK_S if end is None else max(0.0, min(_TICK_S, end - self._clock()))

    def _tick(self) -> None:
        """Look after time, other programs and other lowvox processes."""
        self.post(happened.Ticked())
        if pressed := max(pressure.wanted(pressure.read()), self._share.wanted()):
            self.post(happened.Pressed(pressed))
        with self._changed:
            state = self.state
        busy = state.loading is not None or any(held.busy for held in state.helds)
        self._busy(busy)
        self._settle()

    def _settle(self) -> None:
        """Measure what unloading has left behind, where nothing else in this process hides it."""
        here = [held for keeper in list(_keepers) for held in keeper.state.helds]
        if self.state.residue and all(held.want.choice.placement == "worker" for held in here):
            self.post(happened.Settled(meter.usage(os.getpid()).rss))

    def _do(self, action: Action) -> None:
        match action:
            case Open(number, seat, want):
                self._open(number, seat, want)
            case Unload(number):
                self._unload(number)
            case Close(number, seat):
                if home := self._homes.get(number):
                    home.close(seat)

    def _open(self, number: int, seat: int, want: Want) -> None:
        if (dead := self._homes.get(number)) is not None and dead.dead:
            dead.unload()
            del self._homes[number]
        with self._changed:
            home = self._homes.setdefault(number, Home(want, held_to_plan=self.state.room is not None))
            if self.state.closed:
                home.end(CLOSED)
        self._mark("load", want.choice.model.name)
        try:
            size = home.open(seat, want.options)
        except Exception as error:
            self.post(happened.Failed(error))
            return
        with self._changed:
            self._growths.setdefault(number, Growth(want.footprint)).begin(home.private())
        self._on_load(want, size)
        if size > home.planned:
            self._share.settle(lambda: self.state.charge + size - home.planned)
        self.post(happened.Loaded(size))

    def _unload(self, number: int) -> None:
        with self._changed:
            home = self._homes.pop(number, None)
            self._growths.pop(number, None)
        kept = 0
        if home is not None:
            self._mark("evict", home.choice.model.name)
            kept = home.unload()
            self._left[home.choice] = self._left.get(home.choice, 0) + kept
        self.post(happened.Unloaded(number, kept))
        self._settle()

    def _free(self) -> int | None:
        """Return how many bytes may be taken; of a budget that is shared, what is reserved."""
        room = self._room()
        return room if room is None or not self._share.active else min(room, self._share.reserved)

    def _alone(self, number: int, ticket: Ticket) -> bool:
        """Whether a ticket is the only one with seats of a held model."""
        held = self.state.find(number)
        return held is not None and all(seat.ticket in (None, ticket.id) for seat in held.seats)

    def _cancel(self, ticket: Ticket) -> None:
        self.post(happened.Cancelled(ticket.id))
        self._answers.pop(ticket.id, None)

    def _holding(self, held: Held) -> Holding:
        home, choice = self._homes.get(held.id), held.want.choice
        leases = sum(seat.ticket is not None for seat in held.seats)
        status: Literal["loading", "idle", "leased", "unloading"] = "leased" if leases else "idle"
        if held.status != "ready":
            status = "unloading" if held.status == "unloading" else "loading"
        return Holding(
            model=choice.model.name,
            role=choice.model.role,
            placement=choice.placement,
            pid=home.pid if home else None,
            status=status,
            bytes=held.at_rest,
            peak=held.planned + held.excess + held.work(len(held.seats)),
            streams=len(held.seats),
            leases=leases,
            idle_s=0.0 if leases else max(0.0, self._clock() - held.idle_since),
            keep_alive=held.want.keep_alive,
            pinned=choice.model.name in self.state.pinned,
        )
