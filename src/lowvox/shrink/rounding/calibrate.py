"""The ranges of a graph's values, measured on samples in memory that does not grow with their number.

The smallest and largest values are found by the graph itself, one sample at a time. Where a range is to be cut, a
second turn counts values in a fixed number of bins between these, as many values at a time as fit into a stated size.
Knows nothing of how samples are stored or what is done with the ranges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

import onnx
from lowvox.errors import UsageError
from lowvox.onnx.session import Session
from lowvox.shrink.nodes import rebuilt
from lowvox.shrink.rounding import thresholds
from lowvox.types import Profile
from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.shrink.rounding.qdq import Range

    Sample = Mapping[str, NDArray[Any]]

Method = Literal["minmax", "percentile", "entropy"]
METHODS: tuple[Method, ...] = ("minmax", "percentile", "entropy")
PERCENTILE = 99.99
SEED = 7  # of what a graph draws itself
BINS = 2048
GROUP = 128 * 2**20  # bytes of values that are held at once
_PIECE = 2**16
_REDUCED = ("ReduceMin", "ReduceMax", "ReduceSum", "Size")


def ranges(
    model: onnx.ModelProto,
    samples: Iterable[Sample],
    names: Sequence[str],
    method: Method = "minmax",
    percentile: float = PERCENTILE,
) -> dict[str, Range]:
    """Return the range of each value that is named; `samples` are gone through several times.

    "minmax" holds every value, "percentile" so many per cent of them, "entropy" those that 256 levels tell most with.
    UsageError where there are no samples, or the graph makes of them what is no number.
    """
    found, sizes = _extremes(model, samples, names)
    if method == "minmax":
        return found
    cut: dict[str, Range] = {}
    for group in _groups(sizes):
        for name, counts in _counted(model, samples, {each: found[each] for each in group}).items():
            low, high = found[name]
            if method == "entropy":
                cut[name] = thresholds.entropy(counts, low, high)
            else:
                cut[name] = thresholds.percentile(counts, low, high, percentile)
    return {name: cut[name] for name in found}


def _extremes(
    model: onnx.ModelProto, samples: Iterable[Sample], names: Sequence[str]
) -> tuple[dict[str, Range], dict[str, int]]:
    """Return smallest and largest value by name, and the most bytes that each takes."""
    if not names:
        return {}, {}
    asked = [f"{operator}/{at}" for at in range(len(names)) for operator in _REDUCED]
    nodes = [
        helper.make_node(operator, [name], [f"{operator}/{at}"], **({} if operator == "Size" else {"keepdims": 0}))
        for at, name in enumerate(names)
        for operator in _REDUCED
    ]
    table = np.empty((len(names), 3))
    table[:] = np.inf, -np.inf, 0
    for at, values in enumerate(_run(_asking(model, nodes, asked), samples)):
        low, high, total, size = np.array(values, np.float64).reshape(len(names), len(_REDUCED)).T
        _are_numbers(names, total, at)
        table[:, 0] = np.minimum(table[:, 0], low)
        table[:, 1] = np.maximum(table[:, 1], high)
        table[:, 2] = np.maximum(table[:, 2], 4 * size)
    if not np.isfinite(table).all():
        raise UsageError("There are no samples to measure ranges on; name a folder that has some.")
    rows = list(zip(names, table.tolist(), strict=True))
    return {name: (low, high) for name, (low, high, _) in rows}, {name: int(size) for name, (*_, size) in rows}


def _are_numbers(names: Sequence[str], totals: NDArray[np.float64], at: int) -> None:
    for name in np.array(names)[~np.isfinite(totals)]:
        raise UsageError(f"The graph makes of sample {at + 1} what is no number, in {name!r}; leave that sample out.")


def _groups(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Put values together that take no more than `GROUP` bytes; a larger one is alone."""
    group: list[str] = []
    held = 0
    for name, size in sizes.items():
        if group and held + size > GROUP:
            yield group
            group, held = [], 0
        group.append(name)
        held += size
    if group:
        yield group


def _counted(
    model: onnx.ModelProto, samples: Iterable[Sample], between: Mapping[str, Range]
) -> dict[str, NDArray[np.int64]]:
    """Count values evenly between their smallest and largest."""
    nodes = [helper.make_node("Identity", [name], [f"value/{at}"]) for at, name in enumerate(between)]
    counts = {name: np.zeros(BINS, np.int64) for name in between}
    for values in _run(_asking(model, nodes, [node.output[0] for node in nodes]), samples):
        while values:  # each goes as soon as it was counted
            (name, (low, high)), value = list(between.items())[len(values) - 1], values.pop()
            _count(counts[name], value.ravel(), low, high)
    return counts


def _count(counts: NDArray[np.int64], values: NDArray[Any], low: float, high: float) -> None:
    """Add values to counts, a piece at a time: quicker than numpy's histogram by half, which finds edges exactly."""
    by = np.float32(BINS / (high - low) if high > low else 0)
    for at in range(0, len(values), _PIECE):
        bins = ((values[at : at + _PIECE] - np.float32(low)) * by).astype(np.int32)
        np.clip(bins, 0, BINS - 1, out=bins)
        counts += np.bincount(bins, minlength=BINS)


def _asking(model: onnx.ModelProto, nodes: list[onnx.NodeProto], asked: Sequence[str]) -> bytes:
    """Return a graph that gives only what is asked of it."""
    built = rebuilt(model, [*model.graph.node, *nodes], model.graph.initializer)
    del built.graph.output[:]
    built.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in asked)
    return bytes(built.SerializeToString())


def _run(graph: bytes, samples: Iterable[Sample]) -> Iterator[list[NDArray[Any]]]:
    # Samples differ in length, and a layout for each length would stay in memory.
    session = Session(graph, Profile("varied"), seed=SEED)
    try:
        for sample in samples:
            yield session.run(sample)
    finally:
        session.close()
