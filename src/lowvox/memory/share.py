"""A share: what this manager may take of a budget that other lowvox processes share with it.

Thin over `trees`: reserves before anything is loaded, asks the others to make room, and waits a little for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lowvox.memory import meter, transition
from lowvox.memory.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.memory.budget import Budget
    from lowvox.memory.residency import State, Ticket
    from lowvox.types import Holding

# The others look once a second whether they are asked for room.
_PATIENCE_S = 3.0
_PAUSE_S = 0.1


class Share:
    """Nothing is reserved without a shared budget; what is held is published all the same."""

    def __init__(self, budget: Budget | None, on_note: Callable[[str], None]) -> None:
        self.active = budget is not None and budget.shared
        self._budget = budget
        self._tree = Tree(on_note=on_note)
        self._reserved = 0

    def claim(self, state: State, ticket: Ticket | None, room: int) -> int:
        """Reserve what the state and a job take, at most `room` bytes, and return what is reserved now.

        The job beside all that is idle is tried first, then alone; then the others are given time to make room.
        """
        held = min(state.charge, room)
        if ticket is None:  # what has been given up since goes back
            self._take(held, room)
            return self._reserved
        beside, alone = transition.projected(state, ticket), transition.needed(state, ticket)
        if beside <= room and self._take(max(held, beside), room):
            return self._reserved
        end = time.monotonic() + _PATIENCE_S
        while alone <= room and not self._take(max(self._reserved, alone), room) and time.monotonic() < end:
            time.sleep(_PAUSE_S)
        return self._reserved

    def wanted(self) -> int:
        """Bytes that other processes ask for."""
        return self._tree.wanted() if self.active else 0

    def publish(self, state: State, holdings: tuple[Holding, ...]) -> None:
        """Tell other processes what is held."""
        budget = None if self._budget is None else self._budget.bytes
        self._tree.publish(budget=budget, base=state.base, holdings=holdings)

    def told(self, room: int) -> str:
        """Say what there is room for."""
        if self.active and self._budget is not None and self._reserved < room:
            others = ", ".join(str(other.pid) for other in self._tree.others() if other.shared)
            return (
                f"other lowvox processes ({others}; see `lowvox ps`) hold the rest of the {self._budget} that the "
                "settings state for all of them"
            )
        return f"the budget is {room / meter.MB:.1f}".removesuffix(".0") + " MB"

    def close(self) -> None:
        """Give everything back."""
        self._tree.close()

    def _take(self, size: int, room: int) -> bool:
        if self._tree.reserve(size, room):
            return False
        self._reserved = size
        return True
