"""From counts of each input to a measure with its 95 % interval, and that of the difference to the first variant.

The bootstrap draws inputs again, 2000 times from a fixed seed; paired: the same draws for both, since what is hard for
one is hard for the other. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.shrink.trials.variant import RISING, Quality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lowvox.shrink.trials.variant import Measure

DRAWS, _SEED, _TOGETHER = 2000, 7, 100
_ENDS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts [inputs, k] of a measure, and `by` what they were judged.

    k is 2 for rates: errors (or what agrees) and of how many. For "f1" it is 3 for each kind of mark: found rightly,
    found, there.
    """

    metric: Measure
    counts: NDArray[Any]
    by: str


def quality(tally: Tally, first: Tally | None = None) -> Quality:
    """Return the measure of a variant; with the tally of the `first` on the same inputs, also how much worse it is."""
    value = float(_value(tally.metric, tally.counts.sum(0)))
    drawn = _drawn(tally)
    low, high = np.percentile(drawn, _ENDS)
    worse = None
    if first is not None:
        sign = -1 if tally.metric in RISING else 1
        below, above = np.percentile(sign * (drawn - _drawn(first)), _ENDS)
        worse = float(below) + 0.0, float(above) + 0.0  # no -0
    return Quality(tally.metric, value, float(low), float(high), len(tally.counts), tally.by, worse)


def _drawn(tally: Tally) -> NDArray[np.float64]:
    """Return the measure of each draw."""
    return np.concatenate([_value(tally.metric, times @ tally.counts) for times in _times(len(tally.counts))])


def _times(count: int) -> Iterator[NDArray[np.int64]]:
    """Yield how often each input is in each of some draws; in parts, since there may be thousands of inputs."""
    random = np.random.default_rng(_SEED)
    for _ in range(0, DRAWS, _TOGETHER):
        yield random.multinomial(count, np.full(count, 1 / count), size=_TOGETHER)


def _value(metric: Measure, sums: NDArray[Any]) -> NDArray[np.float64]:
    """Return a measure in per cent from sums [..., k]; F1 is the mean over those kinds that there are."""
    if metric != "f1":
        return np.asarray(100 * sums[..., 0] / np.maximum(1, sums[..., 1]))
    right, found, there = (sums[..., at::3].astype(np.float64) for at in range(3))
    known = found + there > 0
    each = np.divide(2 * right, found + there, out=np.zeros_like(right), where=known)
    return np.asarray(100 * each.sum(-1) / np.maximum(1, known.sum(-1)))
