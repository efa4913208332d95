"""The fields of a message of Google's protocol buffers. Knows nothing of what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Data = TypeVar("Data", bytes, memoryview)


def fields(data: Data) -> Iterator[tuple[int, int | Data]]:
    """Yield the fields of a message: numbers as int, all else as the bytes that it takes.

    ValueError or IndexError where the message is cut short or something else.
    """
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _number(data, at)
            yield tag >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, at = _number(data, at)
        if size is None or at + size > len(data):
            raise ValueError("it is cut short or something else")
        yield tag >> 3, data[at : at + size]
        at += size


def _number(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; returns it and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number in it has no end")
