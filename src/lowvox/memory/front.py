"""The front of peak against speed: the ways to run a model of which none is both smaller and as fast as another.

Pure. Figures that differ by less than they do from one measuring to the next count as equal. Knows nothing of how they
were measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.types import Profile

# Of a peak: from one measuring to the next it differs by 0.03 to 1.3 % (benchmarks/tune.py), time by far more.
SAME_PEAK = 0.01


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run a model as it was measured: `peak` in bytes, `rtf` is the time of a run over that of its sound."""

    profile: Profile
    peak: int
    rtf: float


def front(ways: Sequence[Way], tolerance: float) -> tuple[Way, ...]:
    """Return the best ways, the fastest first: each is smaller than all before it, and slower.

    Times that differ by less than the share `tolerance` are equal, and the smaller peak wins; of equal peaks the way
    that comes first in `ways`.
    """
    left, found = list(ways), []
    while left:
        quickest = min(way.rtf for way in left)
        alike = [way for way in left if way.rtf <= quickest * (1 + tolerance)]
        least = min(way.peak for way in alike)
        best = next(way for way in alike if way.peak <= least * (1 + SAME_PEAK))
        found.append(best)
        left = [way for way in left if way.peak < best.peak * (1 - SAME_PEAK)]
    return tuple(found)


def by_threads(ways: Sequence[Way], tolerance: float) -> tuple[Way, ...]:
    """Return the front of each number of threads: what is left of them for whoever may have fewer has the best."""
    counts = sorted({way.profile.threads for way in ways})
    groups = ([way for way in ways if way.profile.threads == count] for count in counts)
    return tuple(way for group in groups for way in front(group, tolerance))
