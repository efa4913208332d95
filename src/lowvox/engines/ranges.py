"""How far a voice's numbers may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What any voice on ONNX Runtime takes; `noise` and `noise_w` are those of a VITS voice.
SPOKEN = {"rate": (0.5, 4.0), "volume": (0.0, 2.0)}
VITS = {**SPOKEN, "noise": (0.0, 2.0), "noise_w": (0.0, 2.0)}


def check(ranges: Mapping[str, tuple[float, float]], **numbers: float | None) -> None:
    """Raise UsageError for a number out of its range; None, the voice's own, is in any."""
    for name, value in numbers.items():
        low, high = ranges[name]
        if value is not None and not low <= value <= high:
            raise UsageError(f"The {name} must be from {low:g} to {high:g}, not {value:g}.")
