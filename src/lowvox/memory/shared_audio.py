"""Shared audio: memory through which sound goes to a worker and back without passing a pipe.

It has no name anywhere: a worker has it because it inherits its descriptor. However either side ends, nothing stays.
Knows no wire and no worker.
"""

from __future__ import annotations

import os

# Whole pages for a longest utterance: 15 s are 480,000 bytes. Longer sound goes through the pipe.
SLOT = 512 * 2**10


def create(count: int) -> int:
    """Return the descriptor of new memory with `count` slots; -1 where a system has none without a name."""
    if not hasattr(os, "memfd_create"):
        # An unlinked file would do, but then sound might reach a disk; the pipe takes just 0.1 ms more.
        return -1
    descriptor = os.memfd_create("lowvox-audio")
    try:
        os.ftruncate(descriptor, count * SLOT)
    except OSError:  # a limit on the size of files counts it too
        os.close(descriptor)
        return -1
    return descriptor


def slots(descriptor: int, count: int) -> list[memoryview]:
    """Map the memory and return its slots, each of SLOT writable bytes; without memory they hold nothing."""
    if descriptor < 0:
        return [memoryview(bytearray())] * count
    import mmap

    whole = memoryview(mmap.mmap(descriptor, count * SLOT))
    return [whole[at * SLOT : (at + 1) * SLOT] for at in range(count)]
