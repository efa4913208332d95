"""What guides watch memory with: a monitor with alerts, and a detector of reference cycles."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any

from lowvox.memory import limit
from lowvox.memory.compat_batch import stated

if TYPE_CHECKING:
    from lowvox.memory.monitor import Monitor
    from lowvox.types import Usage

_log = logging.getLogger("lowvox.memory")


class MemoryMonitor:
    """Watches the PSS of the process tree in a thread; alerts say when it is near a limit or above it.

    It looks once a second, ten times with a `check_interval` below 1 s: a slower look would miss what it is for.
    """

    def __init__(self, check_interval: float = 5.0) -> None:
        self.check_interval = check_interval
        self._lock = threading.RLock()
        self._monitor: Monitor | None = None
        self._monitoring = False
        self._peak = 0
        self._alerts: list[str] = []

    def start_monitoring(self) -> None:
        """Begin; a second call changes nothing."""
        from lowvox.memory.monitor import Monitor

        with self._lock:
            if self._monitoring:
                return
            monitor = self._monitor = Monitor()
            self._monitoring = True
        budget = stated()

        def note(_: Usage) -> None:
            self._peak = max(self._peak, monitor.peak.pss)
            monitor.budget = limit.current() or budget

        monitor.on_sample = note
        monitor.on_alert = lambda alert: self._alerts.append(alert.text)
        monitor.pace(busy=self.check_interval < 1)
        monitor.start()
        monitor.look()

    def stop_monitoring(self) -> None:
        """End with a last look; a second call changes nothing."""
        with self._lock:
            monitor, self._monitor, self._monitoring = self._monitor, None, False
        if monitor is not None:
            monitor.stop()
            self._peak = max(self._peak, monitor.peak.pss)

    def get_current_memory_usage(self) -> int:
        """Return the bytes that the process tree takes now."""
        now = limit.Limit.used()
        self._peak = max(self._peak, now)
        return now

    def get_peak_memory_usage(self) -> int:
        """Return the most bytes that were seen, 0 where nobody has looked."""
        return self._peak

    def get_memory_alerts(self) -> list[str]:
        """Return the sentences of all alerts so far."""
        return list(self._alerts)

    def reset_stats(self) -> None:
        """Forget the peak and the alerts."""
        monitoring = self._monitoring
        self.stop_monitoring()
        self._peak = 0
        self._alerts.clear()
        if monitoring:
            self.start_monitoring()


class ReferenceCycleDetector:
    """Finds objects that only refer to each other, and frees them."""

    def __init__(self) -> None:
        self._tracked: dict[int, weakref.ref[Any] | None] = {}
        self.cycles_detected = 0

    def track_object(self, obj: object) -> None:
        """Count an object until it is gone; one that cannot be watched (a dict, a list) until `clear_registry`."""
        key, tracked = id(obj), self._tracked
        try:
            tracked[key] = weakref.ref(obj, lambda _: tracked.pop(key, None))
        except TypeError:
            tracked[key] = None

    def detect_cycles(self) -> int:
        """Return how many objects of this process only referred to each other; they are freed by it.

        The log names the cycles that tracked objects are part of, and what holds them together.
        """
        from lowvox.memory import cycles

        for cycle in cycles.find(reference() for reference in list(self._tracked.values()) if reference):
            _log.warning("Reference cycle of %s, held by %s.", ", ".join(cycle.types), ", ".join(cycle.holders))
        count = gc.collect()
        self.cycles_detected += count
        return count

    def get_tracked_count(self) -> int:
        """Return how many of the objects are still counted."""
        return len(self._tracked)

    def clear_registry(self) -> None:
        """Forget all objects."""
        self._tracked.clear()
