"""Single keys from a terminal, without waiting for Enter. Where standard input is no terminal, time just passes."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def pressed() -> Iterator[Callable[[float], str]]:
    """Give a function that waits for a key for so many seconds, and returns it, or "" where none was pressed."""
    if not sys.stdin.isatty():
        yield _sleep
    elif sys.platform == "win32":
        yield _windows
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setcbreak(sys.stdin)
            yield _posix
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _posix(seconds: float) -> str:
    from select import select

    if not select([sys.stdin], [], [], seconds)[0]:
        return ""
    import os

    return os.read(sys.stdin.fileno(), 1).decode(errors="replace")


def _windows(seconds: float) -> str:
    import msvcrt

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            return str(msvcrt.getwch())  # type: ignore[attr-defined,unused-ignore]
        time.sleep(0.05)
    return ""
