"""Inputs for a graph from disk: to measure ranges on, and others to judge the result by.

They are read one at a time, whatever their number (see `npz`), and known by their content. Knows nothing of what they
mean.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import NotFoundError, UsageError
from lowvox.shrink.rounding import npz
from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    import onnx

    Sample = Mapping[str, NDArray[Any]]

_KEPT_BACK = 5  # every one of so many is kept back for judging


@dataclass(frozen=True, slots=True)
class Wanted:
    """An input of a graph: its type, and its axes, None where any length will do."""

    dtype: np.dtype[Any]
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples that lie at a path, gone through as often as one likes; `hashes` has the content of each."""

    path: Path
    inputs: Mapping[str, Wanted]
    hashes: Mapping[int, str]

    def __iter__(self) -> Iterator[Sample]:
        for at, (_, sample) in enumerate(npz.each(self.path, self.inputs)):
            if at in self.hashes:
                yield sample

    def __len__(self) -> int:
        return len(self.hashes)


def read(path: Path, model: onnx.ModelProto) -> Samples:
    """Find samples for a graph and check each.

    NotFoundError where there are none, DamagedError for a file that cannot be read, UsageError for one whose arrays do
    not fit the graph's inputs or hold what is no number.
    """
    inputs = {given.name: _wanted(given) for given in model.graph.input}
    hashes = {}
    with closing(npz.each(path, inputs)) as found:
        for at, (name, sample) in enumerate(found):
            _check(name, sample, inputs)
            hashes[at] = _hash(sample)
    if not hashes:
        raise NotFoundError(f"There are no samples in {path}; put one .npz file there for each.")
    return Samples(path, inputs, hashes)


def parted(samples: Samples) -> tuple[Samples, Samples]:
    """Keep every fifth of several samples back; return those to measure ranges on and those to judge by.

    Samples that are alike stay together. UsageError where fewer than two differ.
    """
    different = list(dict.fromkeys(samples.hashes.values()))
    if len(different) < 2:
        raise UsageError(f"{samples.path} has one sample; give more, or others to judge by with --evaluate.")
    kept = set(different[1::_KEPT_BACK])
    back = {at: each for at, each in samples.hashes.items() if each in kept}
    rest = {at: each for at, each in samples.hashes.items() if each not in kept}
    return replace(samples, hashes=rest), replace(samples, hashes=back)


def apart(calibration: Samples, evaluation: Samples) -> None:
    """Raise UsageError where a sample is in both: a range that was measured on it would always fit it."""
    if both := set(calibration.hashes.values()) & set(evaluation.hashes.values()):
        raise UsageError(
            f"{len(both)} of the samples in {evaluation.path} are in {calibration.path} as well; judge by others."
        )


def _wanted(given: onnx.ValueInfoProto) -> Wanted:
    told = given.type.tensor_type
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(told.elem_type))
    if not told.HasField("shape"):
        return Wanted(dtype, None)
    return Wanted(dtype, tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in told.shape.dim))


def _check(name: str, sample: Sample, inputs: Mapping[str, Wanted]) -> None:
    """Raise UsageError where a sample does not fit the inputs of the graph."""
    for given, wanted in inputs.items():
        if given not in sample:
            raise UsageError(f"{name} has no array {given!r}, which the graph takes; it takes {', '.join(inputs)}.")
        value = sample[given]
        if value.dtype != wanted.dtype:
            raise UsageError(f"{name}: {given!r} is of {value.dtype}, and the graph takes {wanted.dtype}.")
        if not _fits(value.shape, wanted.shape):
            raise UsageError(f"{name}: {given!r} has the shape {_told(value.shape)}, not {_told(wanted.shape or ())}.")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise UsageError(f"{name}: {given!r} has values that are no numbers; leave that sample out.")


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...] | None) -> bool:
    if wanted is None:
        return True
    alike = len(shape) == len(wanted) and all(shape)
    return alike and all(asked in (None, found) for found, asked in zip(shape, wanted, strict=False))


def _told(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('any' if dim is None else str(dim) for dim in shape)}]"


def _hash(sample: Sample) -> str:
    told = hashlib.sha256()
    for name, value in sorted(sample.items()):
        told.update(f"{name} {value.dtype.str} {value.shape} ".encode())
        told.update(np.ascontiguousarray(value).data)
    return told.hexdigest()
