"""Keeping: how long an idle model stays in memory, as its user states it.

    "60m"                              all models, an hour after their last use
    "1h, synthesizer=0, silero-vad=-1" speech goes at once, the VAD stays for ever, the rest an hour

Knows no model: a name is a role or a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lowvox.errors import UsageError

if TYPE_CHECKING:
    from lowvox.types import Model

FOR_EVER = -1.0
_TIME = re.compile(r"(-1|\d{1,9}(?:\.\d{1,3})?)\s*([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Seconds after which what is idle is unloaded: 0 at once, -1 never. A model's own beat its role's."""

    usual: float = FOR_EVER
    named: dict[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | float) -> KeepAlive:
        """Read a time ("90", "60m", "1.5h", "0", "-1"), and times for roles or models as NAME=TIME, with commas."""
        usual, named = FOR_EVER, {}
        for piece in str(text).split(","):
            name, found, time = piece.rpartition("=")
            seconds = _seconds(time.strip(), str(text))
            if found and not name.strip():
                raise _wrong(str(text))
            if found:
                named[name.strip()] = seconds
            else:
                usual = seconds
        return cls(usual, named)

    def of(self, model: Model) -> float:
        """Return the seconds for a model."""
        return self.named.get(model.name, self.named.get(model.role, self.usual))


def _seconds(text: str, whole: str) -> float:
    match = _TIME.fullmatch(text)
    if match is None or (match[1] == "-1" and match[2]):
        raise _wrong(whole)
    return float(match[1]) * _SECONDS[match[2]]


def _wrong(text: str) -> UsageError:
    return UsageError(f'{text!r} is no keep-alive: write it as "60m", "0" or "-1" (for ever), or "60m, synthesizer=0".')
