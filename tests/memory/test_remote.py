"""Streams from afar, over the hosting loop's own answers but without a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lowvox.errors import EngineError, WorkerDiedError
from lowvox.memory import hosting
from lowvox.memory.remote import RemoteResident, RemoteStream
from lowvox.memory.worker import Handle
from lowvox.types import Word


class Voice:
    """Every kind of stream in one."""

    rate = 16_000

    def __init__(self) -> None:
        self.said: list[object] = []

    def speak(self, text: str) -> Iterator[bytes]:
        try:
            yield from (letter.encode() for letter in text)
        finally:
            self.said.append("stopped")

    def accept(self, pcm: bytes) -> None:
        self.said.append(pcm)

    def partial(self) -> str:
        return "par"

    def discard(self) -> None:
        self.said.append("discarded")

    def reset(self) -> None:
        self.said.append("reset")

    def probability(self, pcm: bytes) -> float:
        return 0.5

    def finish(self) -> tuple[Word, ...]:
        return (Word(0.0, 1.0, "word"),)

    def close(self) -> None:
        self.said.append("closed")


class Model:
    def open(self, **options: object) -> Voice:
        voice = Voice()
        voice.said.append(options)
        return voice


class Here:
    """A worker without a process."""

    name = "here"
    dead = False

    def __init__(self) -> None:
        self.root = hosting.Root()

    def call(self, target: int, method: str, *args: object, **kwargs: object) -> object:
        if self.dead:
            raise WorkerDiedError("dead")
        kind, value = hosting._answer(self.root, target, method, args, kwargs)
        if kind == "error":
            raise value
        if kind == "end":
            raise StopIteration
        return Handle(value) if kind == "object" else value

    def close(self) -> None:
        self.dead = True


@pytest.fixture
def here() -> Here:
    return Here()


@pytest.fixture
def stream(here: Here) -> RemoteStream:
    resident = RemoteResident(here, here.root.keep(Model()))  # type: ignore[arg-type]
    return resident.open(language="en")


def test_each_method_is_the_one_there(here: Here, stream: RemoteStream) -> None:
    stream.reset()
    stream.accept(b"pcm")
    stream.discard()
    assert stream.partial() == "par"
    assert stream.probability(b"") == 0.5
    assert stream.finish() == (Word(0.0, 1.0, "word"),)
    assert stream.rate == 16_000
    assert here.root.objects[2].said == [{"language": "en"}, "reset", b"pcm", "discarded"]


def test_blocks_are_fetched_one_by_one_and_closing_stops_the_work(here: Here, stream: RemoteStream) -> None:
    blocks = stream.speak("abc")
    assert next(blocks) == b"a"
    blocks.close()  # type: ignore[attr-defined]
    assert here.root.objects[2].said[-1] == "stopped"
    assert list(here.root.objects) == [0, 1, 2]
    assert list(stream.speak("xyz")) == [b"x", b"y", b"z"]
    assert list(here.root.objects) == [0, 1, 2]


def test_a_closed_stream_is_gone(here: Here, stream: RemoteStream) -> None:
    voice = here.root.objects[2]
    stream.close()
    stream.close()
    assert voice.said[-1] == "closed"
    assert list(here.root.objects) == [0, 1]
    with pytest.raises(EngineError, match="This stream of here is closed; open another"):
        stream.reset()


def test_a_worker_that_died_has_nothing_left_to_close(here: Here, stream: RemoteStream) -> None:
    blocks = stream.speak("abc")
    next(blocks)
    RemoteResident(here, 1).close()  # type: ignore[arg-type]
    blocks.close()  # type: ignore[attr-defined]
    stream.close()
