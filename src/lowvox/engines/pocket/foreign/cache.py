"""Keys and values of a backbone that takes and gives them whole: they stay where ONNX Runtime put them.

While it runs there are two of them, what goes in and what comes out; nothing else is ever copied. To go back to the
voice that was heard only the count of positions is set, for a graph sees none behind it. Knows no graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines.pocket.foreign import states as kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lowvox.engines.pocket.foreign.states import Rows, State


class ForeignCache:
    """What one backbone remembers; `capacity` is how many positions it has room for."""

    def __init__(self, states: tuple[State, ...], rows: Rows) -> None:
        self._states, self._rows = states, rows
        self.capacity, self.position = rows.capacity, 0
        # Zeros take no memory until somebody writes to them, and a graph does not.
        self._held: dict[str, NDArray[Any]] = {
            state.name: np.zeros(state.shape, state.dtype) for state in states if not kinds.counts(state)
        }
        self._counts = [state for state in states if kinds.counts(state)]
        self._grows = [state.name for state in states if state.grows]

    def feeds(self) -> dict[str, NDArray[Any]]:
        """Return what the graph takes, by its own names."""
        return {**self._held, **{state.name: np.full(state.shape, self.position) for state in self._counts}}

    def add(self, made: Mapping[str, NDArray[Any]]) -> None:
        """Take what a run gave; ValueError where its layers are not at one position."""
        for state in self._states:
            if state.copied or state.name not in self._held:
                continue
            new, held = made[state.out], self._held[state.name]
            if new.shape == held.shape or state.grows:
                self._held[state.name] = new
            else:  # only the rows of this run
                axis = self._rows.axis
                end = self.position + new.shape[axis]
                np.moveaxis(held, axis, 0)[self.position : end] = np.moveaxis(new, axis, 0)
        self.position = self._counted(made)

    def back(self, position: int) -> None:
        """Forget all that came behind a position."""
        self.position = position
        for name in self._grows:
            self._held[name] = np.zeros(position, np.float32)

    def fill(self, position: int) -> None:
        """Go to a position as if so many had been heard: the memory of all is taken up by the first run."""
        self.back(position)

    def read(self) -> NDArray[np.float32]:
        """Return a copy of what is in it, float32 [layers, 2, positions, heads, size]."""
        rows = self._rows
        kept = np.stack([table[: self.position] for table in self._tables()]).astype(np.float32, copy=False)
        return kept.reshape(rows.layers, 2, self.position, rows.heads, rows.size)

    def write(self, kept: NDArray[np.float32]) -> None:
        """Begin with what `read` has given."""
        count = kept.shape[2]
        for table, own in zip(self._tables(), kept.reshape(-1, *kept.shape[2:]), strict=True):
            table[:count] = own
        self.back(count)

    def _tables(self) -> list[NDArray[Any]]:
        """Return views of the keys and values of each layer, [positions, heads, size]."""
        held = [self._held[name] for name in self._rows.names]
        if held[0].ndim == 5:
            return [table for layer in held for table in layer[:, 0]]
        return [np.moveaxis(table[0], self._rows.axis - 1, 0) for table in held]

    def _counted(self, made: Mapping[str, NDArray[Any]]) -> int:
        """Return how many positions are taken after a run; all layers say the same."""
        told = {self.position if state.copied else int(made[state.out].reshape(-1)[0]) for state in self._counts}
        told |= {len(self._held[name]) for name in self._grows}
        if len(told) != 1:
            raise ValueError("its layers are not at one position")
        return told.pop()
