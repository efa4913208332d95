"""The budget: how many bytes the whole of lowvox may take, as its user states it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lowvox.errors import UsageError
from lowvox.memory import meter

_UNITS = {"": 2**20, "k": 2**10, "m": 2**20, "g": 2**30}
_SIZE = re.compile(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*(?:([kmg])(?:i?b)?)?\s*", re.IGNORECASE)
# `auto` leaves this share of the free memory to everything else on the machine.
_RESERVE = 0.2


@dataclass(frozen=True, slots=True)
class Budget:
    """`bytes` of PSS, summed over lowvox's processes."""

    bytes: int

    @classmethod
    def parse(cls, text: str | float | Budget) -> Budget:
        """Read "300 MB", "0.5GB", "300" (MB of 2^20 bytes) or "auto"; UsageError when it is none of these."""
        if isinstance(text, Budget):
            return text
        if str(text).strip().lower() == "auto":
            return cls(int(meter.available() * (1 - _RESERVE)))
        match = _SIZE.fullmatch(str(text))
        if not match or not float(match[1]):
            raise UsageError(f"{text!r} is not a memory size: write it as 300MB, 1.5GB or auto.")
        return cls(int(float(match[1]) * _UNITS[(match[2] or "").lower()]))

    def __str__(self) -> str:
        return f"{self.bytes / 2**20:.0f} MB"
