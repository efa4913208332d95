"""How far what a variant gives lies from what the first one gave: sample by sample, or by spectrum for voices.

Both are in dB, the first one's power over that of the difference, and the higher the nearer. Knows no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

# What is the same to the last bit is as far above the difference as this, and nothing is further.
SAME_DB = 200.0
_BANDS, _FRAME, _HOP = 80, 0.032, 0.010  # seconds
_LOWEST = 1e-5


def signals(first: Iterable[Sequence[NDArray[Any]]], variant: Iterable[Sequence[NDArray[Any]]]) -> float:
    """Compare arrays one by one, all runs together.

    An array of another shape, or one that holds what is no number, counts as silence would: 0 dB. Whole numbers, such
    as durations, count as numbers do.
    """
    power = difference = 0.0
    for expected, found in zip(first, variant, strict=True):
        for one, other in zip(expected, found, strict=True):
            own = one.astype(np.float64)
            apart = own - other if one.shape == other.shape else own
            power += float((own**2).sum())
            lost = float((apart**2).sum())
            difference += lost if np.isfinite(lost) else float((own**2).sum())
    return decibels(power, difference)


def decibels(power: float, difference: float) -> float:
    """Return a ratio of powers in dB, within what can be told."""
    if difference <= 0:
        return SAME_DB
    return float(np.clip(10 * np.log10(max(power, 1e-300) / difference), -SAME_DB, SAME_DB))


def voices(first: Iterable[tuple[bytes, int]], variant: Iterable[tuple[bytes, int]]) -> float:
    """Compare sounds, as PCM and rate each: their mel spectra, brought to the same times by dynamic time warping.

    A voice whose lengths differ by a step, or whose vibrations begin elsewhere, sounds the same and would not compare
    sample by sample.
    """
    power = difference = 0.0
    for (one, rate), (other, its_rate) in zip(first, variant, strict=True):
        own, its = mel(one, rate), mel(other, its_rate)
        if len(own) and len(its):
            at, then = warped(np.log(own + _LOWEST), np.log(its + _LOWEST))
            difference += float(((own[at] - its[then]) ** 2).sum())
            power += float((own[at] ** 2).sum())
        else:
            power, difference = power + float((own**2).sum()), difference + float((own**2).sum() + (its**2).sum())
    return decibels(power, difference)


def mel(pcm: bytes, rate: int) -> NDArray[np.float64]:
    """Return amplitudes [n, 80] of a sound, every 10 ms, in bands that are as wide as an ear's up to 8 kHz."""
    sound = np.frombuffer(pcm, "<i2").astype(np.float64) / 32768
    size, hop = int(_FRAME * rate), int(_HOP * rate)
    count = max(0, 1 + (len(sound) - size) // hop)
    if not count:
        return np.zeros((0, _BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop][:count]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))
    return np.asarray(np.sqrt(spectrum**2 @ _filters(spectrum.shape[1], rate)))


def warped(one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which rows of [n, k] and [m, k] belong together, by the path of the least distance through both."""
    cost = _distances(one, other)
    total = _summed(cost)
    at, then = len(one) - 1, len(other) - 1
    path = [(at, then)]
    while at or then:
        steps = [(at - 1, then - 1), (at - 1, then), (at, then - 1)]
        at, then = min((step for step in steps if min(step) >= 0), key=lambda step: total[step])
        path.append((at, then))
    found = np.array(path[::-1])
    return found[:, 0], found[:, 1]


def _distances(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def _summed(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cost of the cheapest path to each place, diagonal after diagonal: the places of one need no other."""
    high, wide = cost.shape
    total = np.full((high + 1, wide + 1), np.inf)
    total[0, 0] = 0
    for diagonal in range(high + wide - 1):
        rows = np.arange(max(0, diagonal - wide + 1), min(high, diagonal + 1))
        columns = diagonal - rows
        before = np.minimum(np.minimum(total[rows, columns], total[rows, columns + 1]), total[rows + 1, columns])
        total[rows + 1, columns + 1] = cost[rows, columns] + before
    return total[1:, 1:]


def _filters(bins: int, rate: int) -> NDArray[np.float64]:
    """Return triangles [bins, 80] over frequency."""
    edges = 700 * (10 ** (np.linspace(0, _to_mel(min(8000, rate / 2)), _BANDS + 2) / 2595) - 1)
    hertz = np.linspace(0, rate / 2, bins)[:, None]
    up = (hertz - edges[:-2]) / np.diff(edges)[:-1]
    down = (edges[2:] - hertz) / np.diff(edges)[1:]
    return np.asarray(np.maximum(0, np.minimum(up, down)))


def _to_mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))
