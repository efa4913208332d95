"""A child: the process of a worker with its lanes and its last words, from its start to its end.

It is spawned, never forked, so that it inherits no lock that another thread holds. It ends when its starter does, even
by kill -9 and in the midst of C code, and leaves no zombie, no name and no file. Knows no calls.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING

from lowvox.memory import allocator, shared_audio
from lowvox.memory.wire import Lane

if TYPE_CHECKING:
    from typing import IO

_POSIX = os.name == "posix"
_LINE = 4096  # bytes; a library may print without end
# A process closes its pipes a moment before it has ended.
_GRACE_S = 5


class Child:
    """A running `lowvox.memory.hosting`; `lanes` are this side's ends of them.

    There are as many as asked for on POSIX, and one elsewhere, where a process inherits no descriptors.
    """

    def __init__(self, lanes: int) -> None:
        inherited: list[int] = []
        self._life: IO[bytes] | None = None
        ends: list[tuple[IO[bytes], IO[bytes]]] = []
        with ExitStack() as theirs, ExitStack() as ours:
            theirs.callback(_close, inherited)
            if _POSIX:
                self._life = ours.enter_context(_pipe(inherited, "rb"))
                inherited.append(shared_audio.create(lanes))
            for _ in range(1, lanes if _POSIX else 1):
                questions = ours.enter_context(_pipe(inherited, "rb"))
                ends.append((ours.enter_context(_pipe(inherited, "wb")), questions))
            slots = shared_audio.slots(inherited[1] if inherited else -1, len(ends) + 1)
            self._process = _hosting(inherited)
            ours.pop_all()  # they stay open from here on
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin
        assert stdout
        assert stderr
        self.lanes = [Lane(*pair, slot) for pair, slot in zip([(stdout, stdin), *ends], slots, strict=True)]
        self._words: deque[str] = deque(maxlen=8)
        # It does not know this object, so that one that is forgotten still ends its process.
        self._listener = threading.Thread(target=_listen, args=(self._process, stderr, self._words), daemon=True)
        self._listener.name = f"lowvox-listener-{self.pid}"
        self._listener.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def words(self) -> list[str]:
        """The last lines that the engine's library printed, complete once the process has ended."""
        self._listener.join(timeout=1)
        return list(self._words)

    def kill(self) -> None:
        """End the process and wait for it; may be called twice."""
        self._process.kill()
        self._process.wait()
        if self._life is not None:
            self._life.close()

    def status(self) -> int | None:
        """Wait for a process that has closed its pipes and return its exit status.

        One that does not end is killed, which is None.
        """
        try:
            return self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


def _pipe(inherited: list[int], theirs: str) -> IO[bytes]:
    """Make a pipe and return our end; the child's end, for reading ("rb") or writing ("wb"), joins what it inherits."""
    reading, writing = os.pipe()
    inherited.append(reading if theirs == "rb" else writing)
    return os.fdopen(writing, "wb") if theirs == "rb" else os.fdopen(reading, "rb")


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)


def _hosting(inherited: list[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "lowvox.memory.hosting", *map(str, inherited)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**allocator.ENVIRONMENT, **os.environ},
        pass_fds=[descriptor for descriptor in inherited if descriptor >= 0],
    )


def _listen(process: subprocess.Popen[bytes], stderr: IO[bytes], words: deque[str]) -> None:
    """Keep the last lines; they tell why it died. Then wait for its end, so that nobody need ask for it."""
    with stderr:
        while line := stderr.readline(_LINE):
            words.append(line.decode(errors="replace").strip())
    process.wait()
