"""Windows: a network that looks only so far to each side runs piece by piece and gives what it gives whole.

Every piece of a long input has the same length, so that one run takes the same memory whatever the length of the whole:
`window` frames whose output is kept, and on each side as many more as the network looks at. Padding with zeros would
not be exact at the ends, where the network itself pads; so the first piece begins where the whole does, and the last
is shifted to end where it ends. Knows no model: how far a network looks is found by `shrink.voices.reach`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reach:
    """How many frames before and behind its own a sample may depend on, and how many samples a frame becomes."""

    left: int
    right: int
    hop: int = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames [begin, end) of the whole go in; the output of [keep, upto) is kept."""

    begin: int
    end: int
    keep: int
    upto: int


class Frames(Protocol):
    """Something that has frames, which are asked for in order."""

    def between(self, begin: int, end: int) -> NDArray[Any]:
        """Return frames [begin, end)."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Frames that are all there, along an axis."""

    array: NDArray[Any]
    axis: int

    def between(self, begin: int, end: int) -> NDArray[Any]:
        """Return frames [begin, end)."""
        return self.array[(slice(None),) * self.axis + (slice(begin, end),)]


class Growing:
    """Frames along the last axis that are made when they are asked for, and forgotten when they are behind."""

    def __init__(self, made: Iterator[NDArray[Any]]) -> None:
        self._made = made
        self._first = 0
        self._held: NDArray[Any] | None = None

    def between(self, begin: int, end: int) -> NDArray[Any]:
        """Return frames [begin, end); none before `begin` can be asked for again."""
        import numpy as np

        held = next(self._made) if self._held is None else self._held[..., begin - self._first :]
        self._first = begin
        while begin + held.shape[-1] < end:
            held = np.concatenate([held, next(self._made)], -1)
        self._held = held
        return held[..., : end - begin]


def pieces(length: int, window: int, reach: Reach) -> Iterator[Piece]:
    """Cut `length` frames: what is kept of one piece begins where that of the one before ends."""
    whole = reach.left + window + reach.right
    done = 0
    while done < length:
        begin = max(0, min(done - reach.left, length - whole))
        end = min(begin + whole, length)
        upto = length if end == length else end - reach.right
        yield Piece(begin, end, done, upto)
        done = upto


def run(
    network: Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]],
    along: Mapping[str, Frames],
    fixed: Mapping[str, NDArray[Any]],
    length: int,
    window: int,
    reach: Reach,
) -> Iterator[NDArray[Any]]:
    """Run a network over `length` frames in pieces and yield what it gives of each, along its last axis.

    `along` holds the inputs that have frames, `fixed` the others.
    """
    for piece in pieces(length, window, reach):
        cut = {name: frames.between(piece.begin, piece.end) for name, frames in along.items()}
        made = network({**cut, **fixed})
        first = (piece.keep - piece.begin) * reach.hop
        # What a network adds behind the last frame's samples belongs to the end of the whole.
        last = None if piece.upto == length else (piece.upto - piece.begin) * reach.hop
        yield made[..., first:last]
