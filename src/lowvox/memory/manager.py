"""The manager: plans jobs inside one budget and lends them streams. Knows no model family.

What is loaded and evicted when is decided in `transition` and done by `keeper`.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lowvox import engines
from lowvox.errors import BudgetError, EngineError
from lowvox.memory import holder, limit, meter, planner, tuned
from lowvox.memory import residency as happened
from lowvox.memory import stated as said
from lowvox.memory.footprints import SOUND, Footprints
from lowvox.memory.keeper import Keeper
from lowvox.memory.keeping import KeepAlive
from lowvox.memory.lending import Lent
from lowvox.memory.residency import Grant, Refuse, Ticket, Want
from lowvox.memory.share import Share
from lowvox.types import Choice, Footprint, Holding, Model, Part, Profile, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lowvox.engines import Entry
    from lowvox.memory.budget import Budget
    from lowvox.memory.planner import Need, Plan

_LISTENERS = ("vad", "recognizer")
# How long another manager of this process is left alone before it is asked again.
_PAUSE_S = 0.05
_managers: set[Manager] = set()


class Manager:
    """Holds what one `Speech` has loaded. Safe to use from several threads; `close` ends everything.

    `session` is asked for what the user stated of ONNX Runtime's sessions, before the first model that has some.
    `on_note` receives sentences for the person who waits, `on_mark` (kind, name) at each load, run and eviction,
    `on_busy` whether anything is loading or lent.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        *,
        threads: int | None = None,
        session: Callable[[], said.Session] = tuple,
        keep_alive: KeepAlive | None = None,
        on_note: Callable[[str], None] = lambda _: None,
        on_mark: Callable[[str, str], None] = lambda *_: None,
        on_busy: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self.keep_alive = keep_alive or KeepAlive()
        self.footprints = Footprints(on_note)
        self._threads, self._session = threads, session
        self._mark = on_mark
        self._busy = on_busy
        self._share = Share(budget, on_note)
        self._tickets = 0
        self._lock = threading.Lock()
        self._seen: dict[str, Part] = {}
        self._keeper = Keeper(
            self.footprints.base,
            self._share,
            lambda: self.room,
            on_mark=on_mark,
            on_load=self._loaded,
            on_busy=on_busy,
            clock=clock,
        )
        self._unsubscribe = limit.subscribe(self._limited)
        _managers.add(self)

    # What fits ---------------------------------------------------------------------------------------------------

    @property
    def stated(self) -> int | None:
        """Bytes that may ever be taken: the budget, or the smallest limit in force."""
        budget = None if self.budget is None else self.budget.bytes
        return min((size for size in (budget, limit.current()) if size is not None), default=None)

    @property
    def room(self) -> int | None:
        """Bytes that may be taken now: what other managers of this process leave.

        What those take that share this one's budget is reserved beside its own, as if they were in another process.
        """
        stated = self.stated
        if stated is None:
            return None
        apart = [other for other in self._siblings() if not (self._share.active and other._share.active)]
        return max(0, stated - sum(other.taken for other in apart))

    @property
    def charge(self) -> int:
        """Bytes that this process and its workers may take now, as far as this manager knows."""
        return self._keeper.state.charge

    @property
    def taken(self) -> int:
        """Bytes that its models may take now, with what unloading has left behind."""
        state = self._keeper.state
        return state.charge - state.base - state.overhead

    @property
    def handles_sound(self) -> bool:
        """Whether a job of it has loaded what reading and resampling sound takes."""
        return self._keeper.state.overhead > 0

    def plan(self, needs: Sequence[Need], *, thorough: bool = False) -> Plan:
        """Plan a job inside the budget; nothing is loaded, what matters is measured."""
        return planner.plan(
            needs,
            self.stated,
            self._base(needs, ask=thorough),
            self.footprints.of,
            self.entry,
            floor=self.footprints.floor,
            cores=os.cpu_count(),
            thorough=thorough,
        )

    def most(self, needs: Sequence[Need], jobs: int) -> int:
        """Return how many of `jobs` at once the budget holds."""
        return planner.most(
            needs,
            jobs,
            self.stated,
            self._base(needs),
            self.footprints.of,
            self.entry,
            floor=self.footprints.floor,
            cores=os.cpu_count(),
        )

    def entry(self, engine: str) -> Entry:
        """Return an engine's entry, with the threads and the session settings that were asked for."""
        found = engines.entry(engine)
        session = self._session() if found.package == "onnxruntime" else ()
        profiles, windows = (
            tuple(said.profile(each, self._threads, session) for each in several)
            for several in (found.profiles, found.windows)
        )
        return replace(found, profiles=profiles, windows=windows, tuned=partial(self._tuned, found.package, session))

    def _tuned(self, package: str, session: said.Session, model: Model, most: int) -> tuple[Profile, ...]:
        """Return the ways that tuning found for a model, with what was stated."""
        pairs = dict(session)
        threads = pairs.pop("intra_op_num_threads", None) or self._threads
        return tuned.profiles(model, package, tuple(pairs.items()), threads, most)

    def choice(self, model: Model) -> Choice:
        """Return the usual way to run a model."""
        entry = self.entry(model.engine)
        return Choice(model, entry.ways(model)[0], entry.placements[0])

    def footprint(self, model: Model) -> Footprint:
        """Return what a model takes as it is usually run."""
        return self.footprints.of(self.choice(model))

    # Lending -----------------------------------------------------------------------------------------------------

    @contextmanager
    def lease(
        self, *wanted: Model | Choice, sound: bool | None = None, patience_s: float | None = None, **options: object
    ) -> Iterator[list[Any]]:
        """Lend a stream of each model, opened with the engines' own `options`; loads what is not there.

        A job gets all its streams or none, and waits while the budget cannot hold it beside the others, for
        `patience_s` seconds at most. `sound` says whether it reads or resamples sound, as who listens does. Raises
        BudgetError where the budget cannot hold it at all, EngineError where it must not or does not want to wait.
        """
        choices = [self.choice(item) if isinstance(item, Model) else item for item in wanted]
        names = ", ".join(choice.model.name for choice in choices)
        ticket, grant = self._obtain(choices, options, sound, patience_s)
        lent: list[Lent] = []
        try:
            lent += [self._lent(*seat) for seat in grant.seats]
            self._mark("run", names)
            self._busy(True)
            yield lent
        finally:
            for stream in lent:
                stream.give_back()
            self._mark("end", names)
            self._keeper.give_back(ticket, grant)

    def preload(self, *wanted: Model | Choice, **options: object) -> bool:
        """Load models for later, where that evicts nothing; False where it would. Raises what loading raises."""
        choices = [self.choice(item) if isinstance(item, Model) else item for item in wanted]
        ticket = self._ticket(choices, options, sound=None, lends=False)
        answer = self._keeper.ask(ticket, None)
        if isinstance(answer, Refuse) and answer.error is not None:
            raise answer.error
        return isinstance(answer, Grant)

    def unload(self, *names: str) -> None:
        """Unload models by name or role: now what is idle, what is in use after its job."""
        self._keeper.post(happened.Unwanted(frozenset(names)))

    def pin(self, *names: str) -> None:
        """Never evict these models, to make room or under pressure; those pinned before are free again."""
        self._keeper.post(happened.Pinned(frozenset(names)))

    def press(self, size: int) -> None:
        """Evict idle models of so many bytes, as far as there are any, and wait until they have gone."""
        self._keeper.press(size)

    def close(self) -> None:
        """Unload everything and load nothing more; may be called twice. Streams that are lent out end with an error."""
        self._unsubscribe()
        self._keeper.close()
        self._share.close()
        _managers.discard(self)

    # Reports -----------------------------------------------------------------------------------------------------

    def holdings(self) -> tuple[Holding, ...]:
        """Return what is held now."""
        return self._keeper.holdings()

    def parts(self) -> tuple[Part, ...]:
        """Attribute memory to what has been loaded so far."""
        with self._lock:
            return (_part("lowvox itself", self.footprints.base, self.footprints.base), *self._seen.values())

    def guard(self, now: Usage) -> None:
        """Act on a look at the whole tree: while it is above the budget, what is idle goes, then who broke its plan."""
        if self.budget is None or now.pss <= self.budget.bytes:
            return
        self._keeper.post(happened.Pressed(now.pss - self.budget.bytes))
        self._keeper.stop_the_greedy(
            lambda taken, planned: (
                f"took {taken / meter.MB:.0f} MB where {planned / meter.MB:.0f} were planned, and was stopped to keep "
                f"the budget of {self.budget}; give it a larger --budget."
            )
        )

    # Asking ------------------------------------------------------------------------------------------------------

    def _obtain(
        self, choices: Sequence[Choice], options: dict[str, object], sound: bool | None, patience_s: float | None
    ) -> tuple[Ticket, Grant]:
        """Get seats whose engines live: one that has died since its last job is noticed here."""
        limit.check()
        for _ in range(3):
            ticket = self._ticket(choices, options, sound, lends=True)
            answer = self._answer(ticket, patience_s)
            if isinstance(answer, Refuse):
                raise self._refusal(answer, choices)
            dead = {held for held, _ in answer.seats}  # until it was looked at, which may be interrupted
            try:
                dead = {held for held, seat in answer.seats if not self._lives(held, seat)}
            finally:
                if dead:
                    self._keeper.post(happened.Released(ticket.id, frozenset(dead)))
            if not dead:
                return ticket, answer
        raise EngineError(f"{choices[0].model.name} ends as soon as it has been loaded; `lowvox doctor` may know why.")

    def _answer(self, ticket: Ticket, patience_s: float | None) -> Grant | Refuse:
        """Wait for an answer. What other managers of this process hold is no reason to refuse, but to wait for them."""
        end = None if patience_s is None else time.monotonic() + patience_s
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            answer = self._keeper.ask(ticket, left)
            pressed = self._press_others(ticket, answer)
            if answer is None or (pressed and left == 0):
                raise EngineError(f"No memory of the budget became free in {patience_s:g} s; try again later.")
            if not pressed:
                return answer
            time.sleep(_PAUSE_S)

    def _press_others(self, ticket: Ticket, answer: Grant | Refuse | None) -> bool:
        """Ask the other managers of this process for room; False where they are not why a job was refused."""
        if not isinstance(answer, Refuse) or answer.why != "budget" or answer.needed > (self.stated or 0):
            return False
        blocking = [other for other in self._siblings() if other.holdings() and not other.lends_to(ticket.holder)]
        for other in blocking:
            other.press(answer.needed)
        return bool(blocking)

    def lends_to(self, holder: int) -> bool:
        """Whether a thread has a lease of it."""
        return any(job.ticket.holder == holder for job in self._keeper.state.jobs)

    def _siblings(self) -> list[Manager]:
        """Return the other managers of this process."""
        return [other for other in list(_managers) if other is not self]

    def _lives(self, held: int, seat: int) -> bool:
        home = self._keeper.home(held)
        if home is None:
            return False
        try:
            home.stream(seat).reset()
        except Exception:  # an engine in this process raises what it likes
            return False
        return True

    def _ticket(
        self, choices: Sequence[Choice], options: dict[str, object], sound: bool | None, *, lends: bool
    ) -> Ticket:
        listens = any(choice.model.role in _LISTENERS for choice in choices) if sound is None else sound
        told = tuple(sorted(options.items()))
        wants = tuple(self._want(choice, told) for choice in choices)
        # The libraries are there for all of this process once one has loaded them.
        listens = listens or any(other.handles_sound for other in self._siblings())
        overhead = self.footprints.sound(ask=self.room is not None) if listens else 0
        with self._lock:
            if overhead:
                self._seen.setdefault(SOUND, _part(SOUND, overhead, overhead))
            self._tickets += 1
            return Ticket(self._tickets, holder.current(), wants, overhead, lends)

    def _want(self, choice: Choice, options: tuple[tuple[str, object], ...]) -> Want:
        """Say what a model takes; without a budget, what is not known need not be measured."""
        model = choice.model
        room = self.stated
        if room is None:
            size = self.footprints.known(choice) or Footprint(0, 0, 0, 1.0)
        else:
            if (floor := self.footprints.floor(model)) > room:
                self._refuse_files(model, floor, room)
            size = self._keeper.anew(choice, self.footprints.of(choice))
        entry = engines.entry(model.engine)
        return Want(choice, size, options, entry.capacity, self.keep_alive.of(model))

    def _lent(self, number: int, seat: int) -> Lent:
        home = self._keeper.home(number)
        if home is None:
            raise EngineError("This Speech is closed; open another.")
        rested = partial(self._keeper.rested, number)
        return Lent(home.choice.model.name, home.stream(seat), home.permits, rested)

    def _loaded(self, want: Want, size: int) -> None:
        """Note what has been loaded, for the table of parts."""
        name, known = want.choice.model.name, want.footprint.resident + want.footprint.stream
        with self._lock:
            part = _part(name, known or size, want.footprint.peak() or None)
            # The first time counts: later it is loaded on what that has left behind.
            self._seen[name] = max(self._seen.get(name, part), part, key=lambda seen: seen.resident_mb)

    def _limited(self, excess: int) -> None:
        """A limit of this process has changed, or comes near: whoever tells so measures again afterwards."""
        if excess:
            self.press(excess)
        self._keeper.post()  # with the room that there is now

    # Words -------------------------------------------------------------------------------------------------------

    def _base(self, needs: Sequence[Need], *, ask: bool = False) -> tuple[tuple[str, int], ...]:
        listens = any(need.role in _LISTENERS for need in needs)
        sound = self.footprints.sound(ask=ask or self.room is not None) if listens else 0
        libraries = ((SOUND, sound),) if sound else ()
        return (*libraries, ("lowvox itself", self.footprints.base))

    def _refusal(self, refused: Refuse, choices: Sequence[Choice]) -> Exception:
        if refused.error is not None:
            return refused.error
        if refused.why == "closed":
            return EngineError("This Speech is closed; open another.")
        if refused.why == "line":
            return EngineError("Too many jobs are waiting for memory already; try again when some are done.")
        names = ", ".join(choice.model.name for choice in choices)
        room = self.stated or 0
        why = "beside what the same job holds already " if refused.why == "deadlock" else ""
        return BudgetError(
            f"{names} would take lowvox {why}to {-(-refused.needed // meter.MB)} MB at its peak, and "
            f"{self._share.told(refused.needed, room, self.room or 0)}; nothing was loaded. "
            f"Give it --budget {planner.offer(refused.needed)}MB or more.",
            needed=refused.needed,
            budget=room,
        )

    def _refuse_files(self, model: Model, size: int, room: int) -> None:
        raise BudgetError(
            f"The files of {model.name} have {size / meter.MB:.0f} MB and the budget is {room / meter.MB:.0f} MB; "
            "nothing was loaded. Take a smaller model (`lowvox models`) or a larger --budget.",
            needed=size,
            budget=room,
        )


def _part(name: str, resident: int, peak: int | None) -> Part:
    return Part(name, round(resident / meter.MB, 1), None if peak is None else round(peak / meter.MB, 1))
