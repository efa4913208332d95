"""The history of a running lowvox as a file: its two rings, ten minutes by the second and a day by the minute.

The file has one size for ever and each entry one place in it, written when its period is over, so that another process
(`lowvox top`, `lowvox ps --export`) may read it at any time. One monitor of a process writes it. A disk that is full
costs the history, nothing else.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from lowvox.memory.rings import SIZE, Entry, Ring, parse

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 600
_MINUTES = 1440
# Held by the monitor that writes, where a process has several: they all see the same tree.
_writer = threading.Lock()


class History:
    """The rings, and the file where there is a `path`."""

    def __init__(self, path: Path | None = None) -> None:
        self.seconds = Ring(1, _SECONDS)
        self.minutes = Ring(60, _MINUTES)
        self._path = path
        self._handle: int | None = None
        self._pid = os.getpid()

    def feed(self, at: float, sample: Entry) -> None:
        """Take a sample; see `Ring.feed`."""
        for ring, start in ((self.seconds, 0), (self.minutes, _SECONDS)):
            done = ring.feed(at, sample)
            if done is not None and self._path:
                self._write(self._path, ring.record(done), (start + done) * SIZE)

    def close(self) -> None:
        """Write no more and remove the file; may be called twice."""
        path, self._path = self._path, None
        # A forked child has its parent's handle, but the file stays its parent's.
        if self._handle is None or path is None or os.getpid() != self._pid:
            return
        with suppress(OSError):
            os.close(self._handle)
        self._handle = None
        with suppress(OSError):
            path.unlink()
        _writer.release()

    def _write(self, path: Path, record: bytes, at: int) -> None:
        try:
            handle = self._open(path) if self._handle is None else self._handle
            if handle is not None:
                os.lseek(handle, at, os.SEEK_SET)
                os.write(handle, record)
        except OSError:
            self.close()

    def _open(self, path: Path) -> int | None:
        """Begin the file with what the rings hold by now; None where another monitor of this process writes it."""
        if not _writer.acquire(blocking=False):
            return None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        except OSError:
            _writer.release()
            raise
        os.write(self._handle, self.seconds.buffer + self.minutes.buffer)
        return self._handle


def read(path: Path) -> tuple[list[Entry], list[Entry]]:
    """Return a file's (seconds, minutes), oldest first; a file that is not there, or is something else, has none."""
    try:
        content = path.read_bytes()
    except OSError:
        return [], []
    middle = _SECONDS * SIZE
    return sorted(parse(content[:middle])), sorted(parse(content[middle:]))
