"""From frames to sound: pulses at the pitch and noise, each shaped by a smooth spectral envelope. numpy alone.

    head = Head(seed=0)
    sound = [head.feed(frames), head.feed(more), head.flush()]     # float32 in [-1, 1], 16 kHz, 80 samples a frame

A frame (5 ms) has 32 numbers: natural logarithm of the pitch in Hz, voicing (above 0: voiced), how much of each of five
bands is pulses (0 to 1), and 25 mel cepstra of the envelope (warped by 0.42, natural logarithm of the amplitude). What
is said does not depend on how the frames are cut into pieces. Knows no phones and no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE, HOP, PARTS = 16000, 80, 7
FFT = PARTS * HOP
PITCH, VOICING, BANDS, CEPSTRA = 0, 1, slice(2, 7), slice(7, 32)
WIDTH = 32
ALPHA = 0.42
# Where each band of the excitation ends and the next has begun, in Hz; between the two one fades into the other.
_EDGES = ((700.0, 900.0), (1600.0, 1900.0), (3700.0, 4000.0), (6000.0, 6400.0))
_TAPS, _PHASES = 12, 64


def warped(bins: int) -> NDArray[np.float64]:
    """Return the mel-warped frequencies, in radians, of `bins` evenly spaced ones from 0 to half the rate."""
    omega = np.linspace(0, np.pi, bins)
    bent: NDArray[np.float64] = omega + 2 * np.arctan2(ALPHA * np.sin(omega), 1 - ALPHA * np.cos(omega))
    return bent


def cosines(bins: int, order: int = 25) -> NDArray[np.float64]:
    """Return the matrix [order, bins] that turns mel cepstra into logarithms of the amplitude."""
    matrix: NDArray[np.float64] = np.cos(np.outer(np.arange(order), warped(bins)))
    return matrix


def sines(bins: int, order: int = 25) -> NDArray[np.float64]:
    """Return the matrix [order, bins] that turns mel cepstra into the phase of the filter with the least delay."""
    matrix: NDArray[np.float64] = -np.sin(np.outer(np.arange(order), warped(bins)))
    return matrix


def shares(bins: int) -> NDArray[np.float64]:
    """Return the matrix [5, bins] that spreads the bands over frequency."""
    at = np.linspace(0, RATE / 2, bins)
    knots = [0.0, *(edge for pair in _EDGES for edge in pair), RATE / 2]
    return np.stack([np.interp(at, knots, np.repeat(row, 2)) for row in np.eye(len(_EDGES) + 1)])


def _pulses() -> NDArray[np.float32]:
    """Return a pulse at each fraction of a sample, [phases, taps]: it lies half the taps behind its place."""
    at = np.arange(_TAPS)[None] - (_TAPS // 2 - 1) - np.arange(_PHASES)[:, None] / _PHASES
    pulses: NDArray[np.float64] = np.sinc(at) * np.cos(np.pi * at / (_TAPS + 1)) ** 2
    return pulses.astype(np.float32)


def _noise(begin: int, count: int) -> NDArray[np.float32]:
    """Return samples `begin` to `begin + count` of one long noise, evenly spread, of power 1.

    A hash of the place: numpy's generators cost seven megabytes on import, and four times the time.
    """
    mixed = np.arange(begin, begin + count, dtype=np.int64).astype(np.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        mixed = (mixed ^ (mixed >> np.uint32(shift))) * np.uint32(factor)
    mixed ^= mixed >> np.uint32(16)
    return (mixed.astype(np.float32) - np.float32(2**31)) * np.float32(3**0.5 / 2**31)


class Head:
    """The source and its filter, with what goes over from one piece to the next."""

    def __init__(self, seed: int = 0) -> None:
        bins = FFT // 2 + 1
        self._matrices = [matrix(bins).astype(np.float32) for matrix in (cosines, sines, shares)]
        self._pulse = _pulses()
        self._window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * HOP) / HOP)).astype(np.float32)
        self._drawn = seed * 7919 * RATE
        self._phase = 0.0
        self._last: NDArray[np.float32] | None = None
        self._source = np.zeros((2, HOP), np.float32)
        self._spill = np.zeros(_TAPS, np.float32)
        self._tail = np.zeros((PARTS - 1, HOP), np.float32)

    def feed(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sound up to the last of these frames [n, 32]: 80 samples for each frame but the very first."""
        if self._last is None:
            self._last, frames = frames[0], frames[1:]
        if not len(frames):
            return np.zeros(0, np.float32)
        frames = np.concatenate([self._last[None], frames])
        self._last = frames[-1]
        source = self._sources(frames)
        joined = np.concatenate([self._source[:, None], source], 1)
        self._source = source[:, -1]
        pieces = np.concatenate([joined[:, :-1], joined[:, 1:]], 2) * self._window
        return self._overlap(self._filtered(frames[:-1], pieces))

    def flush(self) -> NDArray[np.float32]:
        """Return what the last frame leaves behind."""
        if self._last is None:
            return np.zeros(0, np.float32)
        last = self._last
        return np.concatenate([self.feed(np.repeat(last[None], 2, 0)), self._tail[: PARTS - 3].ravel()])

    def _sources(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return pulses and noise, [2, n - 1, 80], between each frame and the next."""
        steps = np.arange(HOP, dtype=np.float32) / HOP
        pitch = np.exp(frames[:, PITCH])
        voiced = (frames[:, VOICING] > 0).astype(np.float32)
        step = (pitch[:-1, None] + np.diff(pitch)[:, None] * steps) / RATE
        step *= (voiced[:-1] * voiced[1:])[:, None]
        noise = _noise(self._drawn, step.size).reshape(step.shape)
        self._drawn += step.size
        return np.stack([self._pulsed(step.ravel()).reshape(step.shape), noise])

    def _pulsed(self, step: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return a pulse wherever the phase comes round, between samples too."""
        phase = self._phase + np.cumsum(step, dtype=np.float64)
        count = np.floor(phase)
        at = np.flatnonzero(np.diff(count, prepend=np.floor(self._phase)))
        self._phase = float(phase[-1] % 1)
        # How far before this sample it came round, and so how much further back its pulse lies.
        late = (phase[at] - count[at]) / step[at]
        which = np.minimum((late * _PHASES).astype(int), _PHASES - 1)
        made = np.zeros(len(step) + _TAPS, np.float32)
        made[:_TAPS] += self._spill
        height = 1 / np.sqrt(step[at])
        np.add.at(made, at[:, None] + np.arange(_TAPS), self._pulse[_PHASES - 1 - which] * height[:, None])
        self._spill = made[len(step) :]
        return made[: len(step)]

    def _filtered(self, frames: NDArray[np.float32], pieces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the pieces [2, n, 160] through the filters of their frames: [n, FFT]."""
        cosine, sine, share = self._matrices
        cepstra = frames[:, CEPSTRA]
        pulses, noise = np.fft.rfft(pieces, FFT)
        pulsed = np.clip(frames[:, BANDS], 0, 1) @ share
        angle = cepstra @ sine
        gain = np.exp(cepstra @ cosine)
        shaped = (pulses * pulsed + noise * (1 - pulsed)) * (gain * (np.cos(angle) + 1j * np.sin(angle)))
        return np.fft.irfft(shaped, FFT).astype(np.float32)

    def _overlap(self, pieces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add pieces 80 samples apart; what reaches beyond the last of them waits."""
        count = len(pieces)
        made = np.zeros((count + PARTS - 1, HOP), np.float32)
        made[: PARTS - 1] += self._tail
        for part, column in enumerate(pieces.reshape(count, PARTS, HOP).swapaxes(0, 1)):
            made[part : part + count] += column
        self._tail = made[count:]
        return made[:count].ravel()
