"""The manager: loads models inside the budget and lends out their streams.

This is the first part of the design: what a job needs is known before anything loads, a load that would pass the budget
is refused, idle streams make room, and one that the budget cannot hold beside those in use is waited for. It knows no
model family. A seat is a stream with the resident under it; one in a worker is a process of its own.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox import engines
from lowvox.errors import BudgetError, EngineError
from lowvox.memory import measure, meter
from lowvox.memory.ledger import Ledger, key
from lowvox.memory.worker import Worker
from lowvox.types import Footprint, Model, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lowvox.memory.budget import Budget
    from lowvox.types import Resident, Stream

# What every job needs besides its models: the libraries that read and resample sound, loaded once.
AUDIO = Model(name="audio libraries", engine="soundfile", role="vad", languages=())


@dataclass(slots=True)
class _Seat:
    """An open stream and the resident under it."""

    model: Model
    options: dict[str, object]
    resident: Resident
    stream: Stream
    busy: bool = True

    def close(self) -> None:
        self.stream.close()
        self.resident.close()


class Manager:
    """Holds what one `Speech` has loaded. Safe to use from several threads; `close` ends everything."""

    def __init__(
        self, budget: Budget | None = None, *, threads: int = 1, on_measure: Callable[[str], None] = lambda _: None
    ) -> None:
        self.budget = budget
        self._threads = threads
        self._on_measure = on_measure
        self._ledger = Ledger()
        self._seats: list[_Seat] = []
        self._changed = threading.Condition()
        self._parts: dict[str, Part] = {}
        # What the process takes before lowvox has loaded anything for its work.
        self._base = meter.tree_usage().pss
        self._parts["lowvox itself"] = Part("lowvox itself", self._base / meter.MB, self._base / meter.MB)

    def footprint(self, model: Model) -> Footprint:
        """Return what a model takes: from the ledger, or measured now in a throw-away process."""
        row = key(model, "soundfile" if model is AUDIO else engines.entry(model.engine).package, self._threads)
        found = self._ledger.get(row)
        if found is None:
            self._on_measure(f"Measuring {model.name} once on this machine ...")
            found = (
                measure.audio_footprint()
                if model is AUDIO
                else measure.footprint(model, engines.entry(model.engine).placement, self._threads)
            )
            self._ledger.put(row, found)
        self._parts[model.name] = Part(model.name, (found.resident + found.stream) / meter.MB, found.peak() / meter.MB)
        return found

    def needed(self, models: Sequence[Model]) -> int:
        """Return the bytes that a job with one stream of each of `models` takes at its peak."""
        return self._base + sum(self.footprint(model).peak() for model in (AUDIO, *models))

    def check(self, models: Sequence[Model]) -> None:
        """Refuse, before anything loads, a job that the budget cannot hold."""
        if self.budget is None or (needed := self.needed(models)) <= self.budget.bytes:
            return
        parts = "".join(f"{model.name} {self.footprint(model).peak() / meter.MB:.0f}, " for model in (*models, AUDIO))
        smallest = -(-needed // meter.MB)
        raise BudgetError(
            f"This needs {smallest} MB at its peak ({parts}lowvox itself {self._base / meter.MB:.0f}) and the budget "
            f"is {self.budget}; nothing was loaded. Give it --budget {smallest}MB or more.",
            needed=needed,
            budget=self.budget.bytes,
        )

    def fits(self, jobs: int, each: Sequence[Model]) -> int:
        """Return how many of `jobs` at once the budget holds, when each has a stream of every model in `each`."""
        if self.budget is None:
            return jobs
        room = self.budget.bytes - self.needed(())
        return min(jobs, room // sum(self.footprint(model).peak() for model in each))

    @contextmanager
    def lease(self, model: Model, **options: object) -> Iterator[Any]:
        """Lend a stream of `model`, opened with the engine's own `options`; loads it first if need be.

        Waits where the budget holds no further stream but one is in use. Raises BudgetError where it can hold none.
        """
        seat = self._sit(model, options)
        try:
            yield seat.stream
        finally:
            with self._changed:
                seat.busy = False
                self._changed.notify_all()

    def parts(self) -> tuple[Part, ...]:
        """Attribute memory to what has been loaded so far."""
        return tuple(self._parts.values())

    def close(self) -> None:
        """Unload everything; may be called twice. Streams that are lent out end with an error."""
        with self._changed:
            seats, self._seats = self._seats, []
            self._changed.notify_all()
        for seat in seats:
            seat.close()

    def _sit(self, model: Model, options: dict[str, object]) -> _Seat:
        """Find a free seat, or make one as soon as the budget allows."""
        with self._changed:
            while True:
                if seat := self._free(model, options):
                    return seat
                if self._make_room(model):
                    # Under the lock: one load at a time.
                    seat = self._load(model, options)
                    self._seats.append(seat)
                    return seat
                if not any(seat.busy and seat.model == model for seat in self._seats):
                    self.check([*(seat.model for seat in self._seats), model])
                self._changed.wait()

    def _free(self, model: Model, options: dict[str, object]) -> _Seat | None:
        """Take a free seat that fits; one whose engine has failed or died since is given up."""
        for seat in [seat for seat in self._seats if not seat.busy and (seat.model, seat.options) == (model, options)]:
            try:
                seat.stream.reset()
            except EngineError:
                self._seats.remove(seat)
                seat.close()
                continue
            seat.busy = True
            return seat
        return None

    def _make_room(self, model: Model) -> bool:
        """Whether the budget holds one more seat, once idle ones, the oldest first, have been given up for it."""
        if self.budget is None:
            return True
        while self.needed([*(seat.model for seat in self._seats), model]) > self.budget.bytes:
            idle = next((seat for seat in self._seats if not seat.busy), None)
            if idle is None:
                return False
            self._seats.remove(idle)
            idle.close()
        return True

    def _load(self, model: Model, options: dict[str, object]) -> _Seat:
        """Load a model where it belongs and open a stream."""
        before = meter.tree_usage().pss
        resident: Resident
        if engines.entry(model.engine).placement == "worker":
            resident = Worker(model.name).load(model.engine, model, self._threads)
        else:
            resident = engines.create(model.engine).load(model, self._threads)
        try:
            stream = resident.open(**options)
        except BaseException:
            resident.close()
            raise
        if model.name not in self._parts:
            self._parts[model.name] = Part(model.name, max(0, meter.tree_usage().pss - before) / meter.MB, None)
        return _Seat(model, options, resident, stream)
