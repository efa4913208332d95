"""What an ONNX file says of itself: its inputs and outputs, read without loading it.

The weights are skipped, so that a file of any size is looked at in no time. Knows no model.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.engines.pocket.protobuf import fields
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Numbers of fields in ONNX's messages, and its kinds of numbers by numpy's names.
_GRAPH = 7
_NODE, _INPUT, _OUTPUT = 1, 11, 12
_TYPES = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float16"}
_COPY, _COPY_BYTES = b"Identity", 1024  # no node that only copies takes more


@dataclass(frozen=True, slots=True)
class Given:
    """An input or output: `dtype` is numpy's name ("" for others), a size that is not fixed is None."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What a graph takes and gives, in its order; `copies` are outputs by the input that each is a copy of."""

    inputs: tuple[Given, ...]
    outputs: tuple[Given, ...]
    copies: Mapping[str, str]


def read(file: Path) -> Header:
    """Look at a file; DamagedError where it is no ONNX graph or is cut short."""
    try:
        with file.open("rb") as opened:
            return _header(memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)))
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise DamagedError(f"{file.name} is no ONNX graph or is cut short ({error}); copy or pull it again.") from error


def _header(whole: memoryview) -> Header:
    inputs: list[Given] = []
    outputs: list[Given] = []
    copies: dict[str, str] = {}
    for number, graph in fields(whole):
        if number != _GRAPH or isinstance(graph, int):
            continue
        for part, value in fields(graph):
            if isinstance(value, int):
                continue
            if part == _INPUT:
                inputs.append(_given(bytes(value)))
            elif part == _OUTPUT:
                outputs.append(_given(bytes(value)))
            elif part == _NODE and len(value) < _COPY_BYTES and _COPY in (node := bytes(value)):
                copies |= _copied(node)
    if not inputs or not outputs:
        raise ValueError("it takes or gives nothing")
    names = {given.name for given in inputs}
    return Header(tuple(inputs), tuple(outputs), {out: name for out, name in copies.items() if name in names})


def _given(data: bytes) -> Given:
    """Read a name, and below it the type of a tensor: what its numbers are, and its sizes."""
    found = _parts(data)
    tensor = _parts(_one(_parts(_one(found, 2)), 1))
    sizes = [_parts(size) for size in _parts(_one(tensor, 2)).get(1, []) if isinstance(size, bytes)]
    kind = tensor.get(1, [0])[0]
    fixed = [size.get(1, [None])[0] for size in sizes]
    return Given(
        _one(found, 1).decode(),
        _TYPES.get(kind, "") if isinstance(kind, int) else "",
        tuple(size if isinstance(size, int) and size >= 0 else None for size in fixed),
    )


def _copied(node: bytes) -> dict[str, str]:
    """Return the output of a node that copies, by what it copies; nothing for others."""
    found = _parts(node)
    if found.get(4) != [_COPY]:
        return {}
    return {_one(found, 2).decode(): _one(found, 1).decode()}


def _parts(data: bytes) -> dict[int, list[int | bytes]]:
    found: dict[int, list[int | bytes]] = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def _one(found: Mapping[int, list[int | bytes]], number: int) -> bytes:
    value = found.get(number, [b""])[0]
    return value if isinstance(value, bytes) else b""
