"""Whether a converted network gives what its original gives: measured on inputs, with the largest difference.

Knows no model: a network is a function from named arrays to logits [..., classes], one array for each head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = Mapping[str, NDArray[Any]]
Network = Callable[[Inputs], Sequence[NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Parity:
    """What a comparison found over `inputs` inputs, in which `classes` classes were chosen.

    `differing` of these were not the same. `max_difference` is the largest between two logits, `closest` that of the
    input where the two networks agreed best.
    """

    inputs: int
    classes: int
    differing: int
    max_difference: float
    closest: float


def compare(original: Network, converted: Network, inputs: Iterable[Inputs]) -> Parity:
    """Run both over all inputs; a logit that is no number counts as an endless difference."""
    classes = differing = 0
    furthest: list[float] = []
    for given in inputs:
        most = 0.0
        for expected, found in zip(original(given), converted(given), strict=True):
            if expected.shape != found.shape:
                most = float("inf")
                continue
            distance = float(np.abs(expected.astype(np.float64) - found).max())
            most = max(most, distance if np.isfinite(distance) else float("inf"))
            chosen = expected.argmax(-1)
            classes += chosen.size
            differing += int((chosen != found.argmax(-1)).sum())
        furthest.append(most)
    return Parity(len(furthest), classes, differing, max(furthest, default=0.0), min(furthest, default=0.0))
