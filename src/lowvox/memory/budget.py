"""The budget: how many bytes the whole of lowvox may take, as its user states it.

Knows nothing of models: whether one fits is the planner's question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from reprlib import repr as short

from lowvox.errors import BudgetError, UsageError
from lowvox.memory import pressure
from lowvox.memory.meter import MB

_UNITS = {"": MB, "k": 2**10, "m": MB, "g": 2**30}
_SIZE = re.compile(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*(?:([kmg])(?:i?b)?)?\s*", re.ASCII | re.IGNORECASE)
_OTHERS = 0.2


@dataclass(frozen=True, slots=True)
class Budget:
    """`bytes` of PSS, summed over lowvox's processes.

    `shared` says that it was stated for every lowvox of this user, in the settings, and not for one of them.
    """

    bytes: int
    shared: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str | float | Budget, *, shared: bool = False) -> Budget:
        """Read "300 MB", "0.5GB", "300" (MB of 2^20 bytes) or "auto".

        UsageError when it is none of these, or more than the machine or the cgroup has; BudgetError when "auto" finds
        nothing to take.
        """
        if isinstance(text, Budget):
            return text
        if str(text).strip().lower() == "auto":
            return cls(automatic(pressure.read()), shared)
        match = _SIZE.fullmatch(str(text))
        stated = int(float(match[1]) * _UNITS[(match[2] or "").lower()]) if match else 0
        if not stated:
            raise UsageError(f"{short(str(text))} is not a memory size: write it as 300MB, 1.5GB or auto.")
        _check(stated, str(text).strip(), pressure.read())
        return cls(stated, shared)

    def __str__(self) -> str:
        return f"{self.bytes / MB:.1f}".removesuffix(".0") + " MB"


def automatic(now: pressure.Pressure) -> int:
    """Return the bytes that "auto" takes: what is free now, in the machine and the cgroup, less a reserve.

    A fifth of it is left for what other programs will want while lowvox runs, and never less than the reserve under
    which lowvox begins to give memory back: a budget beyond that could not be used in peace. BudgetError when nothing
    is left above that.
    """
    offered = min(left - max(pressure.reserve(whole), int(left * _OTHERS)) for left, whole in now.sides)
    if offered <= 0:
        raise BudgetError(
            f"There is nothing for `--budget auto` to take: {now.room / MB:.0f} MB of memory are free here and "
            f"{(now.room - offered) / MB:.0f} MB are kept for other programs; close something, or state a size.",
            needed=now.room - offered,
            budget=now.room,
        )
    return offered


def _check(stated: int, text: str, now: pressure.Pressure) -> None:
    """Refuse a budget that can never be there: what is over it would be swapped or killed, not refused."""
    if 0 < now.most < stated:  # 0: a sandbox that hides what the machine has
        who = "this machine has" if now.limit is None else "the limit of this container or cgroup allows"
        raise UsageError(
            f"A budget of {text} is more than {who} ({now.most / MB:.0f} MB): state less, or `--budget auto`."
        )
