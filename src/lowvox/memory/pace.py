"""How fast a model is: an ordinary piece of work again and again, in a process that is thrown away afterwards.

What else runs on the machine only ever makes work slower, so of several times the shortest is the one that repeats; and
the time that a thread waited for a processor is no part of it, where the kernel tells that. A footprint's RTF is that
of one cold run: of five one was twice as long as another. `rtf` stands outside, `Timed` is inside and does the work.
Knows no budget.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lowvox.errors import EngineError
from lowvox.memory import meter, workload
from lowvox.memory.worker import Worker

if TYPE_CHECKING:
    from lowvox.engines import Entry
    from lowvox.types import Choice, Model, Profile

# Letters that a voice spells, which is a sentence's worth of sound, and seconds that a recogniser hears.
_LETTERS = 12
_HEARD_S = 6.0
# Work is repeated for so long, and so often at most; what takes longer than the last of these is done once.
_ENOUGH_S, _OFTEN, _LONG_S = 0.5, 30, 4.0
_PATIENCE_S = 600.0


def rtf(choice: Choice, entry: Entry, heard: bytes) -> float:
    """Return the shortest time of a run over that of its sound; takes one to ten seconds.

    `heard` is what `sound` gave. Raises what the engine raises, and EngineError where it crashes or hangs.
    """
    with closing(Worker(choice.model.name)) as worker, worker.within(_PATIENCE_S, "did not finish a run"):
        inside = worker.call(0, "load", f"{__name__}:Timed", choice.model, choice.profile).number
        worker.call(inside, "begin", entry.at, heard)
        begun = time.perf_counter()
        paces: list[float] = []
        while _wanting(paces, time.perf_counter() - begun):
            took, seconds = worker.call(inside, "run")
            paces.append(took / max(seconds, 1e-3))
            if took > _LONG_S:
                break
        return min(paces)


def sound(model: Model) -> bytes:
    """Return what a model is given to hear, made where the libraries for it weigh on nobody; nothing for a voice."""
    if model.role in ("synthesizer", "punctuator"):
        return b""
    with closing(Worker("sound")) as maker:
        made: bytes = maker.call(0, "crowd", _HEARD_S)
    return made


def _wanting(paces: list[float], spent: float) -> bool:
    return len(paces) < 2 or (spent < _ENOUGH_S and len(paces) < _OFTEN)


class Timed:
    """Inside: a stream of the model that is at work, in the shape of an engine so that a worker can load it."""

    def load(self, model: Model, profile: Profile) -> Timed:
        """Remember what will be loaded."""
        self._model, self._profile = model, profile
        return self

    def begin(self, at: str, heard: bytes) -> None:
        """Load the engine at "module:Class" and open a stream."""
        from importlib import import_module

        module, _, attribute = at.partition(":")
        voice = workload.voices(self._model)[0]
        options = {name: value for name, value in voice.options.items() if name != "rate"}
        # Kept, since a stream may live no longer than what it was opened on.
        self._resident = getattr(import_module(module), attribute)().load(self._model, self._profile)
        self._stream: Any = self._resident.open(**options)
        self._heard, self._spells = heard, voice.spells
        self._silent = False  # a voice that has no sound for letters

    def run(self) -> tuple[float, float]:
        """Work, and return the seconds that it took and those of the sound that went in or came out."""
        begun, waited = time.perf_counter(), _waited()
        seconds = self._done()
        took = time.perf_counter() - begun
        waits = [after - waited.get(thread, 0.0) for thread, after in _waited().items()]
        return max(took - max(waits, default=0.0), 1e-9), seconds

    def _done(self) -> float:
        if self._model.role != "synthesizer":
            return workload.work(self._model.role, self._stream, _HEARD_S, self._heard, self._spells)
        if not self._silent and (seconds := self._spelled()):
            return seconds
        self._silent = True
        return workload.work("synthesizer", self._stream, workload.longest(self._model), b"", self._spells)

    def _spelled(self) -> float:
        """Spell letters; 0 where the voice cannot."""
        try:
            return sum(map(len, self._stream.speak((self._spells * _LETTERS).strip()))) / 2 / float(self._stream.rate)
        except EngineError:
            if workload.longest(self._model):
                raise
            return 0.0


def _waited() -> dict[str, float]:
    """Return the seconds that each thread of this process has been ready to run and was not let; {} where unknown."""
    import os

    try:
        threads = os.listdir("/proc/self/task")  # noqa: PTH208  # many times a second
    except OSError:
        return {}
    told = {thread: meter.text(f"/proc/self/task/{thread}/schedstat").split() for thread in threads}
    return {thread: int(figures[1]) / 1e9 for thread, figures in told.items() if len(figures) > 1}
