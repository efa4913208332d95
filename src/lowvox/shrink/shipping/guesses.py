"""Inputs for a graph of which nobody says what it takes: guessed by their types and shapes, several lengths of them.

Random numbers, small ones where they may be numbers of symbols. Knows no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import EngineError, UsageError
from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lowvox.onnx.session import Session

    Feeds = dict[str, NDArray[Any]]

# What a dimension may be that the graph leaves open, and the first of several such.
_LENGTHS, _FIRSTS = (16, 9, 5), (1, None)
_WANTED, _SYMBOLS = 3, 3


def feeds(model: Any, session: Session, name: str) -> list[Feeds]:
    """Return up to three different inputs that a graph takes, tried on its session.

    UsageError where none of the guesses is one.
    """
    found: list[Feeds] = []
    for given in _guesses(model):
        try:
            session.run(given)
        except EngineError:
            continue
        found.append(given)
        if len(found) == _WANTED:
            break
    if not found:
        raise UsageError(f"No inputs could be guessed that {name} takes; give some with --inputs FILE.npz.")
    return found


def _guesses(model: Any) -> Iterator[Feeds]:
    random = np.random.default_rng(0)
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [given for given in model.graph.input if given.name not in weights]
    # A single whole number may say how long something is, or which of several.
    for single in ("length", 1, 0):
        for first in _FIRSTS:
            for length in _LENGTHS:
                whole = length if single == "length" else int(single)
                yield {given.name: _value(given, length, first or length, whole, random) for given in inputs}


def _value(given: Any, length: int, first: int, whole: int, random: np.random.Generator) -> NDArray[Any]:
    kind = given.type.tensor_type
    dims = [dim.dim_value or (first if at == 0 else length) for at, dim in enumerate(kind.shape.dim)]
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
    if dtype.kind == "f":
        made = random.standard_normal(dims) if len(dims) > 1 else random.uniform(0.2, 1, dims)
        return np.asarray(made).astype(dtype)
    if dtype.kind == "b":
        return np.asarray(random.integers(0, 2, dims)).astype(dtype)
    return np.asarray(random.integers(0, _SYMBOLS, dims) if len(dims) > 1 else np.full(dims, whole)).astype(dtype)
