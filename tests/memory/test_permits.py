"""`memory.permits`: no more than so many at once, and in the order in which they ask."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lowvox.memory.permits import Permits

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 30


def start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def waiting(permits: Permits, count: int) -> None:
    """Wait until so many wait."""
    done = threading.Event()
    while len(permits._waiting) < count:
        assert not done.wait(0.001)


def test_no_more_than_allowed_hold_a_permit() -> None:
    permits, held, most = Permits(2), [0], [0]
    guard = threading.Lock()
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def work() -> None:
        for round_ in range(20):
            with permits:
                with guard:
                    held[0] += 1
                    most[0] = max(most[0], held[0])
                if not round_:
                    both.wait()  # two do hold one at once, or nobody would get further
                with guard:
                    held[0] -= 1

    # Only in first rounds, of which there is an even number: nobody is left alone at the barrier.
    for thread in [start(work) for _ in range(4)]:
        thread.join(PATIENCE_S)
    assert most[0] == 2


def test_who_gives_a_permit_back_and_asks_again_goes_to_the_end_of_the_line() -> None:
    permits, order = Permits(), []

    def once(name: str) -> None:
        with permits:
            order.append(name)

    with permits:
        first = start(lambda: once("first"))
        waiting(permits, 1)
        second = start(lambda: once("second"))
        waiting(permits, 2)
    once("again")
    first.join(PATIENCE_S)
    second.join(PATIENCE_S)
    assert order == ["first", "second", "again"]


def test_who_stops_waiting_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    permits = Permits()
    gone = _Interrupted()
    with permits:
        monkeypatch.setattr(threading, "Lock", lambda: gone)
        with pytest.raises(KeyboardInterrupt):
            permits.__enter__()
        monkeypatch.undo()
        assert not permits._waiting
    with permits:
        pass


def test_a_permit_that_came_to_who_stopped_waiting_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    permits = Permits()
    permits.__enter__()
    gone = _Interrupted(first=lambda: permits.__exit__())
    monkeypatch.setattr(threading, "Lock", lambda: gone)
    with pytest.raises(KeyboardInterrupt):
        permits.__enter__()
    monkeypatch.undo()
    with permits:  # would wait for ever if it were lost
        pass


class _Interrupted:
    """A lock whose second taking, which is the wait, is interrupted; `first` happens just before."""

    def __init__(self, first: Callable[[], object] = int) -> None:
        self._taken = 0
        self._first = first

    def acquire(self) -> None:
        self._taken += 1
        if self._taken == 2:
            self._first()
            raise KeyboardInterrupt

    def release(self) -> None:
        """Nobody waits."""
