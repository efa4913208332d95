"""From durations to steps: which phone and state each step of 10 ms lies in, and where within it. numpy alone.

    which, where = steps(durations)        # durations [n, 3] in frames of 5 ms, fractions too

The package has its own copy of this rule. Knows no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATES = 3
WHERE = 8


def steps(durations: NDArray[np.float32], count: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the token of each step, [t], and where in it the step lies, [8, t].

    Step i covers frames 2i and 2i + 1; its time is 2i + 0.5 frames. There are as many steps as the durations fill.
    """
    ends = np.cumsum(durations.astype(np.float64).ravel())
    if count is None:
        count = max(1, int(np.ceil(ends[-1] / 2)))
    time = np.arange(count) * 2 + 0.5
    state = np.minimum(np.searchsorted(ends, time, "left"), len(ends) - 1)
    begins = np.concatenate([[0.0], ends[:-1]])
    since, until = np.maximum(time - begins[state], 0), np.maximum(ends[state] - time, 0)
    token = state // STATES
    first, last = begins[token * STATES], ends[token * STATES + STATES - 1]
    where = np.zeros((WHERE, count), np.float32)
    where[state % STATES, np.arange(count)] = 1
    where[3] = since / np.maximum(since + until, 1e-3)
    where[4] = np.minimum(since, 20) / 20
    where[5] = np.minimum(until, 20) / 20
    where[6] = np.clip((time - first) / np.maximum(last - first, 1e-3), 0, 1)
    where[7] = np.minimum(last - first, 60) / 60
    return token, where
