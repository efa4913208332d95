"""Where a sentence may be cut that is too long for one run: memory follows the longest run, so that has a limit.

Knows no language: what is cut are characters or phonemes, and who hands them in counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Either a text or a list of phonemes.
_Sounds = TypeVar("_Sounds", bound=Sequence[str])
_MARKS = frozenset(",;:.!?…—–")


def parts(sounds: _Sounds, count: Callable[[_Sounds], int], most: int) -> Iterator[_Sounds]:
    """Cut a sentence until no part counts more than `most`; a single sound is never cut.

    Each time near the middle, behind a mark or else a space if there is one in the middle half.
    """
    if len(sounds) < 2 or count(sounds) <= most:
        yield sounds
        return
    cut = _middle(sounds)
    for half in (sounds[:cut], sounds[cut:]):
        yield from parts(half, count, most)  # type: ignore[arg-type, misc]  # a slice is of the same kind


def _middle(sounds: Sequence[str]) -> int:
    """Return how many sounds stand before the best cut."""
    size = len(sounds)

    def worth(cut: int) -> tuple[int, int]:
        before = sounds[cut - 1]
        inside = size <= 4 * cut <= 3 * size
        return (0 if inside and before in _MARKS else 1 if inside and before == " " else 2), abs(2 * cut - size)

    return min(range(1, size), key=worth)
