"""Segments to subtitle cues: at most two lines of 42 characters and 7 seconds, never two at once, words kept whole.

Knows nothing of SRT or VTT. Times are whole milliseconds from here on: what is in order stays in order when written.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lowvox.types import Segment

# What broadcasters agree on: a viewer reads this much without losing the picture.
WIDTH = 42
LINES = 2
LONGEST_MS = 7000


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on the screen from `start` until `end`, both in milliseconds; `end` is always later."""

    start: int
    end: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as they are shown."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word as written, at most a line long, and when it is heard, in milliseconds."""

    text: str
    start: int
    end: int


def cues(segments: Iterable[Segment]) -> Iterator[Cue]:
    """Yield the cues of segments in order; holds one segment at a time."""
    free = 0
    for segment in segments:
        for cue in _grouped(_pieces(segment)):
            # An engine's times may overlap or run backwards; what was shown first keeps its place.
            start = max(cue.start, free)
            free = min(max(cue.end, start + 1), start + LONGEST_MS)
            yield Cue(start, free, cue.lines)


def _grouped(pieces: Iterable[_Piece]) -> Iterator[Cue]:
    """Fill each cue with as many words as it may hold."""
    lines: tuple[str, ...] = ()
    start = end = 0
    for piece in pieces:
        longer = _with_word(lines, piece.text)
        if lines and (len(longer) > LINES or piece.end - start > LONGEST_MS):
            yield Cue(start, end, lines)
            lines = ()
        if not lines:
            longer, start, end = (piece.text,), piece.start, piece.end
        lines, end = longer, max(end, piece.end)
    if lines:
        yield Cue(start, end, lines)


def _with_word(lines: tuple[str, ...], word: str) -> tuple[str, ...]:
    """Put a word at the end of the last line, or on a new one where it does not fit."""
    if lines and len(lines[-1]) + 1 + len(word) <= WIDTH:
        return (*lines[:-1], f"{lines[-1]} {word}")
    return (*lines, word)


def _pieces(segment: Segment) -> Iterator[_Piece]:
    """Give each word of the segment's text its time; what is longer than a line is cut."""
    tokens = segment.text.split()
    if len(tokens) == len(segment.words):
        # Punctuation changes the case and the marks of a word, not the number of words.
        times = [(word.start, word.end) for word in segment.words]
    else:
        times = _spread([len(token) for token in tokens], segment.start, segment.end)
    for token, (start, end) in zip(tokens, times, strict=True):
        parts = [token[at : at + WIDTH] for at in range(0, len(token), WIDTH)]
        for part, (begins, ends) in zip(parts, _spread([len(part) for part in parts], start, end), strict=True):
            yield _Piece(part, max(0, round(begins * 1000)), max(0, round(ends * 1000)))


def _spread(lengths: list[int], start: float, end: float) -> list[tuple[float, float]]:
    """Share a time out by the number of characters."""
    borders = accumulate(lengths, initial=0)
    total = sum(lengths)
    return list(pairwise(start + (end - start) * border / total for border in borders)) if total else []
