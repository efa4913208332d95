"""Where to cut the range of a value that was counted: what lies beyond is rounded to the end of the range.

A narrow range has small steps and cuts much, a wide one has large steps and cuts nothing. Knows histograms alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

_LEVELS = 256
_TRIED = 128  # ranges, evenly from an eighth of the whole one on
_LEAST = 1e-9  # of a share, so that what one side has and the other has not can be compared


def percentile(counts: Counts, low: float, high: float, kept: float) -> tuple[float, float]:
    """Return the range that holds `kept` per cent of what was counted evenly between `low` and `high`, and zero.

    As many are cut at one end as at the other.
    """
    edges = np.linspace(low, high, len(counts) + 1)
    shares = np.cumsum(counts) / max(counts.sum(), 1)
    cut = (100 - kept) / 200
    first, last = np.searchsorted(shares, [cut, 1 - cut], "left")
    return float(edges[first if cut > 0 else 0]), float(edges[min(last + 1, len(counts)) if cut > 0 else -1])


def entropy(counts: Counts, low: float, high: float) -> tuple[float, float]:
    """Return the range whose 256 levels tell most of what was counted evenly between `low` and `high`.

    By the divergence of Kullback and Leibler between what was counted, cut to a range that is as long on both sides of
    zero as there are values, and the same on 256 levels: as TensorRT calibrates.
    """
    edges = np.linspace(low, high, len(counts) + 1)
    counts = _without_zeros(counts, edges)
    furthest = max(abs(low), abs(high))
    best, found = np.inf, (low, high)
    for part in np.linspace(_LEVELS / len(counts), 1, _TRIED):
        first = int(np.searchsorted(edges, max(low, -part * furthest), "right")) - 1
        last = int(np.searchsorted(edges, min(high, part * furthest), "left"))
        if last - first >= _LEVELS and (lost := _divergence(counts, first, last)) < best:
            best, found = lost, (float(edges[first]), float(edges[last]))
    return found


def _without_zeros(counts: Counts, edges: NDArray[np.float64]) -> Counts:
    """Take no more around zero than beside it: a Relu makes many zeros, and every range has a level for just that."""
    at = int(np.clip(np.searchsorted(edges, 0.0, "right") - 1, 0, len(counts) - 1))
    beside = max(counts[max(at - 1, 0)] if at else 0, counts[at + 1] if at + 1 < len(counts) else 0)
    told = counts.copy()
    told[at] = min(told[at], beside)
    return told


def _divergence(counts: Counts, first: int, last: int) -> float:
    """Return what 256 levels from one bin to another lose."""
    inside = counts[first:last].astype(np.float64)
    cut = inside.copy()
    cut[0] += counts[:first].sum()
    cut[-1] += counts[last:].sum()
    starts = np.arange(_LEVELS) * len(inside) // _LEVELS
    widths = np.diff(np.append(starts, len(inside)))
    filled = cut > 0
    sums, bins = np.add.reduceat(inside, starts), np.add.reduceat(filled.astype(np.float64), starts)
    spread = np.where(filled, np.repeat(sums / np.maximum(bins, 1), widths), 0)
    if not spread.any():
        return float("inf")
    one, other = (np.maximum(each / each.sum(), _LEAST) for each in (cut, spread))
    return float((one * np.log(one / other)).sum())
