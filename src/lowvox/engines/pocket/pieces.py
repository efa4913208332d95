"""Cutting text into the pieces of a vocabulary: the most probable ones (unigram), or by merging pairs (BPE).

Exact to the last bit with the libraries that made the vocabularies: where two ways are as good as each other, the same
one is taken. Knows no file format and nothing of what is done to text beforehand.
"""

from __future__ import annotations

from array import array
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_UNKNOWN_COSTS = 10.0  # more than the least probable piece

# A piece of text and its id; None for what the vocabulary does not have.
Piece = tuple[str, int | None]


class Unigram:
    """The most probable pieces of a text.

    `ids` are the pieces that may be found, `scores` by id, `least` the score of the least probable. `kind` is the
    precision in which sums are kept: "f" or "d".
    """

    def __init__(self, ids: dict[str, int], scores: Sequence[float], least: float, kind: str) -> None:
        self._ids, self._scores, self._kind = ids, scores, kind
        self._unknown = array(kind, [least - _UNKNOWN_COSTS])[0]
        self._longest = max(map(len, ids), default=1)

    def cut(self, text: str) -> list[Piece]:
        """Return the pieces of a text; one of a single character that is unknown has no id."""
        best, begins = array(self._kind, [0.0]) * (len(text) + 1), array("q", [-1]) * (len(text) + 1)
        sums = array(self._kind, [0.0])  # which rounds: what is compared is rounded first
        for begin in range(len(text)):
            so_far = best[begin]
            single = False
            for end in range(begin + 1, min(len(text), begin + self._longest) + 1):
                found = self._ids.get(text[begin:end])
                if found is None:
                    continue
                single = single or end == begin + 1
                sums[0] = self._scores[found] + so_far
                if begins[end] < 0 or sums[0] > best[end]:
                    best[end], begins[end] = sums[0], begin
            sums[0] = self._unknown + so_far
            if not single and (begins[begin + 1] < 0 or sums[0] > best[begin + 1]):
                best[begin + 1], begins[begin + 1] = sums[0], begin
        return [(piece, self._ids.get(piece)) for piece in _path(text, begins)]


def _path(text: str, begins: Sequence[int]) -> list[str]:
    """Return the pieces of the best way, found from its end."""
    found, end = [], len(text)
    while end:
        found.append(text[begins[end] : end])
        end = begins[end]
    return found[::-1]


def merged(symbols: list[str], rank: Callable[[str, str], float | None], frozen: Iterable[int] = ()) -> list[str]:
    """Merge neighbours, those of the lowest rank first and the leftmost of equals, until no pair has one.

    `frozen` are the places of symbols that stay as they are.
    """
    fixed = frozenset(frozen)
    before, after = list(range(-1, len(symbols) - 1)), [*range(1, len(symbols)), -1]
    queue: list[tuple[float, int, int, int]] = []

    def offer(left: int, right: int) -> None:
        if min(left, right) < 0 or left in fixed or right in fixed:
            return
        if (found := rank(symbols[left], symbols[right])) is not None:
            heappush(queue, (found, left, right, len(symbols[left]) + len(symbols[right])))

    for left in range(len(symbols) - 1):
        offer(left, left + 1)
    heapify(queue)
    while queue:
        _, left, right, size = heappop(queue)
        if not symbols[left] or not symbols[right] or len(symbols[left]) + len(symbols[right]) != size:
            continue
        symbols[left] += symbols[right]
        symbols[right] = ""
        after[left] = after[right]
        if after[left] >= 0:
            before[after[left]] = left
        offer(before[left], left)
        offer(left, after[left])
    return [symbol for symbol in symbols if symbol]


def fused(pieces: Iterable[Piece], spell: Callable[[str], list[int] | None], unknown: int | None) -> list[int]:
    """Return the ids of pieces: what is unknown is spelt where it can be, else one id stands for all of a run of it."""
    ids: list[int] = []
    run = False
    for piece, found in pieces:
        spelt = [found] if found is not None else spell(piece)
        if spelt is not None:
            ids += spelt
        elif unknown is not None and not run:
            ids.append(unknown)
        run = spelt is None
    return ids
