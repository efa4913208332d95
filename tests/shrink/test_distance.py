"""Distances: by samples to the decibel, by spectrum whatever the times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.audio.clip import clip
from lowvox.shrink.trials import distance

RATE = 16000


def test_noise_of_a_tenth_is_20_db_below() -> None:
    random = np.random.default_rng(1)
    one = random.standard_normal((2, 5000)).astype(np.float32)
    other = one + 0.1 * random.standard_normal(one.shape).astype(np.float32)
    assert distance.signals([[one]], [[other]]) == pytest.approx(20, abs=0.3)
    assert distance.signals([[one]], [[one]]) == distance.SAME_DB


def test_another_shape_and_what_is_no_number_count_as_silence() -> None:
    one = np.ones((1, 4), np.float32)
    assert distance.signals([[one]], [[np.ones((1, 5), np.float32)]]) == 0
    assert distance.signals([[one]], [[np.full((1, 4), np.nan, np.float32)]]) == 0
    # One output of two: half of the power.
    assert distance.signals([[one, one]], [[one, 0 * one]]) == pytest.approx(3.01, abs=0.01)


def test_a_voice_that_is_late_or_slower_is_near_and_another_is_not() -> None:
    sound = clip()[: 2 * RATE * 2]
    late = sound[:RATE] + bytes(800) + sound[RATE:]  # 25 ms of silence in the middle
    other = clip()[2 * RATE * 4 :][: len(sound)]
    near, far = (distance.voices([(sound, RATE)], [(each, RATE)]) for each in (late, other))
    assert distance.voices([(sound, RATE)], [(sound, RATE)]) == distance.SAME_DB
    assert near > 15
    assert far < 8


def test_a_voice_that_says_nothing_is_as_far_as_silence() -> None:
    sound = clip()[:RATE]
    assert distance.voices([(sound, RATE)], [(b"", RATE)]) == pytest.approx(0)
    assert len(distance.mel(b"", RATE)) == 0
    assert distance.voices([(b"", RATE)], [(b"", RATE)]) == distance.SAME_DB


def test_a_tone_is_in_its_band() -> None:
    tone = (10000 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype("<i2").tobytes()
    (band,) = {int(frame.argmax()) for frame in distance.mel(tone, RATE)}
    assert band == pytest.approx(80 * distance._to_mel(1000) / distance._to_mel(8000), abs=1.5)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=6), st.lists(st.floats(-9, 9), min_size=1, max_size=6))
def test_the_path_is_the_cheapest_one(one: list[float], other: list[float]) -> None:
    rows, columns = (np.array(each)[:, None] for each in (one, other))
    at, then = distance.warped(rows, columns)
    assert (at[0], then[0], at[-1], then[-1]) == (0, 0, len(one) - 1, len(other) - 1)
    steps = {(int(i), int(j)) for i, j in zip(np.diff(at), np.diff(then), strict=True)}
    assert steps <= {(1, 1), (1, 0), (0, 1)}
    cost = np.abs(rows - columns.T)
    assert cost[at, then].sum() == pytest.approx(_cheapest(cost), abs=1e-6)


def _cheapest(cost: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    total = np.full((cost.shape[0] + 1, cost.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i, j in np.ndindex(*cost.shape):
        total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return float(total[-1, -1])
