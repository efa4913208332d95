from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lowvox.audio import ahead
from lowvox.audio.ahead import Ahead

BLOCK = bytes(3200)


class Source:
    """Sound that counts what is taken of it, and knows when it is closed."""

    def __init__(self, blocks: int, error: BaseException | None = None) -> None:
        self.taken = 0
        self.closed = threading.Event()
        self.going = threading.Event()  # the first block has been given and passed on
        self._left = blocks
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.taken:
            self.going.set()
        if self.taken == self._left:
            raise self._error or StopIteration
        self.taken += 1
        return self.taken.to_bytes(2, "little")

    def close(self) -> None:
        self.closed.set()


def finished(sound: Ahead[bytes]) -> bool:
    """Wait until the thread has ended."""
    sound._thread.join(60)
    return not sound._thread.is_alive()


def test_sound_is_taken_while_nobody_asks_for_it() -> None:
    source = Source(500)
    sound = Ahead(source)
    assert finished(sound)
    assert source.taken == 500
    assert source.closed.is_set()
    assert [int.from_bytes(block, "little") for block in sound] == list(range(1, 501))


def test_it_tells_when_the_first_block_came() -> None:
    times = iter([7.0, 8.0])
    heard = threading.Event()

    def source() -> Iterator[bytes]:
        assert heard.wait(60)
        yield BLOCK
        yield BLOCK

    sound = Ahead(source(), clock=lambda: next(times))
    assert sound.since is None
    heard.set()
    assert list(sound) == [BLOCK, BLOCK]
    assert sound.since == 7.0


def test_a_minute_waits_and_no_more() -> None:
    source = Source(10_000)
    sound = Ahead(source)
    blocks = iter(sound)
    while source.taken < ahead._BLOCKS + 1:
        assert sound._thread.is_alive()
    assert next(blocks) == b"\x01\x00"
    sound.close()
    sound.close()
    assert finished(sound)
    # One has been given to us, and the source may have been asked for one more before it was told to stop.
    assert source.taken <= ahead._BLOCKS + 2
    assert source.closed.is_set()


@pytest.mark.parametrize("error", [OSError("the microphone was pulled out"), KeyboardInterrupt()])
def test_what_the_source_raises_is_raised_after_its_sound(error: BaseException) -> None:
    source = Source(2, error)
    blocks = iter(Ahead(source))
    assert [next(blocks), next(blocks)] == [b"\x01\x00", b"\x02\x00"]
    with pytest.raises(type(error)):
        next(blocks)
    assert source.closed.wait(60)


def test_a_closed_one_asks_for_no_more_sound() -> None:
    given = threading.Event()

    def source() -> Iterator[bytes]:
        yield BLOCK
        given.set()
        assert closed.wait(60)
        yield BLOCK
        pytest.fail("it asked for more")

    closed = threading.Event()
    sound = Ahead(source())
    assert given.wait(60)
    sound.close()
    closed.set()
    assert finished(sound)


def test_a_list_is_sound_too() -> None:
    assert list(Ahead([BLOCK] * 3)) == [BLOCK] * 3


def test_what_waits_is_weighed() -> None:
    source = Source(100)
    sound = Ahead(source, most=10, weigh=lambda _: 2.5)
    while len(sound._waiting) < 4:
        assert sound._thread.is_alive()
    blocks = iter(sound)
    assert next(blocks) == b"\x01\x00"
    while len(sound._waiting) < 4:
        assert sound._thread.is_alive()
    assert sum(1 for _ in blocks) == 99
