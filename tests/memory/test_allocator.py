from __future__ import annotations

import subprocess
import sys

import pytest

from lowvox.memory import allocator

# Blocks of 4 kB come from the heap; the last one keeps its top in place, so that only trimming gives the rest back.
SCRIPT = """
import sys
from pathlib import Path
from lowvox.memory.allocator import trim

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024

trim()
before = held()
blocks = [bytearray(b"x") * 4000 for _ in range(10_000)]
del blocks[:-1]
kept = held()
class Cycle: pass
cycle = Cycle(); cycle.itself = cycle; cycle.block = blocks.pop(); del cycle
assert trim()
print(kept - before, held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_what_was_freed_goes_back() -> None:
    kept, left = map(int, subprocess.check_output([sys.executable, "-c", SCRIPT]).split())
    assert kept > 30
    assert left < 5


def test_a_system_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    class Musl:
        def __init__(self, name: None) -> None:
            pass

    monkeypatch.setattr(ctypes, "CDLL", Musl)
    allocator._malloc_trim.cache_clear()
    try:
        assert not allocator.trim()
    finally:
        allocator._malloc_trim.cache_clear()


@pytest.mark.parametrize(
    "words",
    [
        "  what():  std::bad_alloc",
        "MemoryError",
        "_ArrayMemoryError: Unable to allocate 7.45 GiB for an array",
        "OSError: [Errno 12] Cannot allocate memory",
        "RuntimeException: Failed to allocate memory for requested buffer of size 400",
        "GLib-ERROR **: gmem.c:106: failed to allocate 1024 bytes",
        "calloc(1, 4096) failed from ngram_model.c(77)",
        "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.",
        "thread 'main' panicked: Out of memory",
    ],
)
def test_a_failed_allocation_is_recognised(words: str) -> None:
    assert allocator.failed(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "ERROR: out of cheese",
        "ValueError: memory order",
        "cannot read the model: a file in it is damaged",
        "failed",
    ],
)
def test_other_failures_are_not(words: str) -> None:
    assert not allocator.failed(words)
