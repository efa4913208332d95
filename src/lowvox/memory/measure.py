"""Measuring a footprint: load, open, run and unload a choice once, in a process that is thrown away afterwards.

The runs are the heaviest that the engine is ever given, at two lengths, several at once where that is planned. Knows no
budget and no model family.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager, suppress
from itertools import cycle, islice
from typing import TYPE_CHECKING

from lowvox.engines import Entry
from lowvox.errors import EngineError
from lowvox.memory import meter, pressure, workload
from lowvox.memory.gauge import Gauge
from lowvox.memory.line import Seen, fitted
from lowvox.memory.remote import RemoteResident, RemoteStream
from lowvox.memory.worker import Worker
from lowvox.types import Choice, Footprint, Model, Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

# A large model on a small computer takes minutes; an engine that hangs takes for ever.
PATIENCE_S = 1800.0
# The shorter input as a share of the longest: the shortest cap that a plan gives.
_SHORT = 0.25
# A ceiling of zero is none to Linux.
_LEAST = meter.MB
_PROGRAM = "lowvox.memory.listening:Program"
_LISTENING = Entry(
    role="recognizer",
    at="lowvox.memory.listening:Listening",
    placements=("in-process",),
    package="soundfile",
    extra=None,
    licence="",
    brings="reading sound",
    runs=2,
)


def footprint(choice: Choice, entry: Entry, patience_s: float = PATIENCE_S) -> Footprint:
    """Measure a choice; takes seconds, with a large model minutes.

    In-process, a part takes what it adds to a process that handles sound anyway; in a worker, the process and all in
    it. Raises what the engine raises, and EngineError where it crashes, hangs for `patience_s` or wants more than the
    machine has free.
    """
    sound = b"" if entry.role == "synthesizer" else _sound(workload.LONGEST["recognizer"])
    with _worker(choice, patience_s) as worker:
        if choice.placement == "in-process":
            _prepare(worker, choice.model)
        return _Trial(worker, choice, entry, sound).run()


def audio_footprint() -> Footprint:
    """Measure what sound takes in lowvox's own process: the libraries, and each file that is read."""
    model = Model("audio libraries", "", _LISTENING.role, ())
    choice = Choice(model, placement="in-process", runs=_LISTENING.runs)
    with _worker(choice, PATIENCE_S) as worker:
        worker.load(_PROGRAM, model, Profile())
        return _Trial(worker, choice, _LISTENING, b"").run()


@contextmanager
def _worker(choice: Choice, patience_s: float) -> Iterator[Worker]:
    """Start the throw-away process, with a ceiling and a time limit; what fails in it is told as a failed measuring."""
    name = choice.model.name
    with closing(Worker(name, choice.runs)) as worker:
        # A small file can make a large model: it must not take the machine down.
        system = pressure.read()
        free = max(_LEAST, system.room - pressure.reserve(system.most))
        worker.limit(free)
        reason = f"did not finish in {patience_s:g} s; try again, or take another model (`lowvox models`)."
        timer = threading.Timer(patience_s, worker.end, [reason])
        timer.daemon = True
        timer.start()
        try:
            yield worker
        except EngineError as error:
            raise EngineError(f"{name} could not be measured here ({free // meter.MB} MB are free): {error}") from error
        finally:
            timer.cancel()


def _prepare(worker: Worker, model: Model) -> None:
    """Make of a worker a process that has handled sound."""
    worker.load(_PROGRAM, model, Profile())
    listening = worker.load(_LISTENING.at, model, Profile()).open()
    listening.finish()
    listening.close()


def _sound(seconds: float) -> bytes:
    """Return the sound that engines are measured with, made where its libraries weigh on nobody."""
    with closing(Worker("sound")) as maker:
        sound: bytes = maker.call(0, "crowd", seconds)
    return sound


class _Trial:
    """One choice, from its loading to its unloading."""

    def __init__(self, worker: Worker, choice: Choice, entry: Entry, sound: bytes) -> None:
        self._worker = worker
        self._choice = choice
        self._entry = entry
        self._sound = sound
        self._gauge = Gauge(worker, whole=choice.placement == "worker")
        # Two streams tell what each takes from what only the first does.
        count = min(max(2, choice.runs), entry.capacity or choice.runs + 1)
        self._runs = min(choice.runs, count)
        self._voices = list(islice(cycle(workload.voices(choice.model)), count))
        self._streams: list[RemoteStream] = []

    def run(self) -> Footprint:
        """Measure."""
        longest = workload.longest(self._choice.model)
        begun = time.perf_counter()
        number = self._worker.call(0, "load", self._entry.at, self._choice.model, self._choice.profile).number
        loaded = self._gauge.now()
        first = self._open(number)
        load_s = time.perf_counter() - begun
        opened = (first, *(self._open(number) for _ in self._voices[1:]))
        seen, rtf = self._at_work(loaded, opened, longest)
        resident, stream, work, slope = fitted(seen, self._runs, longest * (1 - _SHORT))
        return Footprint(
            *(resident, stream, work, load_s, slope, longest, rtf),
            shared=self._gauge.files(),
            returned=self._unload(number),
            data=self._gauge.data,
        )

    def _at_work(self, loaded: int, opened: tuple[int, ...], longest: float) -> tuple[Seen, float]:
        """Run every stream by itself, then all that may at once; return what was seen and how long a run took."""
        short = self._gauge.peak()  # of loading and opening
        long, kept, rtfs = short, 0, []
        for index in range(len(opened)):
            rtfs.append(self._work(index, longest * _SHORT))
            short = max(short, self._gauge.peak())
            if not self._entry.bounded:
                rtfs[-1] = self._work(index, longest)
                self._work(index, longest, live=True)
            long = max(long, short, self._gauge.peak())
            kept = kept or self._gauge.now()
        kept = max(0, self._gauge.now() - kept)
        if self._runs > 1:
            self._together(longest)
        together = max(long, self._gauge.peak())
        return Seen(loaded, opened, short, long, together, kept), rtfs[0]

    def _open(self, number: int) -> int:
        """Open the next stream and return the bytes held then."""
        resident = RemoteResident(self._worker, number)
        self._streams.append(resident.open(**self._voices[len(self._streams)].options))
        return self._gauge.now()

    def _work(self, index: int, length: float, *, live: bool = False) -> float:
        """Have a stream work and return its time over that of the sound."""
        begun = time.perf_counter()
        stream, voice = self._streams[index], self._voices[index]
        seconds = workload.work(self._entry.role, stream, length, self._sound, voice.spells, live=live)
        return (time.perf_counter() - begun) / max(seconds, 1e-3)

    def _together(self, length: float) -> None:
        """Have as many streams work as may at once."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self._runs) as pool:
            try:
                list(pool.map(lambda index: self._work(index, length), range(self._runs)))
            except BaseException:
                self._worker.end("failed")  # the others would go on, and the pool would wait for them
                raise

    def _unload(self, number: int) -> int:
        """Close everything in the worker and return the bytes that came back."""
        held = self._gauge.now()
        for stream in self._streams:
            with suppress(EngineError):  # what does not close gives nothing back, which is seen
                stream.close()
        with suppress(EngineError):
            self._worker.call(0, "release", number)
        self._worker.trim()
        return max(0, held - self._gauge.now())
