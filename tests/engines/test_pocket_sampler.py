"""From noise to a frame: each kind of flow, and noise that is seeded, cut, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lowvox.engines.pocket.sampler import Noise, sample

NOISE = np.array([[1.0, -2.0]], np.float32)


def test_each_kind_goes_its_way() -> None:
    asked: list[dict[str, float]] = []

    def net(x: Any, times: dict[str, float]) -> Any:
        asked.append(times)
        return np.full_like(x, 8)

    assert sample("lsd", net, NOISE, 2).tolist() == [[9, 6]]
    assert sample("flow_matching", net, NOISE, 4).tolist() == [[9, 6]]
    assert asked == [{"s": 0, "t": 0.5}, {"s": 0.5, "t": 1}, {"t": 0}, {"t": 0.25}, {"t": 0.5}, {"t": 0.75}]
    asked.clear()
    assert sample("drifting", net, NOISE, 9).tolist() == [[8, 8]]
    assert sample("pointwise", net, NOISE, 9).tolist() == [[9, 6]]
    assert asked == [{}, {}]


def test_every_step_begins_where_the_last_ended() -> None:
    found = sample("flow_matching", lambda x, times: x, NOISE, 2)
    assert found.tolist() == [[2.25, -4.5]]


def drawn(noise: Noise, count: int = 200) -> np.ndarray:
    return np.concatenate([noise.next() for _ in range(count)])


def test_a_seed_gives_the_same_and_none_another() -> None:
    noise = Noise(7, 32, 0.5)
    first = drawn(noise)
    assert not (drawn(noise) == first).any()
    noise.reset()
    assert (drawn(noise) == first).all()
    assert (drawn(Noise(7, 32, 0.5)) == first).all()
    assert not (drawn(Noise(8, 32, 0.5)) == first).any()
    assert not (drawn(Noise(None, 32, 0.5)) == drawn(Noise(None, 32, 0.5))).any()


def test_the_temperature_is_a_variance() -> None:
    found = drawn(Noise(1, 32, 0.3))
    assert found.dtype == np.float32
    assert found.shape == (200, 32)
    assert found.var() == pytest.approx(0.3, rel=0.1)
    assert not drawn(Noise(1, 32, 0)).any()


def test_a_clamp_cuts_the_distribution() -> None:
    found = drawn(Noise(1, 32, 1.0, 0.5))
    assert np.abs(found).max() <= 0.5
    assert np.mean(np.abs(found) > 0.499) < 0.01  # none piled up at the ends
    assert found.std() == pytest.approx(0.5 / 3**0.5, rel=0.1)  # so narrow a cut is nearly flat
    assert np.abs(drawn(Noise(1, 32, 1.0, 100.0))).max() > 2
    assert not drawn(Noise(1, 32, 0, 0.5)).any()
