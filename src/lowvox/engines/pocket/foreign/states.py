"""What the graphs of other people's exports of Pocket TTS hand from run to run: told apart by shapes and types.

A backbone's keys and values are whole there, with room for all positions: `[2, 1, positions, heads, size]` a layer, or
a pair of `[1, positions, heads, size]` or `[1, heads, positions, size]`. Beside them stand how many positions are
taken, as a number or as the length of an array. Knows no session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lowvox.engines.pocket.foreign.bundle import Kept
    from lowvox.engines.pocket.foreign.header import Given, Header

POSITIONS = 1000  # where a graph does not say how many
# Of a state: a broken file must not ask for memory without bounds.
_MOST, _MOST_NUMBERS = 2**16, 2**26


@dataclass(frozen=True, slots=True)
class State:
    """An input and the output that takes its place in the next run: of which `shape`, and filled with what at first.

    `copied`: the graph changes nothing in it; `grows`: it tells by its length how many positions are taken.
    """

    name: str
    out: str
    dtype: str
    shape: tuple[int, ...]
    fill: int
    copied: bool
    grows: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Keys and values of a backbone: the states that hold them, and along which axis the positions lie."""

    names: tuple[str, ...]
    axis: int
    capacity: int
    layers: int
    heads: int
    size: int


def states(
    header: Header, own: tuple[int, int], told: Mapping[str, Kept], *, stateful: bool = True
) -> tuple[State, ...]:
    """Return the states of a graph, which stand behind so many inputs and outputs of its `own`.

    `told` is what a bundle says of them. ValueError where inputs and outputs are no pairs, or are there and not wanted.
    """
    inputs, outputs = header.inputs[own[0] :], header.outputs[own[1] :]
    if len(inputs) != len(outputs) or bool(inputs) != stateful or len(header.inputs) < own[0]:
        raise ValueError(f"it takes {len(header.inputs)} arrays and gives {len(header.outputs)}")
    found = []
    for given, out in zip(inputs, outputs, strict=True):
        if given.dtype not in ("float32", "float16", "int64", "bool") or given.dtype != out.dtype:
            raise ValueError(f"{given.name} and {out.name} are no pair")
        kept = told.get(given.name)
        shape = _filled(given, kept.shape if kept else ())
        if not all(0 <= size <= _MOST for size in shape) or math.prod(shape) > _MOST_NUMBERS:
            raise ValueError(f"{given.name} is too large")
        copied = header.copies.get(out.name) == given.name
        grows = given.shape == (None,) and shape == (0,) and not copied
        found.append(State(given.name, out.name, given.dtype, shape, _begun(given, kept), copied, grows))
    return tuple(found)


def rows(found: tuple[State, ...]) -> Rows:
    """Find keys and values among the states of a backbone; ValueError where it has none, or anything unknown."""
    kept = [state for state in found if len(state.shape) >= 4 and state.dtype.startswith("float")]
    rest = [state for state in found if state not in kept]
    if strange := [state.name for state in rest if not (counts(state) or state.shape == (0,))]:
        raise ValueError(f"{strange[0]} is nothing that a backbone remembers")
    if not kept or len({(state.shape, state.dtype) for state in kept}) > 1:
        raise ValueError("it has no keys and values, or of several sizes")
    if not any(counts(state) or state.grows for state in rest):
        raise ValueError("it counts no positions")
    shape, names = kept[0].shape, tuple(state.name for state in kept)
    if len(shape) == 5 and shape[:2] == (2, 1):
        return Rows(names, 2, shape[2], len(kept), *shape[3:])
    if len(shape) == 4 and shape[0] == 1 and len(kept) % 2 == 0:
        axis = 1 if shape[1] >= shape[2] else 2  # there are more positions than heads
        return Rows(names, axis, shape[axis], len(kept) // 2, shape[3 - axis], shape[3])
    raise ValueError(f"its keys and values are {list(shape)}")


def counts(state: State) -> bool:
    """Whether a state is the number of positions that are taken."""
    return state.dtype == "int64" and state.shape in ((), (1,))


def _filled(given: Given, told: tuple[int, ...]) -> tuple[int, ...]:
    """Fix what a graph leaves open: as it was told, else none of what only has a length, all positions, or one."""
    rank = len(given.shape)
    if None in given.shape and len(told) == rank:
        return told
    batch = 1 if rank == 5 else 0
    usual = {1: 0 if given.dtype == "float32" else 1, 4: POSITIONS, 5: POSITIONS}.get(rank, 1)
    return tuple(
        size if size is not None else 1 if at == batch and rank > 1 else usual for at, size in enumerate(given.shape)
    )


def _begun(given: Given, kept: Kept | None) -> int:
    """Return what a state is full of at first: a flag is set, for it says "first", the rest is nothing.

    Exporters fill keys and values with NaN; what nothing was written to is never looked at, and zeros take no memory.
    """
    if kept and kept.fill in ("ones", "zeros"):
        return int(kept.fill == "ones")
    return int(given.dtype == "bool")
