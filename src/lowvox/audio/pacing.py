"""Pacing a recording as if it were spoken now: each block is given when its last sample would have been heard."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def paced(
    blocks: Iterable[bytes],
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[bytes]:
    """Give blocks of PCM at 16 kHz at the speed of life; a slow listener finds the ones that it missed waiting."""
    begun = clock()
    heard = 0.0
    for block in blocks:
        heard += len(block) / 32000
        if (early := begun + heard - clock()) > 0:
            wait(early)
        yield block
