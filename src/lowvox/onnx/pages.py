"""Large pieces of memory get pages of their own from glibc, so that they go back to the system when they are freed.

On its own glibc raises the size at which it does this, up to 32 MB, with the first large piece that is freed: from the
second load on weights lie in one heap with everything else, and what is freed below something stays. A stack of 75 MB
then takes 206 MB where it could take 82, and an arena that shrinks leaves holes. Runs are not slower for it.
"""

from __future__ import annotations

import os
import sys
from functools import cache

# M_MMAP_THRESHOLD of glibc's mallopt, and from which size on a request gets pages of its own, in bytes.
_THRESHOLD, _OWN_PAGES = -3, 2**20


@cache
def give_back() -> None:
    """Have glibc do so from here on, for the whole process; what a user has set stays as it is."""
    set_by_user = "MALLOC_MMAP_THRESHOLD_" in os.environ or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or set_by_user:
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt:
        mallopt(_THRESHOLD, _OWN_PAGES)
