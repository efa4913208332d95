"""How far the arrays of two networks are from each other, over several inputs. Knows no torch.

A difference is told as a share of the largest number in the output where it is: an output of a thousand cannot be as
exact as one of a thousandth. Whole numbers and truth values have to be the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Values = Mapping[str, NDArray[Any]]
    Network = Callable[[Values], Sequence[NDArray[Any]]]

TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Distance:
    """What was found over `inputs` inputs, at worst: the difference, its share of the largest number, and the shapes.

    `share` is endless where an output has another shape, is no number, or is a whole number that differs; `where` names
    the output.
    """

    inputs: int
    difference: float
    share: float
    where: str
    shapes: tuple[dict[str, tuple[int, ...]], ...]


def distance(original: Network, converted: Network, inputs: Iterable[Values], names: Sequence[str]) -> Distance:
    """Run both over all inputs; `names` are those of the outputs."""
    furthest, most, where, shapes = 0.0, 0.0, "", []
    for given in inputs:
        shapes.append({name: value.shape for name, value in given.items()})
        for name, expected, found in zip(names, original(given), converted(given), strict=True):
            apart = _apart(expected, found)
            furthest = max(furthest, apart)
            share = apart / max(_largest(expected), 1e-9) if np.isfinite(apart) else apart
            if share > most:
                most, where = share, name
    return Distance(len(shapes), furthest, most, where, tuple(shapes))


def _apart(expected: NDArray[Any], found: NDArray[Any]) -> float:
    if expected.shape != found.shape or expected.dtype.kind != found.dtype.kind:
        return float("inf")
    if expected.dtype.kind != "f":
        return 0.0 if (expected == found).all() else float("inf")
    both = np.isnan(expected) & np.isnan(found) | (expected == found)  # endless numbers are equal too
    with np.errstate(invalid="ignore"):
        apart = np.where(both, 0.0, np.abs(expected.astype(np.float64) - found))
    most = float(apart.max(initial=0.0))
    return most if np.isfinite(apart).all() else float("inf")


def _largest(array: NDArray[Any]) -> float:
    whole = np.abs(array[np.isfinite(array)]) if array.dtype.kind == "f" else np.zeros(0)
    return float(whole.max(initial=0.0))
