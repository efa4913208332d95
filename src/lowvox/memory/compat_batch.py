"""The batch sizes that guides ask for, from the ledger or from a probe instead of from a formula."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lowvox.errors import NotFoundError, UsageError
from lowvox.memory import batch, limit
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("lowvox.memory")


class BatchSizeOptimizer:
    """How many sequences at once fit into `memory_limit_mb`, the limit in force and what the machine has free.

    What one takes is measured. `run(batch_size, sequence_length)` is the work: it is run with two sizes, once for each
    length. Without it the answer is for the model that lowvox itself would load, of which the ledger has a line (which
    is measured now if it is new): a voice, its lengths in characters; or without one a recogniser, in seconds.
    """

    def __init__(
        self, memory_limit_mb: float | None = None, *, run: Callable[[int, int], object] | None = None
    ) -> None:
        self.memory_limit_bytes = None if memory_limit_mb is None else megabytes(memory_limit_mb)
        self._run = run
        self._lines: dict[int, batch.Line] = {}

    def get_optimal_batch_size(self, sequence_length: int, model_size_mb: float | None = None) -> int:
        """Return the largest batch that fits now, at most 32; 0, with the reason in the log, when not even one does.

        `model_size_mb` is of a model that is still to be loaded, 0 for one that is there already.
        """
        found = self.explain(sequence_length, model_size_mb)
        _log.log(logging.INFO if found.size else logging.WARNING, "Batch size: %s", found.reason)
        return found.size

    def explain(self, sequence_length: int, model_size_mb: float | None = None) -> batch.Batch:
        """Return the batch size and its reason."""
        line, used = self._line(sequence_length, model_size_mb), limit.Limit.used()
        return batch.best(self._room(used), used + line.fixed, line.per_item)

    def estimate_memory_usage(self, batch_size: int, sequence_length: int, model_size_mb: float | None = None) -> int:
        """Return the bytes that a model and a batch take at their peak, without what else the process holds."""
        return self._line(sequence_length, model_size_mb).at(batch_size)

    def _line(self, length: int, model_size_mb: float | None) -> batch.Line:
        if self._run is None:
            line = _known(length)
        else:
            run = self._run
            if length not in self._lines:
                self._lines[length] = batch.probe(lambda size: run(size, length))
            line = self._lines[length]
        if model_size_mb is None:
            return line
        return batch.Line(megabytes(model_size_mb) + (line.fixed if self._run else 0), line.per_item)

    def _room(self, used: int) -> int:
        """Return the smallest of all that limits this process tree, in bytes."""
        from lowvox.memory import pressure

        own = stated() if self.memory_limit_bytes is None else self.memory_limit_bytes
        limits = (own, limit.current(), used + pressure.read().room)
        return min(size for size in limits if size is not None)


def megabytes(size: float) -> int:
    """Return MB as bytes."""
    if not 0 <= size < 2**40:
        raise UsageError(f"{size!r} is no number of MB: it must be one such as 500.")
    return int(size * MB)


def stated() -> int | None:
    """Return the budget of the settings in bytes: `LOWVOX_MEMORY_LIMIT_MB`, or `memory.budget`."""
    from lowvox import settings
    from lowvox.memory.budget import Budget

    found = settings.load().memory.budget
    return None if found is None else Budget.parse(found).bytes


def _known(length: float) -> batch.Line:
    """Return the line of the model that lowvox would load, from the ledger or measured now."""
    from lowvox import engines, models, settings
    from lowvox.memory.footprints import Footprints
    from lowvox.types import Choice

    language = settings.load().audio.language
    try:
        model = models.find("synthesizer", language)
        engines.require(model.engine)
    except NotFoundError:
        model = models.find("recognizer", language)
    entry = engines.entry(model.engine)
    choice = Choice(model, entry.ways(model)[0], entry.placements[0])
    footprint = Footprints(_log.info).of(choice)
    return batch.known(footprint, length, entry.capacity)
