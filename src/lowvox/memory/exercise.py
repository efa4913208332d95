"""Exercise: a model is loaded, run and unloaded again and again in a process that is thrown away afterwards.

`exercise` stands outside and reads the process's memory after each turn; `Exercise` is inside and does the turns. Knows
no command and does not judge.
"""

from __future__ import annotations

import gc
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lowvox.memory import workload
from lowvox.memory.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.memory.cycles import Cycle
    from lowvox.types import Model, Profile, Resident, Stream

# What a turn goes through: the whole model, a conversation with one that stays, a run of a conversation that stays, or
# a worker of its own that has the model.
Lifetime = Literal["load", "stream", "run", "worker"]

# A turn's input as a share of the longest: what leaks, leaks with short ones too.
_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Held:
    """Anonymous bytes of the process that did the turns, `before` the first and `after` each.

    `cycles` are the reference cycles that one more turn left behind.
    """

    before: int
    after: tuple[int, ...]
    cycles: tuple[Cycle, ...]


def exercise(
    at: str,
    model: Model,
    profile: Profile,
    lifetime: Lifetime,
    turns: int,
    *,
    trim: bool = True,
    told: Callable[[int], object] = int,
) -> Held:
    """Take the engine at "module:Class" through `turns` of a lifetime; `told` hears how many are done.

    Without `trim` freed memory is left to the C library, as programs usually do. Raises what the engine raises, and
    WorkerDiedError where it crashes.
    """
    sound = b"" if model.role == "synthesizer" else _sound()
    with closing(Worker(model.name)) as worker:
        inside = worker.call(0, "load", f"{__name__}:Exercise", model, profile).number
        worker.call(inside, "begin", at, lifetime, sound)
        worker.trim()
        before, after = worker.usage().anonymous, []
        for turn in range(turns):
            worker.call(inside, "turn")
            if trim:
                worker.trim()
            after.append(worker.usage().anonymous)
            told(turn + 1)
        return Held(before, tuple(after), tuple(worker.call(inside, "cycles")))


def _sound() -> bytes:
    """Return what is heard, made where its libraries weigh on nobody."""
    with closing(Worker("sound")) as maker:
        heard: bytes = maker.call(0, "crowd", workload.LONGEST["recognizer"] * _SHARE)
    return heard


class Exercise:
    """Inside: what is kept over the turns, in the shape of an engine so that a worker can load it."""

    def load(self, model: Model, profile: Profile) -> Exercise:
        """Remember what will be loaded."""
        self._model, self._profile = model, profile
        self._voice = workload.voices(model)[0]
        self._length = workload.longest(model) * _SHARE
        return self

    def begin(self, at: str, lifetime: Lifetime, sound: bytes) -> None:
        """Bring about what stays over the turns."""
        self._at, self._lifetime, self._sound = at, lifetime, sound
        if lifetime in ("stream", "run"):
            self._resident = self._loaded()
        if lifetime == "run":
            self._stream = self._resident.open(**self._voice.options)

    def turn(self) -> None:
        """Go through the lifetime once; what is not held any more is freed."""
        self._once()
        gc.collect()

    def cycles(self) -> list[Cycle]:
        """Go through it once more and return the reference cycles that appeared."""
        from lowvox.memory import cycles

        gc.collect()
        gc.disable()
        try:
            self._once()
            return cycles.find()
        finally:
            gc.enable()

    def _once(self) -> None:
        if self._lifetime == "run":
            self._work(self._stream)
        elif self._lifetime == "stream":
            self._converse(self._resident)
        elif self._lifetime == "worker":
            with closing(Worker(self._model.name)) as worker:
                self._converse(worker.load(self._at, self._model, self._profile))
        else:
            with closing(self._loaded()) as resident:
                self._converse(resident)

    def _loaded(self) -> Resident:
        from importlib import import_module

        module, _, attribute = self._at.partition(":")
        resident: Resident = getattr(import_module(module), attribute)().load(self._model, self._profile)
        return resident

    def _converse(self, resident: Any) -> None:
        with closing(resident.open(**self._voice.options)) as stream:
            self._work(stream)

    def _work(self, stream: Stream) -> None:
        workload.work(self._model.role, stream, self._length, self._sound, self._voice.spells, live=True)
