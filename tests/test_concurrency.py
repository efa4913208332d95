from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from lowvox.concurrency import in_thread


class Numbers:
    """A generator that tells where it runs and how it ended."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.threads: set[int] = set()
        self.closed = self.stopped = False
        self._fail_at = fail_at
        self._steps = self._count()

    def _count(self) -> Iterator[int]:
        try:
            for number in range(5):
                if number == self._fail_at:
                    raise ZeroDivisionError
                self.threads.add(threading.get_ident())
                yield number
        finally:
            self.closed = True

    def __iter__(self) -> Numbers:
        return self

    def __next__(self) -> int:
        return next(self._steps)

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self._steps.close()  # type: ignore[attr-defined]


async def collect(numbers: Numbers, until: int = 99) -> list[int]:
    found = []
    steps = in_thread(numbers)
    async for number in steps:
        found.append(number)
        if number == until:
            break
    await steps.aclose()  # type: ignore[attr-defined]
    return found


def test_every_item_comes_from_another_thread() -> None:
    numbers = Numbers()
    assert asyncio.run(collect(numbers)) == [0, 1, 2, 3, 4]
    assert threading.get_ident() not in numbers.threads


def test_leaving_the_loop_ends_the_work() -> None:
    numbers = Numbers()
    assert asyncio.run(collect(numbers, until=1)) == [0, 1]
    assert numbers.closed
    assert numbers.stopped


def test_errors_come_through() -> None:
    numbers = Numbers(fail_at=2)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(collect(numbers))
    assert numbers.closed


def test_a_cancelled_task_waits_for_the_step_that_is_under_way() -> None:
    entered, leave = threading.Event(), threading.Event()
    ended = []

    def slow() -> Iterator[int]:
        try:
            entered.set()
            leave.wait()
            yield 1
        finally:
            ended.append(True)

    async def cancel() -> None:
        task = asyncio.ensure_future(anext(aiter(in_thread(slow()))))
        await asyncio.to_thread(entered.wait)
        task.cancel()
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert ended == [True]
