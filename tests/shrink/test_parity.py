"""Comparing networks: what differs is counted, and what is no number is no agreement."""

from __future__ import annotations

import numpy as np
import pytest

from lowvox.shrink.parity import Parity, compare

A = np.array([[[1.0, 2.0, 0.0], [3.0, 1.0, 0.0]]])


def test_the_same_network() -> None:
    assert compare(lambda given: [given["x"]], lambda given: [given["x"]], [{"x": A}, {"x": 2 * A}]) == Parity(
        2, 4, 0, 0.0, 0.0
    )


def test_a_class_that_differs_and_the_largest_difference() -> None:
    moved = A.copy()
    moved[0, 0, 2] = 2.5
    found = compare(
        lambda _: [A, A], lambda given: [A, moved if given["x"][0] else A], [{"x": np.array([n])} for n in (0, 1)]
    )
    assert found == Parity(inputs=2, classes=8, differing=1, max_difference=2.5, closest=0.0)


@pytest.mark.parametrize("wrong", [A[:, :1], np.full_like(A, np.nan), np.full_like(A, np.inf)])
def test_what_cannot_be_compared_is_endlessly_far(wrong: np.ndarray) -> None:
    assert compare(lambda _: [A], lambda _: [wrong], [{}]).max_difference == float("inf")


def test_two_networks_with_other_heads() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compare(lambda _: [A, A], lambda _: [A], [{}])
