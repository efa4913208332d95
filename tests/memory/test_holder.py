from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

from lowvox import in_thread
from lowvox.memory import holder


def asked() -> Iterator[int]:
    for _ in range(3):
        yield holder.current()


def test_a_thread_is_one_holder() -> None:
    assert holder.current() == threading.get_ident()


def test_a_task_is_one_holder_whatever_thread_runs_it_and_another_task_another() -> None:
    async def gather() -> tuple[list[int], list[int]]:
        async def one() -> list[int]:
            return [number async for number in in_thread(asked())]

        return await asyncio.gather(one(), one())

    first, second = asyncio.run(gather())
    assert len(set(first)) == len(set(second)) == 1
    assert first != second
    assert holder.current() == threading.get_ident()
