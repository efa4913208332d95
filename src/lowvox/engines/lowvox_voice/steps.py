"""From how long tokens last to steps of 10 ms: which token each step lies in, and where within it.

Steps are made where they are asked for, so that memory does not follow the length of a sentence. The rule is that of
`training/voice/frames.py`. Knows no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STATES = 3
_SHORTEST = 0.6  # frames of 5 ms
_WHERE = 8


class Steps:
    """The steps of a sentence; `durations` [n, 3] are of its tokens' states, in frames of 5 ms.

    Step i covers frames 2 i and 2 i + 1. There are `count`, as many as the durations fill.
    """

    def __init__(self, durations: NDArray[np.float32]) -> None:
        self._ends = np.cumsum(np.maximum(durations, _SHORTEST).astype(np.float64).ravel())
        self._begins = np.concatenate([[0.0], self._ends[:-1]])
        self.count = max(1, int(np.ceil(self._ends[-1] / 2)))

    def tokens(self, begin: int, end: int) -> NDArray[np.int64]:
        """Return the token of each step [t]."""
        return self._states(self._times(begin, end)) // _STATES

    def where(self, begin: int, end: int) -> NDArray[np.float32]:
        """Return where in its token each step lies: [8, t].

        Which of its states that is (3 rows), how far in the state, how many frames the state has lasted and will still
        last, how far in the token, and how long that is.
        """
        time = self._times(begin, end)
        state = self._states(time)
        token = state // _STATES
        since = np.maximum(time - self._begins[state], 0)
        until = np.maximum(self._ends[state] - time, 0)
        first, last = self._begins[token * _STATES], self._ends[token * _STATES + _STATES - 1]
        found = np.zeros((_WHERE, len(time)), np.float32)
        found[state % _STATES, np.arange(len(time))] = 1
        found[3] = since / np.maximum(since + until, 1e-3)
        found[4] = np.minimum(since, 20) / 20
        found[5] = np.minimum(until, 20) / 20
        found[6] = np.clip((time - first) / np.maximum(last - first, 1e-3), 0, 1)
        found[7] = np.minimum(last - first, 60) / 60
        return found

    def _times(self, begin: int, end: int) -> NDArray[np.float64]:
        return np.arange(begin, end, dtype=np.float64) * 2 + 0.5

    def _states(self, time: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.minimum(np.searchsorted(self._ends, time, "left"), len(self._ends) - 1)
