"""What each part of a split voice is given while sentences are spoken: samples to measure on, and to judge by.

They are held in memory: a few sentences are some megabytes. Knows nothing of rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.onnx.session import Session
from lowvox.shrink.rounding import calibrate
from lowvox.shrink.rounding import recipe as recipes
from lowvox.shrink.rounding.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.onnx.split import Split
    from lowvox.shrink.voices.split import Feeds

    Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Heard(Samples):
    """Samples of one part, `values`, that are in memory."""

    values: tuple[Values, ...] = ()

    def __iter__(self) -> Iterator[Values]:
        return iter(self.values)


def heard(folder: Path, told: Split, feeds: Feeds, lengths: Sequence[int]) -> dict[str, Heard]:
    """Speak a text of each of these `lengths` in symbols; return what each part is given, by the part's file."""
    sessions = [Session(folder / name, seed=calibrate.SEED) for name in told.files]
    found: dict[str, list[Values]] = {name: [] for name in told.files}
    try:
        for symbols in lengths:
            values = dict(feeds(symbols))
            for name, session in zip(told.files, sessions, strict=True):
                given = {each: values[each] for each in session.inputs}
                found[name].append(given)
                values |= zip(session.outputs, session.run(given), strict=True)
    finally:
        for session in sessions:
            session.close()
    return {name: _held(folder / name, each) for name, each in found.items()}


def _held(path: Path, values: Sequence[Values]) -> Heard:
    return Heard(path, {}, {at: _hash(each) for at, each in enumerate(values)}, tuple(values))


def _hash(values: Values) -> str:
    told = []
    for name, value in sorted(values.items()):
        told += [f"{name} {value.dtype.str} {value.shape} ".encode(), np.ascontiguousarray(value).tobytes()]
    return recipes.digest(b"".join(told))
