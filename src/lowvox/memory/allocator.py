"""The allocator: memory that was freed goes back to the system, and a failure to get more is recognised.

Freeing alone is not enough: the C library keeps what it gets back for the next request. Knows no engine.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# What a worker is started with, for glibc: threads share two heaps, and a heap's free end goes back to the system at
# once. With four streams of Vosk that is 4 % less at the peak and 15 % less between utterances, for 5 % of time;
# PocketSphinx and espeak do not mind. jemalloc and mimalloc gave back less, or took half as long again
# (benchmarks/allocators.py).
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
_FAILED = r"bad_alloc|MemoryError|out of memory|alloc[^\n]* (failed|memory)|(fail|unable|not)[^\n]* allocate"


def trim() -> bool:
    """Drop what only cycles hold and give free memory back to the system; False where it cannot be asked to."""
    import gc

    gc.collect()
    return _malloc_trim() is not None and bool(_malloc_trim()(0))


@cache
def _malloc_trim() -> Any:
    """Return the C library's function, None where it has none; kept, for each look at it would leave a cycle behind."""
    import ctypes

    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, TypeError):  # not glibc; Windows
        return None


def failed(text: str) -> bool:
    """Whether a library's last words, or an error's name and message, say that it got no more memory."""
    return re.search(_FAILED, text, re.IGNORECASE) is not None  # compiled when needed: a worker stays 0.2 MB smaller
