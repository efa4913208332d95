"""Footprints: what things take on this machine, from the ledger or measured now; each is measured once.

Knows no budget and loads nothing itself.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from lowvox import engines
from lowvox.memory import meter
from lowvox.memory.ledger import Ledger, key

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.types import Choice, Footprint, Model

SOUND = "audio libraries"
# What threads, texts and buffers take in this process meanwhile; eight threads took 3 to 5 (benchmarks/budget.py).
_OWN_WORK = 4 * meter.MB


class Footprints:
    """Safe to use from several threads. `on_note` is told what is being measured, since that takes seconds.

    `base` is what this process takes before anything is loaded, in bytes.
    """

    def __init__(self, on_note: Callable[[str], None] = lambda _: None) -> None:
        self._note = on_note
        self._ledger = Ledger()
        self._known: dict[str, Footprint] = {}
        self._lock = threading.RLock()
        self._sound_is_base = "soundfile" in sys.modules
        self._ledger.get("")  # so that what a ledger needs is in the base
        # RSS, since what a process shares with other programs may be its own alone a moment later.
        self.base = meter.usage(os.getpid()).rss + _OWN_WORK

    def of(self, choice: Choice) -> Footprint:
        """Return what a choice takes; seconds, where it has to be measured."""
        entry = engines.entry(choice.model.engine)
        engines.require(choice.model.engine)
        row = key(choice, entry.package)

        def measured() -> Footprint:
            from lowvox.memory import measure

            return measure.footprint(choice, entry)

        return self._find(choice.model.name, row, measured)

    def known(self, choice: Choice) -> Footprint | None:
        """Return what a choice takes where that has been measured."""
        return self._recorded(key(choice, engines.entry(choice.model.engine).package))

    def sound(self, *, ask: bool = True) -> int:
        """Bytes that reading, resampling and writing sound take in this process, beyond the base.

        Not asked for, they are not measured: 0 where they are not known.
        """
        if self._sound_is_base:
            return 0
        found = self.measure_sound() if ask else self._recorded(key(SOUND, "soundfile"))
        return found.peak() if found else 0

    def measure_sound(self) -> Footprint:
        """Return what reading, resampling and writing sound take, whether this process has begun to or not."""

        def measured() -> Footprint:
            from lowvox.memory import measure

            return measure.audio_footprint()

        return self._find(SOUND, key(SOUND, "soundfile"), measured)

    @staticmethod
    def floor(model: Model) -> int:
        """Bytes that a model takes at the very least: those of its files."""
        if model.path is None:
            return 0
        return sum(file.stat().st_size for file in model.path.rglob("*") if file.is_file())

    def _recorded(self, row: str) -> Footprint | None:
        with self._lock:
            return self._known.get(row) or self._ledger.get(row)

    def _find(self, name: str, row: str, measured: Callable[[], Footprint]) -> Footprint:
        with self._lock:
            found = self._recorded(row)
            if found is None:
                self._note(f"Measuring {name} once on this machine ...")
                found = measured()
                self._ledger.put(row, found)
            self._known[row] = found
            return found
