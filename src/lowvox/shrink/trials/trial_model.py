"""The inside of a trial of a model: it is loaded by its engine, and so many streams work at once.

Knows no process and no memory: `shrink.trials.measuring` stands outside.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lowvox.shrink.trials.trial_graph import Timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Model, Profile, Role

_RATE, _FRAME = 16000, 512


@dataclass(frozen=True, slots=True)
class ModelWork:
    """What a model does in a run, with the engine at "module:Class" and the options of a stream.

    A voice says `text`; what listens hears `sound`, PCM at 16 kHz; a punctuator is given `words`. `capacity` is how
    many streams share one resident, None: any number.
    """

    at: str
    model: Model
    profile: Profile
    capacity: int | None = None
    options: dict[str, object] = field(default_factory=dict)
    text: str = ""
    sound: bytes = b""
    words: tuple[str, ...] = ()
    provider: str = "cpu"


class Program:
    """A model in its process."""

    def load(self, model: Model, profile: Profile) -> Program:  # noqa: ARG002  # what is run comes with `begin`
        """Load nothing yet."""
        return self

    def begin(self, work: ModelWork, batch: int, threads: int) -> tuple[float, float, str]:  # noqa: ARG002
        """Load the model, open the streams and run one; return the seconds of loading and of the first result.

        Loading ends when a stream is open: some engines load their weights then. The threads are in its profile.
        """
        module, _, attribute = work.at.partition(":")
        engine = getattr(import_module(module), attribute)()
        _libraries()
        begun = time.perf_counter()
        resident = engine.load(work.model, work.profile)
        streams = [resident.open(**work.options)]
        loaded = time.perf_counter()
        found = results(work.model.role, streams[0], work)
        next(found, None)
        first = time.perf_counter()
        list(found)
        self._residents = [resident]
        while len(streams) < batch:
            if work.capacity and len(streams) % work.capacity == 0:
                self._residents.append(engine.load(work.model, work.profile))
            streams.append(self._residents[-1].open(**work.options))
        self._timed = Timed(lambda number: sum(results(work.model.role, streams[number], work)), batch)
        return loaded - begun, first - loaded, work.provider

    def warm(self) -> None:
        """Run without timing."""
        self._timed.warm()

    def time(self, runs: int) -> list[tuple[float, float, float]]:
        """See `Timed.time`."""
        return self._timed.time(runs)


def results(role: Role, stream: Any, work: ModelWork) -> Iterator[float]:
    """Do one run; yield at each result how many seconds of sound were made or heard for it."""
    if role == "synthesizer":
        for block in stream.speak(work.text):
            yield len(block) / 2 / stream.rate
    elif role == "punctuator":
        from lowvox.text.restoration import labels

        labels(work.words, stream)
        yield 0.0
    elif role == "vad":
        stream.reset()
        for at in range(0, len(work.sound) - 2 * _FRAME + 1, 2 * _FRAME):
            stream.probability(work.sound[at : at + 2 * _FRAME])
            yield _FRAME / _RATE
    else:
        stream.reset()
        stream.accept(work.sound)
        stream.finish()
        yield len(work.sound) / 2 / _RATE


def _libraries() -> None:
    """Import what several engines share, so that it is in no model's time."""
    if "lowvox.onnx.session" in sys.modules:
        from lowvox.onnx import runtime

        runtime()
