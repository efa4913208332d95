from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from lowvox.errors import EngineError, NotFoundError, UsageError, WorkerDiedError
from lowvox.memory import hosting, meter, wire
from lowvox.memory.worker import RemoteStream, Worker
from lowvox.types import Model

VAD = Model("silero-vad", "silero-vad", "vad", ())


@pytest.fixture
def worker() -> Iterator[Worker]:
    running = Worker("silero-vad")
    yield running
    running.close()


def test_a_stream_in_a_worker_answers_like_one_here(worker: Worker) -> None:
    from lowvox.audio.clip import clip
    from lowvox.engines.silero import SileroVad

    here, there = SileroVad().load(VAD, 1).open(), worker.load("silero-vad", VAD, 1).open()
    sound = clip()
    frames = [sound[at : at + 1024] for at in range(0, 1024 * 60, 1024)]
    heard = [there.probability(frame) for frame in frames]
    assert heard == [here.probability(frame) for frame in frames]
    assert max(heard) > 0.9
    there.reset()
    assert there.probability(frames[0]) == heard[0]
    there.close()
    there.close()
    with pytest.raises(EngineError, match="closed"):
        there.probability(frames[0])


def test_errors_come_back_as_themselves(worker: Worker) -> None:
    with pytest.raises(UsageError, match="no engine 'nonsense'"):
        worker.load("nonsense", VAD, 1)
    stream = worker.load("silero-vad", VAD, 1).open()
    with pytest.raises(EngineError, match="InvalidChunkSizeError"):
        stream.probability(b"odd")
    assert worker.call(0, "load", "silero-vad", VAD, 1).number > 0  # and the worker goes on


def test_death_is_told_as_what_it_was(worker: Worker) -> None:
    stream = worker.load("silero-vad", VAD, 1).open()
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match=r"silero-vad was killed by SIGKILL \(the system does this"):
        stream.probability(bytes(1024))
    stream.close()
    assert worker.pid not in meter.tree()


def test_last_words_are_kept(worker: Worker) -> None:
    worker._complaints.append("ERROR: out of cheese")
    os.kill(worker.pid, signal.SIGTERM)
    with pytest.raises(WorkerDiedError, match="SIGTERM; its last words: ERROR: out of cheese"):
        worker.load("silero-vad", VAD, 1)


def test_closing_ends_the_process_and_leaves_no_zombie(worker: Worker) -> None:
    assert worker.pid in meter.tree()
    worker.close()
    worker.close()
    assert worker.pid not in meter.tree()
    with pytest.raises(WorkerDiedError, match="has been closed"):
        worker.load("silero-vad", VAD, 1)


def test_calls_from_many_threads_take_turns(worker: Worker) -> None:
    streams = [worker.load("silero-vad", VAD, 1).open() for _ in range(4)]
    heard: list[float] = []
    threads = [
        threading.Thread(target=lambda s=stream: heard.extend(s.probability(bytes(1024)) for _ in range(20)))
        for stream in streams
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 80
    assert heard.count(heard[0]) >= 4  # the same first answer in each stream


def test_a_worker_whose_starter_dies_ends_by_itself() -> None:
    script = (
        "from lowvox.memory.worker import Worker\nimport os\n"
        "worker = Worker('x'); print(worker.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    ending = os.pidfd_open(int(starter.stdout.readline()))
    starter.communicate()
    assert select.select([ending], [], [], 30)[0], "the worker outlived its starter"
    os.close(ending)


class Counting:
    """The smallest thing a worker can host."""

    def __init__(self) -> None:
        self.closed = False
        self.rate = 16000

    def speak(self, text: str) -> Iterator[bytes]:
        try:
            yield from (letter.encode() for letter in text)
        finally:
            self.closed = True

    def crash(self) -> None:
        raise ZeroDivisionError

    def missing(self) -> None:
        raise NotFoundError("gone") from ZeroDivisionError()


class Here:
    """A worker without a process: the hosting loop's own answers."""

    name = "here"

    def __init__(self) -> None:
        self.objects: dict[int, object] = {0: Counting()}

    def call(self, target: int, method: str, *args: object, **kwargs: object) -> object:
        from lowvox.memory.worker import Handle

        kind, value = hosting._answer(self.objects, target, method, args, kwargs)
        if kind == "error":
            raise value
        if kind == "end":
            raise StopIteration
        return Handle(value) if kind == "object" else value


def test_blocks_are_fetched_one_by_one_and_closing_stops_the_work() -> None:
    here = Here()
    stream = RemoteStream(here, 0)  # type: ignore[arg-type]
    assert stream.rate == 16000
    blocks = stream.speak("abc")
    assert next(blocks) == b"a"
    blocks.close()  # type: ignore[attr-defined]
    assert list(here.objects) == [0]
    assert here.objects[0].closed  # type: ignore[attr-defined]
    assert list(stream.speak("xyz")) == [b"x", b"y", b"z"]
    assert list(here.objects) == [0]


def test_foreign_errors_become_one_sentence() -> None:
    objects: dict[int, object] = {0: Counting()}
    kind, error = hosting._answer(objects, 0, "crash", (), {})
    assert (kind, str(error)) == ("error", "The engine failed (ZeroDivisionError: ); try again.")
    kind, error = hosting._answer(objects, 0, "missing", (), {})
    assert kind == "error"
    assert error.__cause__ is None


def test_a_library_that_prints_does_not_reach_the_wire() -> None:
    """The hosting process itself: calls go in, answers come out, its end is the end of its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lowvox.memory.hosting"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    wire.send(process.stdin, (0, "load", ("silero-vad", VAD, 1), {}))
    assert wire.receive(process.stdout) == ("object", 1)
    wire.send(process.stdin, (0, "prepare_audio", (), {}))
    assert wire.receive(process.stdout) == ("value", None)
    wire.send(process.stdin, (1, "__drop__", (), {}))
    assert wire.receive(process.stdout) == ("value", None)
    process.communicate()
    assert process.returncode == 0
