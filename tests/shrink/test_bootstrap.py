"""Measures with intervals: of the right width, and narrower where both are asked the same."""

from __future__ import annotations

import numpy as np
import pytest

from lowvox.shrink.trials.bootstrap import Tally, quality

RANDOM = np.random.default_rng(1)


def rates(share: float, count: int = 400) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.stack([RANDOM.binomial(10, share, count), np.full(count, 10)], axis=1)


def test_a_rate_has_the_interval_of_its_standard_error() -> None:
    found = quality(Tally("wer", rates(0.2), "ears"))
    assert found.value == pytest.approx(20, abs=2)
    expected = 2 * 1.96 * 100 * (0.2 * 0.8 / 4000) ** 0.5
    assert found.high - found.low == pytest.approx(expected, rel=0.2)
    assert found.low < found.value < found.high
    assert (found.count, found.by, found.worse) == (400, "ears", None)
    assert found == quality(Tally("wer", rates(0.2), "ears")) or found.value != 20  # drawn from a fixed seed


def test_the_same_again_is_worse_by_nothing() -> None:
    tally = Tally("wer", rates(0.2), "ears")
    assert quality(tally, tally) == quality(tally, tally)
    assert quality(tally, tally).worse == (0.0, 0.0)


def test_paired_is_narrower_than_either_alone() -> None:
    first = rates(0.3)
    second = first.copy()
    second[::20, 0] += 1  # one word more in every twentieth: half a point
    one, other = Tally("wer", first, "ears"), Tally("wer", second, "ears")
    worse = quality(other, one).worse
    assert worse
    assert 0.2 < worse[0] < 0.5 < worse[1] < 0.9
    alone = quality(other)
    assert worse[1] - worse[0] < (alone.high - alone.low) / 3


def test_where_more_is_better_worse_is_less() -> None:
    full, less = np.array([[10, 10]] * 50), np.array([[9, 10]] * 50)
    found = quality(Tally("agreement", less, "first"), Tally("agreement", full, "first"))
    assert (found.value, found.worse) == (90.0, (10.0, 10.0))


def test_f1_is_the_mean_over_the_kinds_that_there_are() -> None:
    # Found rightly, found, there: 2 of 2 and 2; 1 of 1 and 3; a kind that is nowhere.
    found = quality(Tally("f1", np.array([[2, 2, 2, 1, 1, 3, 0, 0, 0]]), "print"))
    assert found.value == pytest.approx((100 + 50) / 2)
