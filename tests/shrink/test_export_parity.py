"""How far two networks are from each other, whatever they give. Needs no PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lowvox.shrink.export.parity import Distance, distance

X = np.array([1.0, -4.0, 2.0], np.float32)


def found(one: Any, other: Any) -> Distance:
    return distance(lambda given: [given["x"], one], lambda given: [given["x"], other], [{"x": X}], ["same", "out"])


def test_a_difference_is_a_share_of_the_largest_number() -> None:
    told = found(X, X + np.array([0, 0, 0.5], np.float32))
    assert (told.inputs, told.difference, told.share, told.where) == (1, 0.5, 0.125, "out")
    assert told.shapes == ({"x": (3,)},)
    assert found(X, X).share == 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (X, X[:2]),
        (X, X.astype(np.int64)),
        (X, np.array([1, np.nan, 2], np.float32)),
        (X, np.array([1, np.inf, 2], np.float32)),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([True]), np.array([False])),
    ],
)
def test_what_is_no_number_or_another_whole_one_is_endlessly_far(one: Any, other: Any) -> None:
    assert found(one, other).share == float("inf")


def test_what_is_endless_in_both_is_the_same() -> None:
    odd = np.array([np.inf, -np.inf, np.nan, 2], np.float32)
    assert found(odd, odd.copy()).share == 0.0
    assert found(np.array([3, 4]), np.array([3, 4])).share == 0.0
    assert found(np.zeros(0, np.float32), np.zeros(0, np.float32)).share == 0.0
