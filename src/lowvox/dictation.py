"""A dictation under way: an iterator of events that can be stopped from another thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from lowvox.types import Event

    # Gives live sound until the event is set, and then what had been heard by that time.
    Source: TypeAlias = Callable[[threading.Event], Iterable[bytes]]


class Dictation:
    """Events over live sound; the work is done by whoever iterates."""

    def __init__(self, run: Callable[[threading.Event], Generator[Event, None, None]]) -> None:
        self._stopped = threading.Event()
        self._events = run(self._stopped)

    def __iter__(self) -> Dictation:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def stop(self) -> None:
        """Stop listening; what was said until now still comes as events."""
        self._stopped.set()

    def close(self) -> None:
        """Stop and give everything back; what is unfinished is lost.

        While another thread waits for the next event it is that thread's to finish: then this is `stop`.
        """
        self.stop()
        with suppress(ValueError):  # "generator already executing"
            self._events.close()


def until(stopped: threading.Event, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass blocks on, up to the one that is under way when the event is set."""
    for block in blocks:
        yield block
        if stopped.is_set():
            return
