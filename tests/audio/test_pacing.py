from __future__ import annotations

import threading

from lowvox.audio.pacing import paced


class Clock:
    """A clock that only waiting moves on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds


def test_each_block_comes_when_it_has_been_said() -> None:
    clock = Clock()
    given = [
        (clock.now, len(block)) for block in paced([bytes(3200)] * 3, threading.Event(), clock=clock, wait=clock.wait)
    ]
    assert [round(at, 6) for at, _ in given] == [100.1, 100.2, 100.3]


def test_a_slow_listener_finds_what_it_missed_waiting() -> None:
    clock = Clock()
    blocks = paced([bytes(3200)] * 4, threading.Event(), clock=clock, wait=clock.wait)
    next(blocks)
    clock.now += 0.25  # busy
    for _ in blocks:
        pass
    assert clock.waits == [0.1, 0.05]


def test_when_stopped_what_had_been_said_is_still_given() -> None:
    clock, stopped = Clock(), threading.Event()
    blocks = paced([bytes(3200)] * 50, stopped, clock=clock, wait=clock.wait)
    next(blocks)
    clock.now += 0.55  # busy while five more are said
    stopped.set()
    assert len(list(blocks)) == 5
