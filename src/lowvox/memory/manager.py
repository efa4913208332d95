"""The manager: loads models inside the budget and lends out their streams.

This is the first part of the design: what a job needs is known before anything loads, a load that would pass the budget
is refused, idle streams make room, and a job that does not fit beside others is kept waiting. It knows no model family.
A seat is a stream with the resident under it; one in a worker is a process of its own.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox import engines
from lowvox.errors import BudgetError, EngineError
from lowvox.memory import measure, meter
from lowvox.memory.ledger import Ledger, key
from lowvox.memory.worker import Worker
from lowvox.types import Footprint, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lowvox.memory.budget import Budget
    from lowvox.types import Model, Resident, Stream

# What this process takes is shared with other programs to a degree that changes: an offered budget allows for it.
_MARGIN = 1.02
_STEP = 5 * meter.MB


@dataclass(slots=True)
class _Seat:
    """An open stream, the resident under it, and the thread that uses it (None: it is idle)."""

    model: Model
    options: dict[str, object]
    resident: Resident
    stream: Stream
    holder: int | None = None

    def fits(self, model: Model, options: dict[str, object]) -> bool:
        """Whether it is idle and what is wanted."""
        return self.holder is None and (self.model, self.options) == (model, options)


class Manager:
    """Holds what one `Speech` has loaded. Safe to use from several threads; `close` ends everything."""

    def __init__(
        self, budget: Budget | None = None, *, threads: int = 1, on_measure: Callable[[str], None] = lambda _: None
    ) -> None:
        self.budget = budget
        self._threads = threads
        self._on_measure = on_measure
        self._ledger = Ledger()
        self._footprints: dict[str, Footprint] = {}
        self._seats: list[_Seat] = []
        self._closed = False
        self._changed = threading.Condition()
        self._parts: dict[str, Part] = {}
        # What this process takes before this manager has loaded anything.
        self._base = meter.usage(os.getpid()).pss
        self._audio_is_base = "soundfile" in sys.modules
        self._parts["lowvox itself"] = _part("lowvox itself", self._base, self._base)

    def footprint(self, model: Model) -> Footprint:
        """Return what a model takes: from the ledger, or measured now in a throw-away process."""
        entry = engines.entry(model.engine)
        row = key(model, entry.package, self._threads)
        return self._known(model.name, row, lambda: measure.footprint(model, entry.placement, self._threads))

    def needed(self, models: Sequence[Model]) -> int:
        """Return the bytes that a job with one stream of each of `models` takes at its peak."""
        return self._base + self._audio().peak() + sum(self.footprint(model).peak() for model in models)

    def check(self, models: Sequence[Model]) -> None:
        """Refuse, before anything loads, a job that the budget cannot hold."""
        if self.budget is None:
            return
        for model in models:
            self._check_files(model)
        if (needed := self.needed(models)) <= self.budget.bytes:
            return
        parts = "".join(f"{model.name} {self.footprint(model).peak() / meter.MB:.0f}, " for model in models)
        offer = -(-int(needed * _MARGIN) // _STEP) * _STEP // meter.MB
        raise BudgetError(
            f"This needs {-(-needed // meter.MB)} MB at its peak ({parts}audio libraries "
            f"{self._audio().peak() / meter.MB:.0f}, lowvox itself {self._base / meter.MB:.0f}) and the budget is "
            f"{self.budget}; nothing was loaded. Give it --budget {offer}MB or more.",
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
    def lease(self, *models: Model, **options: object) -> Iterator[list[Any]]:
        """Lend a stream of each model, opened with the engines' own `options`; loads what is not there.

        A job gets all its streams or none. It waits where the budget cannot hold it beside what other threads use.
        Raises BudgetError where the budget cannot hold it at all.
        """
        seats = self._sit(models, options)
        try:
            yield [seat.stream for seat in seats]
        finally:
            with self._changed:
                for seat in seats:
                    seat.holder = None
                self._changed.notify_all()

    def parts(self) -> tuple[Part, ...]:
        """Attribute memory to what has been loaded so far."""
        with self._changed:
            return tuple(self._parts.values())

    def close(self) -> None:
        """Unload everything and load nothing more; may be called twice. Streams that are lent out end with an error."""
        with self._changed:
            self._closed = True
            seats, self._seats = self._seats, []
            self._changed.notify_all()
        for seat in seats:
            # The stream ends with its resident: closing it first would wait for what it is doing.
            seat.resident.close()

    def _sit(self, models: Sequence[Model], options: dict[str, object]) -> list[_Seat]:
        """Find free seats for a job, or make them as soon as the budget allows."""
        self.check(models)
        with self._changed:
            while True:
                if self._closed:
                    raise EngineError("This Speech is closed; open another.")
                missing = self._missing(models, options)
                if self._make_room(models, options, missing):
                    # Under the lock: one load at a time.
                    for model in missing:
                        self._seats.append(self._load(model, options))
                    return self._take(models, options)
                if not any(seat.holder not in (None, threading.get_ident()) for seat in self._seats):
                    # Nobody will ever give anything back.
                    self.check([*(seat.model for seat in self._seats), *missing])
                self._changed.wait()

    def _missing(self, models: Sequence[Model], options: dict[str, object]) -> list[Model]:
        """Return the models of a job that have no free seat; a seat whose engine has failed or died is given up."""
        missing = []
        for model in models:
            seat = next((seat for seat in self._seats if seat.fits(model, options)), None)
            try:
                if seat is not None:
                    seat.stream.reset()
                    continue
            except EngineError:
                self._give_up(seat)
            missing.append(model)
        return missing

    def _make_room(self, models: Sequence[Model], options: dict[str, object], missing: Sequence[Model]) -> bool:
        """Whether the budget holds what is missing, once idle seats that the job has no use for are given up."""
        while self.budget and self.needed([*(seat.model for seat in self._seats), *missing]) > self.budget.bytes:
            useless = (s for s in self._seats if s.holder is None and not any(s.fits(m, options) for m in models))
            idle = next(useless, None)
            if idle is None:
                return False
            self._give_up(idle)
        return True

    def _give_up(self, seat: _Seat | None) -> None:
        if seat is not None:
            self._seats.remove(seat)
            seat.resident.close()

    def _take(self, models: Sequence[Model], options: dict[str, object]) -> list[_Seat]:
        """Take a free seat for each model."""
        taken = []
        for model in models:
            seat = next(seat for seat in self._seats if seat.fits(model, options))
            seat.holder = threading.get_ident()
            taken.append(seat)
        return taken

    def _load(self, model: Model, options: dict[str, object]) -> _Seat:
        """Load a model where it belongs and open a stream."""
        before = meter.tree_usage().pss
        resident = self._resident(model)
        try:
            stream = resident.open(**options)
        except BaseException:
            resident.close()
            raise
        if model.name not in self._parts:
            self._parts[model.name] = _part(model.name, max(0, meter.tree_usage().pss - before), None)
        return _Seat(model, options, resident, stream)

    def _resident(self, model: Model) -> Resident:
        engines.require(model.engine)
        if engines.entry(model.engine).placement == "in-process":
            return engines.create(model.engine).load(model, self._threads)
        worker = Worker(model.name)
        try:
            return worker.load(model.engine, model, self._threads)
        except BaseException:
            worker.close()
            raise

    def _check_files(self, model: Model) -> None:
        """Refuse a model whose files alone pass the budget: measuring it would have to load it."""
        if self.budget is None or model.path is None:
            return
        size = sum(file.stat().st_size for file in model.path.rglob("*") if file.is_file())
        if size > min(self.budget.bytes, meter.available()):
            raise BudgetError(
                f"The files of {model.name} have {size / meter.MB:.0f} MB and the budget is {self.budget}; nothing was "
                "loaded. Take a smaller model (`lowvox models`) or a larger --budget.",
                needed=size,
                budget=self.budget.bytes,
            )

    def _audio(self) -> Footprint:
        """Return what every job needs besides its models: the libraries that read and resample sound, loaded once."""
        if self._audio_is_base:  # they are in what this process took before
            return Footprint(0, 0, 0, 0.0)
        row = key("audio libraries", "soundfile", self._threads)
        return self._known("audio libraries", row, measure.audio_footprint)

    def _known(self, name: str, row: str, measured: Callable[[], Footprint]) -> Footprint:
        """Look a footprint up, or measure it, once however many threads ask."""
        with self._changed:
            found = self._footprints.get(row) or self._ledger.get(row)
            if found is None:
                self._on_measure(f"Measuring {name} once on this machine ...")
                found = measured()
                self._ledger.put(row, found)
            self._footprints[row] = found
            self._parts[name] = _part(name, found.resident + found.stream, found.peak())
            return found


def _part(name: str, resident: int, peak: int | None) -> Part:
    return Part(name, round(resident / meter.MB, 1), None if peak is None else round(peak / meter.MB, 1))
