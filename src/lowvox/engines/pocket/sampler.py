"""From noise to a frame of Pocket TTS: how each kind of flow net is gone along. Knows no session and no graph."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Flow

    # x [1, latent] and the times that the flow wants, by name, to a direction [1, latent]
    Net = Callable[[NDArray[np.float32], dict[str, float]], NDArray[np.float32]]


def sample(kind: Flow, net: Net, noise: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Return the latent [1, latent] that noise becomes; two of the kinds do it in one step, whatever `steps` is."""
    if kind == "drifting":
        return net(noise, {})
    if kind == "pointwise":
        return noise + net(noise, {})
    found = noise
    for step in range(steps):
        begin, end = step / steps, (step + 1) / steps
        times = {"s": begin, "t": end} if kind == "lsd" else {"t": begin}
        found = found + net(found, times) / np.float32(steps)
    return found


class Noise:
    """Normal noise of a variance, the `temperature`, that is the same for the same seed; None: never the same.

    With a `clamp` no number is further from 0, and none is piled up there: the distribution is cut. It is drawn by
    Python, for numpy's own would take 5 MB to load, OpenSSL among it.
    """

    def __init__(self, seed: int | None, size: int, temperature: float, clamp: float | None = None) -> None:
        self._seed, self._size = seed, size
        self._spread = temperature**0.5
        self._cut = None if clamp is None or not self._spread else _Cut(self._spread, clamp)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._random = random.Random(self._seed)  # noqa: S311  # noise, no secret

    def next(self) -> NDArray[np.float32]:
        """Return the noise of the next frame, float32 [1, size]."""
        if self._cut:
            drawn = [self._cut.at(self._random.random()) for _ in range(self._size)]
        else:
            drawn = [self._random.gauss(0, self._spread) for _ in range(self._size)]
        return np.array([drawn], np.float32)


class _Cut:
    """A normal distribution without what is further from 0 than `most`."""

    def __init__(self, spread: float, most: float) -> None:
        from statistics import NormalDist  # 1 MB, which few want

        self._normal, self._most = NormalDist(0, spread), most
        self._low = self._normal.cdf(-most)

    def at(self, share: float) -> float:
        """Return the number below which so much of it lies."""
        share = self._low + (1 - 2 * self._low) * share
        return min(max(self._normal.inv_cdf(min(max(share, 1e-300), 1 - 1e-16)), -self._most), self._most)
