"""A survey of every lowvox of this user that runs now: what each holds, from its file, and what it takes, measured.

Works from any process. Renders nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lowvox.memory import meter, processes, running
from lowvox.memory.attribution import Line, attribute
from lowvox.types import Usage

if TYPE_CHECKING:
    from lowvox.memory.running import TreeState
    from lowvox.types import Holding


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One process tree: bytes in all, and who holds them; `lines` add up to `usage.pss`."""

    pid: int
    command: str
    budget: int | None
    shared: bool
    reserved: int
    usage: Usage
    lines: tuple[Line, ...]


def survey() -> tuple[Snapshot, ...]:
    """Look at every lowvox that runs, by process number."""
    found = (_snapshot(state) for state in running.running())
    return tuple(snapshot for snapshot in found if snapshot.usage.pss)


def _snapshot(state: TreeState) -> Snapshot:
    usages = {pid: meter.usage(pid) for pid in meter.tree(state.pid) if not processes.is_starting(pid)}
    return Snapshot(
        state.pid,
        state.command,
        state.budget,
        state.shared,
        state.reserved,
        Usage(*(sum(getattr(usage, name) for usage in usages.values()) for name in Usage.__slots__)),
        attribute(usages, _holdings(state), state.base),
    )


def _holdings(state: TreeState) -> list[Holding]:
    """Return what it holds; its file is as old as its last change, since when what was idle has stayed idle."""
    now = time.time()
    return [
        replace(holding, idle_s=holding.idle_s + max(0.0, now - claim.when)) if holding.status == "idle" else holding
        for claim in state.claims.values()
        for holding in claim.holdings
    ]
