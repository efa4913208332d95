"""Growth: a slope with its interval, and a verdict."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.exercise import Held
from lowvox.memory.leaks import NEGLIGIBLE, Slope, judge, overall, slope, verdict

sizes = st.lists(st.integers(0, 2**34), min_size=2, max_size=40)


@given(st.integers(-(2**20), 2**20), st.integers(8, 40), st.integers(0, 2**30))
def test_a_straight_line_is_its_slope(step: int, count: int, start: int) -> None:
    found = slope([start + step * turn for turn in range(count)])
    assert found == Slope(step, step, step)


@pytest.mark.parametrize("step", [0, 20_000, 300_000])
def test_a_known_slope_is_recovered_under_noise(step: int) -> None:
    """The interval is right in 95 % of cases, here in at least 90 of 100 that never change."""
    noise = random.Random(step)
    found = [slope([step * turn + noise.gauss(0, 30_000) for turn in range(20)]) for _ in range(100)]
    assert sum(one.low <= step <= one.high for one in found) >= 90
    assert all(abs(one.per_cycle - step) < 12_000 for one in found)


def test_noise_alone_is_never_called_growth() -> None:
    noise = random.Random(1)
    verdicts = {verdict(slope([noise.gauss(1e8, 8_000) for _ in range(30)])) for _ in range(200)}
    assert verdicts == {"no growth"}


@given(st.sampled_from([2.0, 5.0, 100.0]), st.randoms(use_true_random=False))
def test_one_turn_in_eight_may_go_wrong(scale: float, chance: random.Random) -> None:
    values = [1e6 + 50_000 * turn for turn in range(24)]
    for wrong in chance.sample(range(24), 3):
        values[wrong] *= scale
    found = slope(values)
    assert verdict(found) == "grows"
    assert found.low <= 50_000 <= found.high


@given(sizes)
def test_the_interval_contains_the_slope(values: list[int]) -> None:
    found = slope(values)
    assert found.low <= found.per_cycle <= found.high


@given(sizes, st.integers(0, 2**30), st.integers(1, 1000))
def test_shifting_and_scaling_do_what_they_should(values: list[int], shift: int, scale: int) -> None:
    before, after = slope(values), slope([scale * value + shift for value in values])
    scaled = [scale * one for one in (before.per_cycle, before.low, before.high)]
    assert [after.per_cycle, after.low, after.high] == pytest.approx(scaled)


def test_one_jump_that_stays_is_no_growth() -> None:
    assert verdict(slope([10_000_000] * 12 + [10_128_000] * 12)) != "grows"


@pytest.mark.parametrize("values", [[], [7], [7, 9], [1, 2, 3, 4]])
def test_too_few_turns_tell_nothing(values: list[int]) -> None:
    found = slope(values)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert verdict(found) == "undecided"
    assert not found.passes(-1e18)


def test_a_bound_is_passed_when_that_is_sure() -> None:
    assert Slope(5000, 4500, 5500).passes(4400)
    assert not Slope(5000, 4500, 5500).passes(4500)
    assert not Slope(5000, -100, 9000).passes(0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 0, "no growth"),
        (-9000, NEGLIGIBLE, "no growth"),
        (100, 200, "no growth"),
        (NEGLIGIBLE + 1, 9000, "grows"),
        (0, 9000, "undecided"),
    ],
)
def test_verdicts(low: float, high: float, expected: str) -> None:
    assert verdict(Slope((low + high) / 2, low, high)) == expected


def test_what_is_taken_once_is_no_growth() -> None:
    """A library that fills its caches in the first turns, and then keeps quiet."""
    once = judge("load", Held(1_000_000, (9_000_000, 15_000_000, 18_000_000, *[19_000_000] * 17), ()))
    leaking = judge("run", Held(0, tuple(range(0, 2_000_000, 100_000)), ()))
    tossed = judge("stream", Held(0, (0, 9_000_000) * 10, ()))
    assert [one.verdict for one in (once, leaking, tossed)] == ["no growth", "grows", "undecided"]
    assert leaking.slope == Slope(100_000, 100_000, 100_000)
    assert overall([once]) == "no growth"
    assert overall([once, tossed]) == "undecided"
    assert overall([once, leaking, tossed]) == "grows"
