"""A home: one loaded model with its streams, in a worker or in this process.

Does what it is told, one thing at a time, and reports bytes. Knows no budget and no other home.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lowvox import engines
from lowvox.errors import EngineError, LowvoxError, UsageError
from lowvox.memory import allocator, meter
from lowvox.memory.permits import Permits
from lowvox.memory.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.memory.residency import Options, Want
    from lowvox.types import Resident

# A load takes as long as it took when it was measured; a cold disk or a busy machine takes many times that.
_PATIENCE = 50
_SHORTEST_S = 60.0
# A worker may allocate this much more than the hardest work that was measured: what no measurement can foresee.
_SLACK = 8 * meter.MB
# As Python says it.
_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")


class Home:
    """Empty until the first `open`. `held_to_plan` gives a worker a ceiling at what was measured for it."""

    def __init__(self, want: Want, *, held_to_plan: bool) -> None:
        self.choice = want.choice
        self._size = want.footprint
        self._held_to_plan = held_to_plan
        self._worker: Worker | None = None
        self._resident: Resident | None = None
        self._streams: dict[int, Any] = {}
        self._taken = 0  # bytes by which this process grew
        self._ended: str | None = None
        # In a worker the lanes bound how many streams work at once.
        self.permits = Permits(want.choice.runs) if want.choice.placement == "in-process" else None

    @property
    def pid(self) -> int | None:
        """The worker's number; None in this process."""
        return None if self._worker is None else self._worker.pid

    @property
    def dead(self) -> bool:
        """Whether it was in a worker that has ended."""
        return self._worker is not None and not self._worker.usage().rss

    @property
    def planned(self) -> int:
        """Bytes at rest by its footprint."""
        return self._size.resident + len(self._streams) * self._size.stream

    def open(self, seat: int, options: Options) -> int:
        """Open a stream in the place of the one that the seat had, loading the model first; return bytes at rest."""
        before = meter.usage(os.getpid()).rss
        self.close(seat)
        resident = self._resident or self._load()
        self._resident = resident
        with self._knowing():
            self._streams[seat] = resident.open(**dict(options))
        self._taken += max(0, meter.usage(os.getpid()).rss - before)
        return self.at_rest()

    @contextmanager
    def _knowing(self) -> Iterator[None]:
        """Say of an option that an engine does not have, in this process or in its worker, that it is the user's."""
        try:
            yield
        except (TypeError, EngineError) as error:
            if not (found := _UNKNOWN.search(str(error))):
                raise
            raise UsageError(f"The engine {self.choice.model.engine!r} has no option {found[1]!r}.") from error

    def stream(self, seat: int) -> Any:
        """Return the stream of a seat; EngineError where it has been closed meanwhile."""
        try:
            return self._streams[seat]
        except KeyError:
            raise EngineError(f"{self.choice.model.name} has been closed; open it again.") from None

    def close(self, seat: int) -> None:
        """Close a seat's stream, if it has one."""
        stream = self._streams.pop(seat, None)
        if stream is not None:
            with suppress(Exception):  # an engine that fails in closing has closed
                stream.close()

    def at_rest(self) -> int:
        """Bytes that it takes while nobody works; in this process what it was measured with, or grew it by."""
        if self._worker is not None:
            return self._worker.usage().uss
        return self.planned or self._taken

    def private(self) -> int:
        """Bytes that it alone can have taken, at rest: without the pages of files.

        Those become its own when the last other process that maps the file ends, though it has taken nothing.
        """
        return self._worker.usage().anonymous if self._worker is not None else self.at_rest()

    def trim(self) -> None:
        """Give free memory back to the system."""
        with suppress(LowvoxError):
            if self._worker is not None:
                self._worker.trim()

    def unload(self) -> int:
        """Unload the model and return the bytes that did not come back; may be called twice."""
        if self._worker is not None:
            self._worker.close()  # its end returns every byte
            return 0
        # What was here before, of an earlier time or another manager's, does not come back either.
        expected, before = min(self.at_rest(), self._taken), meter.usage(os.getpid()).rss
        self._taken = 0
        for seat in list(self._streams):
            self.close(seat)
        if self._resident is not None:
            with suppress(Exception):  # whatever an engine does in closing, it is not wanted any more
                self._resident.close()
            self._resident = None
        allocator.trim()
        return max(0, expected - max(0, before - meter.usage(os.getpid()).rss))

    def end(self, reason: str) -> None:
        """End the worker at once, also in the midst of loading; calls to it fail with this reason."""
        self._ended = reason
        if self._worker is not None:
            self._worker.end(reason)

    def renew(self, seat: int, options: Options) -> None:
        """Replace a worker by a new one, with one stream."""
        assert self._worker is not None
        self._worker.close()  # it stays in its place until there is another: somebody may be looking at it
        self._resident = None
        self._streams.clear()
        self.open(seat, options)

    def _load(self) -> Resident:
        model = self.choice.model
        engines.require(model.engine)
        if self.choice.placement == "in-process":
            return engines.create(model.engine).load(model, self.choice.profile)
        self._worker = worker = Worker(model.name, self.choice.runs)
        if self._ended is not None:
            worker.end(self._ended)
        try:
            # With several runs none: OpenBLAS, inside Vosk, wants a buffer for each, and waits for ever when refused.
            if self._held_to_plan and self._size.data and self.choice.runs == 1:
                worker.limit(round(1.05 * self._size.data) + _SLACK)
            patience = max(_SHORTEST_S, _PATIENCE * self._size.load_s)
            return worker.load(engines.entry(model.engine).at, model, self.choice.profile, patience)
        except BaseException:
            worker.close()
            raise
