"""A share: what this manager may take of a budget that other lowvox processes share with it.

Thin over `trees`: reserves before anything is loaded, asks the others to make room, and waits a little for it.
"""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from lowvox.memory import meter, seating
from lowvox.memory.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.memory.budget import Budget
    from lowvox.memory.residency import State, Ticket
    from lowvox.types import Holding

# The others look once a second whether they are asked for room: three looks.
_TRIES = 30
_PAUSE_S = 0.1


class Share:
    """Nothing is reserved without a shared budget; what is held is published all the same.

    Safe to use from several threads. `reserved` is in bytes; `pause` is called with the seconds until the next try.
    """

    def __init__(
        self, budget: Budget | None, on_note: Callable[[str], None], *, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self.active = budget is not None and budget.shared
        self.reserved = 0
        self._budget = budget
        self._tree = Tree(on_note=partial(_told, on_note))
        self._pause = pause
        self._asked: dict[int, int] = {}  # what is reserved for jobs without an answer
        self._lock = threading.Lock()
        self._closed = False

    def claim(self, state: State, ticket: Ticket, room: int) -> None:
        """Reserve what the state and a job take, at most `room` bytes; the job has it until it is `answered`.

        The job beside all that is idle is tried first, then alone; then the others are given time to make room.
        """
        beside, alone = seating.projected(state, ticket), seating.needed(state, ticket)
        if beside <= room and self._reserve(beside, ticket):
            return
        for _ in range(_TRIES):
            if alone > room or self._closed or self._reserve(alone, ticket):
                return
            self._pause(_PAUSE_S)

    def answered(self, ticket: Ticket) -> None:
        """Hold nothing for a job any more, beyond what it takes."""
        with self._lock:
            self._asked.pop(ticket.id, None)

    def settle(self, taken: Callable[[], int]) -> None:
        """Reserve what is `taken` now, in bytes, and what jobs have asked for; the rest goes back."""
        with self._lock:
            asked = max(self._asked.values(), default=0)
            self._take(max(asked, taken()))

    def wanted(self) -> int:
        """Bytes that other processes ask for."""
        return self._tree.wanted() if self.active else 0

    def publish(self, state: State, holdings: tuple[Holding, ...]) -> None:
        """Tell other processes what is held."""
        budget = None if self._budget is None else self._budget.bytes
        with self._lock:
            if not self._closed:
                self._tree.publish(budget=budget, base=state.base, holdings=holdings)

    def told(self, needed: int, stated: int, left: int) -> str:
        """Say why there is no room for so many bytes, of those that are `stated` and those that are `left`."""
        others = ", ".join(str(other.pid) for other in self._tree.others() if other.shared) if self.active else ""
        if others and needed <= stated:
            return (
                f"other lowvox processes ({others}; see `lowvox ps`) hold the rest of the {self._budget} that the "
                "settings state for all of them"
            )
        if needed <= stated:
            return f"of the budget of {_mb(stated)} other work of this process leaves {_mb(left)}"
        return f"the budget is {_mb(stated)}"

    def close(self) -> None:
        """Give everything back, for good."""
        with self._lock:
            self._closed = True
            self._tree.close()

    def _reserve(self, size: int, ticket: Ticket) -> bool:
        with self._lock:
            if not self._take(max(size, self.reserved)):
                return False
            self._asked[ticket.id] = size
            return True

    def _take(self, size: int) -> bool:
        if self._closed or not self.active or self._budget is None:
            return False
        if size != self.reserved and self._tree.reserve(size, self._budget.bytes):
            return False
        self.reserved = size
        return True


def _told(listener: Callable[[str], None], text: str) -> None:
    """Call a listener; the keeper's thread must not end because it fails."""
    try:
        listener(text)
    except Exception:
        sys.excepthook(*sys.exc_info())


def _mb(size: int) -> str:
    return f"{size / meter.MB:.1f}".removesuffix(".0") + " MB"
