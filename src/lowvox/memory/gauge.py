"""The gauge: what a worker holds beyond the pages that its starter has anyway, now and at its highest.

Counted are anonymous memory and pages of files as the process has them (RSS). PSS would fall with every other Python
program that happens to run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lowvox.memory import meter

if TYPE_CHECKING:
    from lowvox.memory.worker import Worker


class Gauge:
    """Begins where a worker is now: `whole` counts all of its own memory so far as well, but not its files' pages."""

    def __init__(self, worker: Worker, *, whole: bool) -> None:
        worker.trim()  # which also waits until it has started
        usage = worker.usage()
        self._worker = worker
        self._files = usage.rss - usage.anonymous
        self._base = self._files if whole else usage.rss
        self.data = 0
        meter.reset_peak(worker.pid)

    def now(self) -> int:
        """Return bytes held now."""
        return max(0, self._worker.usage().rss - self._base)

    def files(self) -> int:
        """Return how many of the bytes held now are pages of files."""
        usage = self._worker.usage()
        return max(0, usage.rss - usage.anonymous - self._files)

    def peak(self) -> int:
        """Return the most bytes that were held since the last time this was asked."""
        rss = self._worker.usage().rss
        peak = max(rss, meter.peak_rss(self._worker.pid))
        # Of what a limit on data counts, the kernel keeps no peak; what came and went in between was data.
        self.data = max(self.data, _data(self._worker.pid) + peak - rss)
        meter.reset_peak(self._worker.pid)
        return max(0, peak - self._base)


def _data(pid: int) -> int:
    """Return the bytes that a limit on data counts in a process; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:")), 0)
