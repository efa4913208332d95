"""From blocks of sound to text: `segments` for what was recorded, `events` for what is being spoken.

Wires a VAD stream, the segmenter and a recogniser stream together. Knows no files, no devices, no budget and no engine.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from lowvox.audio.utterances import FRAME_BYTES, FRAME_S, Limits, Segmenter, Utterance
from lowvox.types import Event, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lowvox.types import RecognizerStream, VadStream, Word

# A partial result is asked for this often: 6 frames, 0.19 s.
_FRAMES_A_PARTIAL = 6


def limits(sensitivity: float, longest_s: float | None = None) -> Limits:
    """Return when speech begins and ends for a VAD sensitivity in [0, 1]; 0.5 is the network's own threshold."""
    enter = min(0.95, max(0.05, 1 - sensitivity))
    return Limits(enter=enter, stay=max(0.01, enter - 0.15), longest_s=longest_s or Limits().longest_s)


def segments(blocks: Iterable[bytes], vad: VadStream, recognizer: RecognizerStream, where: Limits) -> Iterator[Segment]:
    """Recognise a recording utterance by utterance; holds one utterance at a time."""
    for utterance in utterances(blocks, vad, where):
        recognizer.accept(utterance.pcm)
        if found := _segment(utterance, recognizer.finish()):
            yield found


def utterances(blocks: Iterable[bytes], vad: VadStream, where: Limits) -> Iterator[Utterance]:
    """Find the utterances in a recording."""
    segmenter = Segmenter(where)
    for frame in frames(blocks):
        if utterance := segmenter.push(frame, vad.probability(frame)):
            yield utterance
    if utterance := segmenter.finish():
        yield utterance


def events(
    blocks: Iterable[bytes],
    vad: VadStream,
    recognizer: RecognizerStream,
    where: Limits,
    clock: Callable[[], float] = time.monotonic,
    since: Callable[[], float | None] = lambda: None,
) -> Iterator[Event]:
    """Recognise live sound: partials while somebody speaks, a final at each pause and at the end.

    `lag_s` is counted from the moment at which the last sample that the event rests on was heard. A final without
    text says that a partial came to nothing. `since` tells when the sound began, where it waited before it came here.
    """
    segmenter = Segmenter(where)
    hearing = _Hearing(recognizer)
    begun = heard = 0.0

    def event(kind: Literal["partial", "final"], text: str, start: float, segment: Segment | None = None) -> Event:
        return Event(kind, text, start, max(0.0, clock() - begun - heard), segment)

    for count, frame in enumerate(frames(blocks), start=1):
        begun = begun or (since() or clock()) - FRAME_S
        heard = count * FRAME_S
        if done := segmenter.push(frame, vad.probability(frame)):
            found = hearing.final(done)
            yield event("final", found.text, found.start, found)
        elif segmenter.speaking and count % _FRAMES_A_PARTIAL == 0 and (text := hearing.partial(segmenter.sound)):
            yield event("partial", text, segmenter.start)
    if done := segmenter.finish():
        found = hearing.final(done)
        yield event("final", found.text, found.start, found)


def frames(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut blocks of any length into frames of 512 samples; the last one is filled up with silence."""
    rest = b""
    for block in blocks:
        rest += block
        whole = len(rest) - len(rest) % FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            yield rest[at : at + FRAME_BYTES]
        rest = rest[whole:]
    if rest:
        yield rest.ljust(FRAME_BYTES, b"\0")


class _Hearing:
    """How much of the current utterance the recogniser has, and what it said of it last."""

    def __init__(self, recognizer: RecognizerStream) -> None:
        self._recognizer = recognizer
        self._given = 0  # bytes
        self._text = ""

    def partial(self, sound: bytes) -> str | None:
        """Give it the utterance so far; return its words if they have changed."""
        if len(sound) <= self._given:
            return None
        self._recognizer.accept(sound[self._given :])
        self._given = len(sound)
        before, self._text = self._text, self._recognizer.partial()
        return self._text if self._text != before else None

    def final(self, utterance: Utterance) -> Segment:
        """End the utterance; without words the segment is empty."""
        if self._given > len(utterance.pcm):
            # It was cut, and the recogniser has sound that belongs to the next one.
            self._recognizer.discard()
            self._given = 0
        self._recognizer.accept(utterance.pcm[self._given :])
        self._given, self._text = 0, ""
        return _segment(utterance, self._recognizer.finish()) or Segment(utterance.start, utterance.end, "")


def _segment(utterance: Utterance, words: Iterable[Word]) -> Segment | None:
    """Place words in the stream; None when there are none."""
    placed = tuple(
        replace(word, start=round(utterance.start + word.start, 3), end=round(utterance.start + word.end, 3))
        for word in words
    )
    if not placed:
        return None
    return Segment(placed[0].start, placed[-1].end, " ".join(word.word for word in placed), placed)
