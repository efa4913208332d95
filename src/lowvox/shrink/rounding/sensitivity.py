"""Which nodes of a graph cost most when they are rounded, and which to leave alone so that a result is near enough.

Each node is rounded alone and what the graph gives is compared: signal over difference in dB, the higher the nearer.
Knows nothing of how nodes are rounded; what rounds them is handed in.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from lowvox.errors import UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.rounding import qdq
from lowvox.shrink.rounding.calibrate import SEED
from lowvox.shrink.trials import distance
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    import onnx
    from lowvox.shrink.rounding.qdq import Range

    Sample = Mapping[str, NDArray[Any]]
    # Rounds the nodes that are named.
    Make = Callable[[Collection[str]], onnx.ModelProto]

TRIED = 8  # samples; more change the order of nodes little


def layers(
    original: onnx.ModelProto, ranges: Mapping[str, Range], samples: Iterable[Sample], nodes: Sequence[str]
) -> list[tuple[str, float]]:
    """Return each node with the signal over difference, in dB, where it alone is rounded: the costliest first."""

    def make(wanted: Collection[str]) -> onnx.ModelProto:
        return qdq.rounded(original, ranges, wanted)

    return ranked(original, make, samples, nodes)


def ranked(
    original: onnx.ModelProto, make: Make, samples: Iterable[Sample], nodes: Sequence[str]
) -> list[tuple[str, float]]:
    """Return the same for any way of rounding."""
    tried = list(islice(samples, TRIED))
    expected = list(outputs(original, tried))
    found = [(node, distance.signals(expected, outputs(make([node]), tried))) for node in nodes]
    return sorted(found, key=lambda each: each[1])


def search(
    original: onnx.ModelProto, make: Make, samples: Iterable[Sample], nodes: Sequence[str], floor: float
) -> tuple[list[str], list[tuple[str, float]]]:
    """Return which nodes to leave alone so that the signal lies `floor` dB over the difference, and all as `ranked`.

    The costliest are left alone, as few as will do. UsageError where even the cheapest alone is too much.
    """
    tried = list(islice(samples, TRIED))
    expected = list(outputs(original, tried))

    def near(left: int) -> bool:
        told = [node for node in nodes if node not in {name for name, _ in order[:left]}]
        return distance.signals(expected, outputs(make(told), tried)) >= floor

    order: list[tuple[str, float]] = []
    if near(0):
        return [], []
    order = ranked(original, make, tried, nodes)
    least, most = 0, len(order)  # `least` is too few, `most` may be enough
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if near(middle) else (middle, most)
    if most == len(order):
        best = max(level for _, level in order)
        raise UsageError(f"Nothing can be rounded at {floor:g} dB: the cheapest node alone gives {best:.1f}.")
    return [node for node, _ in order[:most]], order


def outputs(model: onnx.ModelProto | Path, samples: Iterable[Sample]) -> Iterator[list[NDArray[Any]]]:
    """Yield what a graph gives for each sample; what it draws itself is drawn from the same seed."""
    source = bytes(model.SerializeToString()) if hasattr(model, "SerializeToString") else model
    session = Session(source, Profile("varied"), seed=SEED)
    try:
        for sample in samples:
            yield session.run(sample)
    finally:
        session.close()
