"""Engines whose memory stays for a while: addressed as "replicas.hoarding:Heap" with tests on PYTHONPATH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replicas.naughty import Engine

if TYPE_CHECKING:
    from lowvox.types import Model, Profile

_last: list[bytes] = []


class Heap(Engine):
    """Frees all but the last of many pieces, which keeps the C library from giving back what lies below it."""

    def load(self, model: Model, profile: Profile) -> Engine:
        """Take 32 MB in small pieces."""
        pieces = [bytes([1]) * 8192 for _ in range(4096)]
        _last[:] = pieces[-1:]
        return super().load(model, profile)


class Circular(Engine):
    """Refers to itself."""

    def load(self, model: Model, profile: Profile) -> Engine:
        """Close the circle."""
        self.me = self
        return super().load(model, profile)
