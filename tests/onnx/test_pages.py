"""glibc gives large pieces pages of their own, in fresh processes; a user who has tuned it is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import ctypes
from lowvox.onnx import pages

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

c = ctypes.CDLL(None)
c.malloc.argtypes, c.malloc.restype, c.free.argtypes = [ctypes.c_size_t], ctypes.c_void_p, [ctypes.c_void_p]
c.mallinfo2.restype = Info
pages.give_back()
c.free(c.malloc(16 << 20))
before = c.mallinfo2().hblks
c.malloc(8 << 20)
print(c.mallinfo2().hblks - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
@pytest.mark.parametrize(("environment", "expected"), [({}, 1), ({"MALLOC_MMAP_THRESHOLD_": "33554432"}, 0)])
def test_large_pieces_get_pages_of_their_own_unless_the_user_says_otherwise(
    environment: dict[str, str], expected: int
) -> None:
    """Once a large piece was freed, glibc puts the next into its heap; with a fixed threshold it does not."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, env=bare | environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == expected
