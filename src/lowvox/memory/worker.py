"""A worker: a process that hosts one engine, and the objects here that stand for what it holds.

Ending the process returns every byte; its death fails one call, with how it died. Calls to one worker take turns.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lowvox.errors import EngineError, WorkerDiedError
from lowvox.memory import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Model, Word


class Worker:
    """A running worker process. `call` is the only way in; `close` ends it at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lowvox.memory.hosting"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._turn = threading.Lock()
        self._closed = False
        self._complaints: deque[str] = deque(maxlen=8)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The process's number, for the meter."""
        return self._process.pid

    def load(self, engine: str, model: Model, threads: int) -> RemoteResident:
        """Load a model in the worker."""
        return RemoteResident(self, self.call(0, "load", engine, model, threads).number)

    def call(self, target: int, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of an object in the worker and wait for its answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._turn:
            try:
                wire.send(stdin, (target, method, args, kwargs))
                kind, value = wire.receive(stdout)
            except (EOFError, OSError, ValueError) as error:
                raise WorkerDiedError(self._obituary()) from error
            except BaseException:
                # Interrupted between question and answer: the wire is out of step for good.
                self.close()
                raise
        if kind == "error":
            raise value
        if kind == "end":
            raise StopIteration
        return Handle(value) if kind == "object" else value

    def close(self) -> None:
        """End the process and wait for it; may be called twice."""
        self._closed = True
        process = self._process
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still unsent has nobody to go to
                    continue

    def _listen(self) -> None:
        """Keep the last lines that the engine's library prints; they tell why it died."""
        stderr = self._process.stderr
        assert stderr is not None
        with stderr:
            for line in stderr:
                self._complaints.append(line.decode(errors="replace").strip())

    def _obituary(self) -> str:
        """Say how the process ended."""
        status = self._process.wait()
        if self._closed:
            return f"{self.name} has been closed; open it again."
        self._listener.join(timeout=1)
        if status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
            if -status == signal.SIGKILL:
                how += " (the system does this when memory runs out)"
        else:
            how = f"ended with status {status}"
        last = f"; its last words: {self._complaints[-1]}" if self._complaints else ""
        return f"The process of {self.name} {how}{last}. Try again."


class Handle:
    """The number of an object that stays in the worker."""

    def __init__(self, number: int) -> None:
        self.number = number


class RemoteResident:
    """A `types.Resident` in a worker; closing it ends the worker."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number

    def open(self, **options: object) -> RemoteStream:
        """Open a stream in the worker."""
        return RemoteStream(self._worker, self._worker.call(self._number, "open", **options).number)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()


class RemoteStream:
    """A recogniser's, synthesizer's or VAD's stream in a worker: each method is the one of the same name there."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number
        self._open = True

    def _call(self, method: str, *args: Any) -> Any:
        if not self._open:
            raise EngineError(f"This stream of {self._worker.name} is closed; open another.")
        return self._worker.call(self._number, method, *args)

    def reset(self) -> None:
        """See `types.Stream`."""
        self._call("reset")

    def accept(self, pcm: bytes) -> None:
        """See `types.RecognizerStream`."""
        self._call("accept", pcm)

    def partial(self) -> str:
        """See `types.RecognizerStream`."""
        return str(self._call("partial"))

    def discard(self) -> None:
        """See `types.RecognizerStream`."""
        self._call("discard")

    def finish(self) -> tuple[Word, ...]:
        """See `types.RecognizerStream`."""
        words: tuple[Word, ...] = self._call("finish")
        return words

    def probability(self, pcm: bytes) -> float:
        """See `types.VadStream`."""
        return float(self._call("probability", pcm))

    @property
    def rate(self) -> int:
        """See `types.SynthesizerStream`."""
        return int(self._call("rate"))

    def speak(self, text: str) -> Iterator[bytes]:
        """See `types.SynthesizerStream`: blocks are fetched one by one, so that an unread one is never made."""
        blocks = self._call("speak", text).number
        try:
            while True:
                try:
                    block = self._worker.call(blocks, "__next__")
                except StopIteration:
                    return
                yield block
        finally:
            with suppress(WorkerDiedError):  # it was interrupted: there is nothing left to drop
                self._worker.call(blocks, "__drop__")

    def close(self) -> None:
        """Close the stream in the worker; a worker that has died has nothing left to close."""
        if not self._open:
            return
        with suppress(WorkerDiedError):
            self._call("close")
            self._worker.call(self._number, "__drop__")
        self._open = False
