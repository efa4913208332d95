"""Memory: what is counted (meter), what is allowed (budget), what is known (ledger), and who holds it (manager).

    counted   meter, processes, glance, attribution, survey
    allowed   budget, pressure, limit; of a budget that is shared: share, trees, running, lock
    known     ledger, footprints, batch; measured by measure, with workload, listening, gauge, line
    planned   planner, with options, search, tradeoffs
    held      manager, keeper, home, lending, permits, holder, growth, keeping;
              decided by transition, in the words of residency
    worker    worker, child, turns, wire, shared_audio, remote, obituary; inside it hosting; allocator
    watched   monitor, rings, history, alerts
    leaks     leaks, cycles, exercise
    names     compat, compat_pool, compat_batch, compat_watch, pool: what memory guides call things

    from lowvox.memory import memory_efficient_context

Importing this package loads nothing heavy: each name below is fetched when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = [
    "Batch",
    "BatchSizeOptimizer",
    "Budget",
    "Limit",
    "MemoryMonitor",
    "MemoryPool",
    "Pool",
    "ReferenceCycleDetector",
    "best",
    "get_batch_optimizer",
    "get_cycle_detector",
    "get_memory_monitor",
    "get_memory_pool",
    "get_memory_stats",
    "limited",
    "log_memory_summary",
    "memory_efficient_context",
    "optimize_model_memory",
    "probe",
]

if TYPE_CHECKING:
    from lowvox.memory.batch import Batch, best, probe
    from lowvox.memory.budget import Budget
    from lowvox.memory.compat import (
        BatchSizeOptimizer,
        MemoryMonitor,
        MemoryPool,
        ReferenceCycleDetector,
        get_batch_optimizer,
        get_cycle_detector,
        get_memory_monitor,
        get_memory_pool,
        get_memory_stats,
        log_memory_summary,
        memory_efficient_context,
        optimize_model_memory,
    )
    from lowvox.memory.limit import Limit, limited
    from lowvox.memory.pool import Pool

_HOMES = {
    "Budget": "budget",
    "Pool": "pool",
    **dict.fromkeys(("Batch", "best", "probe"), "batch"),
    **dict.fromkeys(("Limit", "limited"), "limit"),
}


def __getattr__(name: str) -> object:
    """Fetch a public name from its home, once."""
    if name not in __all__:
        raise AttributeError(f"module 'lowvox.memory' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(f"lowvox.memory.{_HOMES.get(name, 'compat')}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    """Show the public names."""
    return __all__
