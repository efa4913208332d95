from __future__ import annotations

import threading

import pytest

from lowvox.errors import EngineError
from lowvox.memory.lending import Lent
from replicas import naughty
from replicas.standins import ended, in_thread


class Voice(naughty.Stream):
    """Speaks two blocks for a sentence, and says of each that it was made."""

    rate = 16_000

    def __init__(self) -> None:
        super().__init__(0)
        self.said: list[str] = []

    def speak(self, text: str) -> object:
        try:
            for number in range(2):
                self.said.append(f"{text} {number}")
                yield bytes([number])
        finally:
            self.said.append("end")

    def probability(self, pcm: bytes) -> float:
        return len(pcm) / 2


def lent(stream: object, permits: threading.Semaphore | None = None) -> tuple[Lent, list[Lent]]:
    rested: list[Lent] = []
    return Lent("it", stream, permits, rested.append), rested


def test_every_method_is_the_streams_own() -> None:
    stream = Voice()
    it, rested = lent(stream)
    it.accept(b"sound")
    assert stream.heard == b"sound"
    assert it.partial() == ""
    it.discard()
    assert not stream.heard
    it.accept(b"sound")
    it.reset()
    assert not stream.heard
    assert it.probability(b"12") == 1.0
    assert it.rate == 16_000
    assert rested == []
    assert it.finish() == ()
    assert rested == [it]
    it.close()
    assert it.partial() == ""


def test_what_was_given_back_says_so_whatever_is_asked() -> None:
    stream = Voice()
    it, rested = lent(stream)
    blocks = it.speak("hello")
    assert next(blocks) == b"\0"
    it.give_back()
    for ask in (it.reset, it.partial, it.discard, it.finish, lambda: it.accept(b""), lambda: it.probability(b"")):
        with pytest.raises(EngineError, match=r"^The lease of it has ended; take another\.$"):
            ask()
    for read in (lambda: it.rate, lambda: next(it.speak("more")), lambda: next(blocks)):
        with pytest.raises(EngineError, match="has ended"):
            read()
    assert stream.said == ["hello 0", "end"]
    assert rested == []


def test_a_sentence_is_spoken_to_its_end_or_not() -> None:
    stream = Voice()
    it, rested = lent(stream)
    assert list(it.speak("a")) == [b"\0", b"\1"]
    assert rested == [it]
    blocks = it.speak("b")
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert stream.said == ["a 0", "a 1", "end", "b 0", "end"]
    assert rested == [it]


def test_a_stream_may_be_another_one_after_each_utterance() -> None:
    first, second = Voice(), Voice()

    def rested(it: Lent) -> None:
        it.stream = second

    it = Lent("it", first, None, rested)
    it.finish()
    it.accept(b"sound")
    assert (bytes(first.heard), bytes(second.heard)) == (b"", b"sound")


def test_as_many_work_at_once_as_have_permits() -> None:
    """A permit is held while a block is made, not while it is listened to."""
    permits = threading.Semaphore(1)
    it, _ = lent(Voice(), permits)
    other, _ = lent(Voice(), permits)
    blocks = it.speak("a")
    next(blocks)
    assert other.finish() == ()
    with permits:
        thread = in_thread(other.finish)
        assert thread.is_alive()
    assert ended(thread)
    assert list(blocks) == [b"\1"]
    with permits:  # and all of them are back
        pass


def test_a_permit_comes_back_from_a_stream_that_fails() -> None:
    permits = threading.Semaphore(1)
    it, rested = lent(Voice(), permits)
    with pytest.raises(TypeError):
        it.accept("no sound")  # type: ignore[arg-type]
    assert it.finish() == ()
    assert rested == [it]
