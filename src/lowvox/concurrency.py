"""The one helper for asyncio: every iterator of lowvox, stepped in threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from lowvox.memory.holder import TASK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

T = TypeVar("T")


async def in_thread(iterator: Iterator[T]) -> AsyncIterator[T]:
    """Iterate from asyncio: each step runs in a thread, and leaving the loop ends the work.

    async for event in in_thread(speech.dictate()): ...
    """
    end = object()
    TASK.set(-id(asyncio.current_task()))  # each step may run in another thread
    step: asyncio.Future[Any] | None = None
    try:
        while True:
            step = asyncio.ensure_future(asyncio.to_thread(next, iterator, end))
            item = await asyncio.shield(step)
            if item is end:
                return
            yield item
    finally:
        if stop := getattr(iterator, "stop", None):
            stop()
        if step is not None and not step.done():
            # A generator cannot be closed in the middle of a step: wait for the step that was left.
            await asyncio.wait([step])
        if step is not None and not step.cancelled():
            step.exception()  # whoever left has no use for it; unread it would be complained of
        if close := getattr(iterator, "close", None):
            await asyncio.to_thread(close)
