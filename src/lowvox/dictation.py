"""A dictation under way: an iterator of events that can be stopped from another thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from lowvox.types import Event

    # Passes blocks of sound on until the dictation is stopped.
    Gate = Callable[[Iterable[bytes]], Iterator[bytes]]


class Dictation:
    """Events over live sound; the work is done by whoever iterates."""

    def __init__(self, run: Callable[[Gate], Generator[Event, None, None]]) -> None:
        self._stopped = threading.Event()
        self._events = run(self._until_stopped)

    def __iter__(self) -> Dictation:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def stop(self) -> None:
        """Stop listening; what was said until now still comes as events."""
        self._stopped.set()

    def close(self) -> None:
        """Stop and give everything back; what is unfinished is lost."""
        self.stop()
        self._events.close()

    def _until_stopped(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            if self._stopped.is_set():
                return
            yield block
