"""Permits: how many threads may work at once, first come, first served.

A semaphore is not fair: who gives a permit back and asks again takes it from those who wait, for as long as it likes.
"""

from __future__ import annotations

import threading
from collections import deque


class Permits:
    """`count` permits as a context manager; each `with` holds one."""

    def __init__(self, count: int = 1) -> None:
        self._free = count
        self._waiting: deque[threading.Lock] = deque()
        self._guard = threading.Lock()

    def __enter__(self) -> None:
        turn = threading.Lock()
        with self._guard:
            if self._free:
                self._free -= 1
                return
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()  # whoever gives a permit back lets the first of the line through
        except BaseException:
            self._leave(turn)
            raise

    def __exit__(self, *error: object) -> None:
        with self._guard:
            self._pass_on()

    def _leave(self, turn: threading.Lock) -> None:
        """Give up waiting; a permit that has come meanwhile goes to the next."""
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._free += 1
