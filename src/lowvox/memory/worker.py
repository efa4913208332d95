"""A worker: a process that hosts one engine, and how its methods are called from here.

Ending the process returns every byte; its death fails the calls that it was at work on, with how it died.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lowvox.errors import WorkerDiedError
from lowvox.memory import meter, obituary
from lowvox.memory.child import Child
from lowvox.memory.remote import RemoteResident, RemoteStream
from lowvox.memory.turns import Turns
from lowvox.types import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Model, Profile

__all__ = ["Handle", "RemoteResident", "RemoteStream", "Worker"]


class Handle:
    """The number of an object that stays in the worker."""

    def __init__(self, number: int) -> None:
        self.number = number


class Worker:
    """A running worker process. `permits` calls work in it at once, each on a lane of its own; others wait."""

    def __init__(self, name: str, permits: int = 1) -> None:
        self.name = name
        self._kills = obituary.kills()
        self._child = Child(permits)
        self._turns = Turns(self._child.lanes)
        self._planned: int | None = None
        self._end: str | None = None  # how it ended, once it has
        self._ending = threading.Lock()

    @property
    def pid(self) -> int:
        """The process's number, for the meter."""
        return self._child.pid

    def load(self, at: str, model: Model, profile: Profile, timeout: float | None = None) -> RemoteResident:
        """Load a model in the worker with the engine at "module:Class".

        An engine that takes longer than `timeout` seconds is stopped: WorkerDiedError.
        """
        with self.within(timeout, "did not finish loading"):
            return RemoteResident(self, self.call(0, "load", at, model, profile).number)

    def call(self, target: int, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of an object in the worker and wait for its answer."""
        kind, value = self._ask((target, method, args, kwargs))
        if kind == "greed":
            self._end_as(obituary.greed(self.name, self._planned))
            raise WorkerDiedError(self._ended())
        if kind == "error":
            raise value
        if kind == "end":
            raise StopIteration
        return Handle(value) if kind == "object" else value

    def limit(self, data_bytes: int) -> bool:
        """Set a ceiling to what the process may allocate, in bytes; False where the system has none.

        What is more is refused, which ends the process and says so. Mapped files and shared memory do not count. A
        cgroup would count them, but it kills without a word, and hardly a user may make one: version 2 wants a folder
        that holds no process but the worker.
        """
        if sys.platform != "linux":
            return False
        import resource

        data_bytes = max(data_bytes, meter.MB)  # to the kernel 0 is no limit
        try:
            _, hard = resource.prlimit(self.pid, resource.RLIMIT_DATA)
            resource.prlimit(self.pid, resource.RLIMIT_DATA, (data_bytes, hard))
        except (OSError, ValueError):  # it has ended; more than its user may have
            return False
        self._planned = data_bytes
        return True

    @contextmanager
    def within(self, timeout: float | None, failing: str) -> Iterator[None]:
        """End the process when the block takes longer than `timeout` seconds: `failing` is "did not finish loading".

        A library that is refused memory may try again for ever: Vosk's OpenBLAS does.
        """
        if timeout is None:
            yield
            return
        reason = f"{failing} in {timeout:g} s; try again, or take another model (`lowvox models`)."
        timer = threading.Timer(timeout, self.end, [reason])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def usage(self) -> Usage:
        """Read what the process holds now; nothing once it has ended."""
        return meter.usage(self.pid) if self._child.alive else Usage(0, 0, 0, 0)

    def trim(self) -> bool:
        """Have the process give free memory back to the system; False where it cannot."""
        return bool(self.call(0, "trim"))

    def end(self, reason: str) -> None:
        """End the process at once. Calls, also those at work, fail with `name` and this reason; the first counts."""
        self._end_as(f"{self.name} {reason}")

    def close(self) -> None:
        """End the process and wait for it; may be called twice."""
        self.end("has been closed; open it again.")

    def _ask(self, question: tuple[Any, ...]) -> tuple[str, Any]:
        """Send a question when it is our turn and wait for the answer."""
        lane = None
        try:
            lane = self._turns.take()
            lane.send(question)
            answer: tuple[str, Any] = lane.receive()
            self._turns.give(lane)
            lane = None
        except (EOFError, OSError, ValueError) as error:
            raise WorkerDiedError(self._ended()) from error
        except BaseException:
            # Interrupted between question and answer: the lane is out of step, and what it works on of no use.
            self.end("was stopped in the midst of a call; open it again.")
            raise
        else:
            return answer
        finally:
            if lane is not None:
                self._turns.close()
                lane.close()

    def _end_as(self, told: str) -> None:
        with self._ending:
            self._end = self._end or told
        self._child.kill()
        self._turns.close()

    def _ended(self) -> str:
        """Say how the process ended."""
        status = self._child.status()
        with self._ending:
            if self._end is None:
                kills = obituary.kills()
                killed = None if kills is None or self._kills is None else kills - self._kills
                self._end = obituary.ending(self.name, status, self._child.words, self._planned, killed)
            return self._end
