"""The names that memory guides of this field use, over lowvox's own parts: an example runs when its import is changed.

    from lowvox.memory import memory_efficient_context

    with memory_efficient_context(memory_limit_mb=500):
        ...

Thin: what a name does here, and where it keeps more or less than guides promise, is in docs/memory-names.md.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from lowvox.errors import UsageError
from lowvox.memory import allocator, limit, meter, pressure
from lowvox.memory.compat_batch import BatchSizeOptimizer, megabytes, stated
from lowvox.memory.compat_pool import MemoryPool
from lowvox.memory.compat_watch import MemoryMonitor, ReferenceCycleDetector
from lowvox.memory.meter import MB

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BatchSizeOptimizer",
    "MemoryMonitor",
    "MemoryPool",
    "ReferenceCycleDetector",
    "get_batch_optimizer",
    "get_cycle_detector",
    "get_memory_monitor",
    "get_memory_pool",
    "get_memory_stats",
    "log_memory_summary",
    "memory_efficient_context",
    "optimize_model_memory",
]

PROFILING = "LOWVOX_ENABLE_MEMORY_PROFILING"
_ON = ("1", "true", "yes", "on")
_OFF = ("", "0", "false", "no", "off")

_log = logging.getLogger("lowvox.memory")
_T = TypeVar("_T")


@contextmanager
def memory_efficient_context(
    memory_limit_mb: float | None = None, *, hard: bool = False
) -> Iterator[limit.Limit | None]:
    """Hold the process tree to a limit inside the block, by default the budget of the settings; see `limit.limited`.

    Inside, lowvox gives inputs in smaller pieces, then refuses work; `get_batch_optimizer` answers within the limit;
    the monitor runs. Raises BudgetError at entry when more is taken already, at the end when more was taken.
    """
    size = stated() if memory_limit_mb is None else megabytes(memory_limit_mb)
    monitor = get_memory_monitor()
    ours = not monitor._monitoring
    monitor.start_monitoring()
    try:
        with nullcontext() if size is None else limit.limited(size, hard=hard) as inside:
            yield inside
    finally:
        if ours:
            monitor.stop_monitoring()
        allocator.trim()


def optimize_model_memory(model: Any) -> int:
    """Give back what a model does not need for its work; return how many bytes came back.

    A torch module stops training: no gradients, and those that are there are dropped. A `Speech` or its manager unloads
    the models that nobody uses or has pinned. Whatever it is, freed memory goes back to the system. Nothing is made
    smaller: `lowvox shrink` does that.
    """
    before = limit.Limit.used()
    manager = getattr(model, "manager", model)
    if callable(getattr(model, "parameters", None)) and callable(getattr(model, "eval", None)):
        model.eval()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
            parameter.grad = None
    elif callable(getattr(manager, "holdings", None)):
        for holding in manager.holdings():
            if holding.status == "idle" and not holding.pinned:
                manager.unload(holding.model)
    allocator.trim()
    return max(0, before - limit.Limit.used())


def get_memory_stats() -> dict[str, dict[str, Any]]:
    """Return what pool, monitor and detector know, and what the process tree takes; in bytes."""
    monitor, detector = get_memory_monitor(), get_cycle_detector()
    return {
        "memory_pool": get_memory_pool().get_stats(),
        "memory_monitor": {
            "current_usage": monitor.get_current_memory_usage(),
            "peak_usage": monitor.get_peak_memory_usage(),
            "alerts": monitor.get_memory_alerts(),
        },
        "cycle_detector": {
            "tracked_objects": detector.get_tracked_count(),
            "cycles_detected": detector.cycles_detected,
        },
        "process_tree": {
            **asdict(meter.tree_usage()),
            "limit": limit.current() or stated(),
            "available": pressure.read().room,
        },
    }


def log_memory_summary() -> None:
    """Log them in a few lines, at level INFO of the logger `lowvox.memory`."""
    stats = get_memory_stats()
    tree, monitor, cycles = stats["process_tree"], stats["memory_monitor"], stats["cycle_detector"]
    size = tree["limit"]
    _log.info(
        "Memory: %.1f MB now, %.1f MB at the peak, %s; %.1f MB free.",
        tree["pss"] / MB,
        monitor["peak_usage"] / MB,
        "no limit" if size is None else f"limit {size / MB:.1f} MB",
        tree["available"] / MB,
    )
    get_memory_pool().log_stats()
    for alert in monitor["alerts"]:
        _log.warning("Memory alert: %s", alert)
    if cycles["cycles_detected"]:
        _log.warning("Reference cycles: %d objects so far.", cycles["cycles_detected"])


_lock = threading.Lock()
_instances: dict[type[Any], Any] = {}


def _the(kind: type[_T]) -> _T:
    """Return the one instance that the whole process shares."""
    with _lock:
        if kind not in _instances:
            _instances[kind] = kind()
        found: _T = _instances[kind]
        return found


def get_memory_pool() -> MemoryPool:
    """Return the pool that the whole process shares."""
    return _the(MemoryPool)


def get_batch_optimizer() -> BatchSizeOptimizer:
    """Return the optimizer that the whole process shares."""
    return _the(BatchSizeOptimizer)


def get_memory_monitor() -> MemoryMonitor:
    """Return the monitor that the whole process shares; it runs from the start where profiling is enabled."""
    first = MemoryMonitor not in _instances
    monitor = _the(MemoryMonitor)
    if first and _profiling():
        monitor.start_monitoring()
    return monitor


def get_cycle_detector() -> ReferenceCycleDetector:
    """Return the detector that the whole process shares."""
    return _the(ReferenceCycleDetector)


def _profiling() -> bool:
    value = os.environ.get(PROFILING, "").strip().lower()
    if value not in _ON + _OFF:
        raise UsageError(f"{PROFILING} is {value!r}: it must be 1 or 0.")
    return value in _ON
