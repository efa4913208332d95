"""A lock between processes, as a file: one holder at a time, given back by the kernel when the holder dies."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from errno import EACCES, EAGAIN, EDEADLK
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY = (EAGAIN, EACCES, EDEADLK)
_PAUSE_S = 0.002


@contextmanager
def locked(path: Path, patience_s: float = 5.0) -> Iterator[None]:
    """Hold the lock while the block runs; other threads wait as other processes do.

    OSError where the file cannot be made or locked, or a holder that was stopped does not let go in time.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + patience_s
        while True:
            try:
                _lock(handle)
                break
            except OSError as error:
                if error.errno not in _BUSY or time.monotonic() > end:
                    raise
                time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(handle)  # which gives the lock back


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
