"""Cutting a stream of sound into utterances by voice activity: none longer than 15 s, cut at the quietest place.

A pure state machine over frames of 32 ms: it is given sound and the probability of speech, and knows neither engines
nor files nor clocks. Times are in seconds from the first frame.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

FRAME = 512
FRAME_BYTES = 2 * FRAME
FRAME_S = FRAME / 16000


@dataclass(frozen=True, slots=True)
class Utterance:
    """Sound with speech in it: `pcm` at 16 kHz, beginning `start` seconds into the stream.

    `cut` says that the speaker had not paused: the next utterance goes on where this one ends.
    """

    start: float
    pcm: bytes
    cut: bool

    @property
    def end(self) -> float:
        """Where it ends, in seconds from the beginning of the stream."""
        return self.start + len(self.pcm) / 32000


@dataclass(frozen=True, slots=True)
class Limits:
    """What decides where an utterance begins and ends; times in seconds.

    Speech begins at probability `enter` and goes on down to `stay`; a pause of `pause_s` ends it; `pad_s` of sound is
    kept on both sides; `longest_s` is never passed.
    """

    enter: float = 0.5
    stay: float = 0.35
    pause_s: float = 0.7
    pad_s: float = 0.3
    longest_s: float = 15.0


@dataclass(slots=True)
class Segmenter:
    """Feed frames to `push`; it gives an utterance when one is complete. `finish` gives the last."""

    limits: Limits = field(default_factory=Limits)
    _frames: deque[tuple[bytes, float]] = field(default_factory=deque)  # (PCM, energy): the utterance, or its lead-in
    _first: int = 0  # index in the stream of _frames[0]
    _last_speech: int | None = None  # index in the stream; None outside speech

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self._last_speech is not None

    @property
    def start(self) -> float:
        """Where the current utterance, or the lead-in of the next one, begins."""
        return self._first * FRAME_S

    @property
    def sound(self) -> bytes:
        """The current utterance so far: no more than it would have if nothing else were said."""
        if self._last_speech is None:
            return b""
        most = self._last_speech + 1 + _frames(self.limits.pad_s) - self._first
        return b"".join(frame for frame, _ in islice(self._frames, most))

    def push(self, frame: bytes, probability: float) -> Utterance | None:
        """Take 512 samples and the probability that they hold speech."""
        self._frames.append((frame, _energy(frame)))
        now = self._first + len(self._frames) - 1
        if probability >= (self.limits.stay if self.speaking else self.limits.enter):
            self._last_speech = now
        if self._last_speech is None:
            self._keep_last(_frames(self.limits.pad_s))
            return None
        if now - self._last_speech >= _frames(self.limits.pause_s):
            return self._close(self._last_speech + 1 + _frames(self.limits.pad_s))
        if len(self._frames) >= _frames(self.limits.longest_s):
            return self._cut()
        return None

    def finish(self) -> Utterance | None:
        """End the stream: return the utterance that was still going on."""
        if self._last_speech is None:
            return None
        return self._close(self._first + len(self._frames))

    def _close(self, end: int) -> Utterance:
        """End the utterance before the frame with index `end`; what follows is lead-in for the next."""
        self._last_speech = None
        done = self._take(end - self._first, cut=False)
        self._keep_last(_frames(self.limits.pad_s))
        return done

    def _cut(self) -> Utterance:
        """End the utterance at the quietest place of its second half and go on from there."""
        energies = [energy for _, energy in self._frames]
        half = len(energies) // 2
        # Five frames, 0.16 s: shorter than that is a stop consonant rather than a gap between words.
        quietest = min(range(half, len(energies) - 4), key=lambda at: (sum(energies[at : at + 5]), -at))
        return self._take(quietest + 2, cut=True)

    def _take(self, count: int, *, cut: bool) -> Utterance:
        """Hand over the first `count` frames."""
        start = self.start
        taken = [self._frames.popleft()[0] for _ in range(min(count, len(self._frames)))]
        self._first += len(taken)
        return Utterance(start, b"".join(taken), cut)

    def _keep_last(self, count: int) -> None:
        """Forget all but the last `count` frames."""
        while len(self._frames) > count:
            self._frames.popleft()
            self._first += 1


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_S)


def _energy(frame: bytes) -> float:
    """Mean square of a frame."""
    import numpy as np

    samples = np.frombuffer(frame, "<i2").astype(np.float32)
    return float(np.dot(samples, samples)) / max(1, len(samples))
