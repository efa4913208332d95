"""Pacing a recording as if it were spoken now: each block is given when its last sample would have been heard."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator


def paced(
    blocks: Iterable[bytes],
    stopped: threading.Event,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] | None = None,
) -> Iterator[bytes]:
    """Give blocks of PCM at 16 kHz at the speed of life; a slow listener finds the ones that it missed waiting.

    Once `stopped` is set, only what had been said by then is still given. `wait` may end early when it is.
    """
    wait = wait or stopped.wait
    begun = clock()
    said = 0.0
    end = float("inf")
    for block in blocks:
        said += len(block) / 32000
        if (early := begun + said - clock()) > 0 and not stopped.is_set():
            wait(early)
        if stopped.is_set():
            end = min(end, clock())
        if begun + said > end:
            return
        yield block
