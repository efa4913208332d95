"""`shrink.rounding.thresholds`: where a range is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lowvox.shrink.rounding import thresholds

BINS = 512


def counted(seed: int, filled: float) -> NDArray[np.int64]:
    """Return counts, so many of them above 0."""
    random = np.random.default_rng(seed)
    return random.integers(1, 10**6, BINS) * (random.random(BINS) < filled)


COUNTS = st.builds(counted, st.integers(0, 2**32), st.sampled_from([0.0, 0.01, 0.1, 1.0]))


@settings(max_examples=20)
@given(COUNTS, st.floats(-100, 99), st.floats(0.1, 100), st.floats(90, 100))
def test_a_cut_range_lies_in_the_whole_one(counts: NDArray[np.int64], low: float, wide: float, kept: float) -> None:
    high = low + wide
    for found in (thresholds.percentile(counts, low, high, kept), thresholds.entropy(counts, low, high)):
        assert low <= found[0] <= found[1] <= high


@settings(max_examples=50)
@given(COUNTS, st.floats(50, 100))
def test_a_percentile_keeps_at_least_so_many(counts: NDArray[np.int64], kept: float) -> None:
    if counts.sum():
        low, high = thresholds.percentile(counts, 0, BINS, kept)
        assert counts[int(low) : int(high)].sum() >= (kept / 100 - 1e-9) * counts.sum()


def test_all_of_them_is_the_whole_range() -> None:
    counts = np.zeros(BINS, np.int64)
    counts[500] = 3
    assert thresholds.percentile(counts, -1, 1, 100) == (-1, 1)


def spread(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], float, float]:
    low, high = float(values.min()), float(values.max())
    return np.histogram(values, 2048, (low, high))[0], low, high


def test_entropy_cuts_what_lies_far_away_and_nothing_of_what_is_even() -> None:
    random = np.random.default_rng(0)
    low, high = thresholds.entropy(*spread(np.append(random.standard_normal(200_000), [40.0, -3.0])))
    assert 3 < high < 12
    assert -6 < low < -2
    low, high = thresholds.entropy(*spread(random.uniform(-1, 1, 200_000)))
    assert low < -0.95
    assert high > 0.95


def test_entropy_does_not_mind_the_zeros_of_a_relu() -> None:
    values = np.maximum(np.random.default_rng(0).standard_normal(200_000), 0)
    low, high = thresholds.entropy(*spread(values))
    assert low == 0
    assert high > 2.5
