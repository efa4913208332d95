"""The holder: who asks for memory, so that a job that asks twice is told from two jobs that may wait for each other.

A thread, unless an asyncio task works through several.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar

# A task's number, which is below 0; threads have numbers above.
TASK: ContextVar[int] = ContextVar("lowvox_task", default=0)


def current() -> int:
    """Return the number of whoever runs this."""
    return TASK.get() or threading.get_ident()
