"""The process of one plan of `plans.py`: loads what it says and has all its streams do their hardest work at once.

    echo PICKLED_PARTS | python -m benchmarks.plans_job

It says what it takes before anything is loaded, waits for a line, works, says that it is done and waits for the end of
its input. It has what any process of lowvox has: nothing is stood in for but the manager.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import lowvox.speech  # noqa: F401  # as any process of lowvox has it
from lowvox import engines
from lowvox.audio.utterances import Limits
from lowvox.engines import create
from lowvox.memory import meter
from lowvox.memory.permits import Permits
from lowvox.memory.worker import Worker
from lowvox.types import Choice  # noqa: TC001  # unpickled

if TYPE_CHECKING:
    from pathlib import Path

_TIMES = 2
# Each voice in its turn, with what it takes longest to say: the largest dictionary, the longest sound, and others.
_SPELLED = (("ru", "W "), ("ja", "一"), ("de", "7 "), ("cmn", "777 "))


@dataclass(frozen=True, slots=True)
class Part:
    """`streams` conversations of a choice, `capacity` to a resident; a recogniser hears the file `sound`."""

    choice: Choice
    streams: int
    capacity: int
    sound: Path | None = None


class Job:
    """The streams of a plan and the threads that use them."""

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._opened = ExitStack()
        self._streams: dict[str, list[tuple[Part, Any, Permits]]] = {}
        self._done = 0
        self._all = sum(part.streams for part in parts if part.choice.model.role != "vad")
        self._turn = threading.Lock()

    def open(self) -> None:
        """Load every part, one after the other."""
        for part in self._parts:
            role = part.choice.model.role
            for index in range(part.streams):
                if index % part.capacity == 0:
                    resident = self._load(part.choice, min(part.capacity, part.streams - index))
                    permits = Permits(part.choice.runs)
                stream = resident if role == "synthesizer" else resident.open()
                self._streams.setdefault(role, []).append((part, stream, permits))

    def work(self) -> None:
        """Have every stream work until each of them has done so often enough."""
        vads = iter(self._streams.get("vad", []))
        jobs: list[tuple[Any, ...]] = [(self._hear, next(vads), each) for each in self._streams.get("recognizer", [])]
        jobs += [(self._speak, each) for each in self._streams.get("synthesizer", [])]
        threads = [threading.Thread(target=self._repeat, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """End the workers."""
        self._opened.close()

    def _load(self, choice: Choice, streams: int) -> Any:
        entry = engines.entry(choice.model.engine)
        if choice.placement == "in-process":
            return create(choice.model.engine).load(choice.model, choice.profile)
        worker = Worker(choice.model.name, min(choice.runs, streams))
        self._opened.callback(worker.close)
        return worker.load(entry.at, choice.model, choice.profile)

    def _repeat(self, do: Any, *things: Any) -> None:
        """Work until all others have worked often enough as well: their peaks then meet."""
        for times in count(1):
            try:
                do(*things)
            except BaseException:
                traceback.print_exc()
                os._exit(1)  # else the others would wait for it
            with self._turn:
                self._done += times == _TIMES
            if self._done == self._all:
                return
            time.sleep(0.2 if times >= _TIMES else 0)  # else who is quick would hinder who is slow

    def _hear(self, vad: Any, recognizer: Any) -> None:
        """Transcribe the file: one utterance, as long as the plan allows."""
        from lowvox import recognition
        from lowvox.audio import reading

        (_, hears, _), (part, understands, permits) = vad, recognizer
        limits = Limits(enter=0, stay=0, longest_s=part.choice.cap or Limits().longest_s)
        with reading.opened(part.sound) as recording:
            for utterance in recognition.utterances(recording.blocks(), hears, limits):
                with permits:
                    understands.accept(utterance.pcm)
                    understands.finish()

    def _speak(self, synthesizer: Any) -> None:
        """Speak the hardest sentences that the plan allows."""
        part, resident, permits = synthesizer
        length = int(part.choice.cap or 400)
        for language, piece in _SPELLED:
            with permits, closing(resident.open(language=language, rate=0.5)) as stream:
                for _ in stream.speak((piece * length)[:length]):
                    pass


def main() -> None:
    """Do what standard input says."""
    parts: list[Part] = pickle.loads(bytes.fromhex(sys.stdin.readline()))  # our own
    print(meter.usage(os.getpid()).rss, flush=True)
    sys.stdin.readline()
    job = Job(parts)
    job.open()
    job.work()
    print("done", flush=True)
    sys.stdin.read()
    job.close()


if __name__ == "__main__":
    main()
