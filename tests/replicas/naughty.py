"""Engines that misbehave, for workers and managers: addressed as "naughty:Leaky" with this folder on PYTHONPATH.

All are shaped like a recogniser that hears nothing. A number at the end of the model's name ("big-300") is the MB that
an engine takes, leaks or wants; without one it is 64. Needs nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lowvox.types import Model, Profile, Word

_MB = 2**20
_leaked: list[bytearray] = []


def filled(mb: int) -> bytearray:
    """Return that many MB, each page of which is in memory."""
    return bytearray(b"\1") * (mb * _MB)


class Stream:
    """A stream without faults; it takes the model's MB from its first sound to the end of the utterance."""

    def __init__(self, mb: int) -> None:
        self.mb = mb
        self.heard = bytearray()

    def reset(self) -> None:
        """Forget."""
        self.discard()

    def accept(self, pcm: bytes) -> None:
        """Keep the sound, as engines do."""
        self.heard += pcm

    def partial(self) -> str:
        """Hear nothing."""
        return ""

    def discard(self) -> None:
        """Forget."""
        self.heard.clear()

    def finish(self) -> tuple[Word, ...]:
        """Work, hear nothing and forget."""
        self.work()
        self.discard()
        return ()

    def work(self) -> None:
        """Do what this engine does to an utterance."""

    def close(self) -> None:
        """Give everything back."""
        self.discard()


class Engine:
    """An engine without faults that needs next to no memory: the base of those with one."""

    stream: type[Stream] = Stream

    def load(self, model: Model, profile: Profile) -> Engine:
        """Read the MB from the model's name."""
        number = re.search(r"(\d+)$", model.name)
        self.mb = int(number[1]) if number else 64
        return self

    def open(self, **options: object) -> Stream:
        """Open a stream."""
        return self.stream(self.mb)

    def close(self) -> None:
        """Nothing is held."""


class Big(Engine):
    """Honest: takes its MB when it is loaded and gives them back when it is closed."""

    def load(self, model: Model, profile: Profile) -> Engine:
        """Take the memory."""
        super().load(model, profile)
        self.weights = filled(self.mb)
        return self

    def close(self) -> None:
        """Give it back."""
        self.weights.clear()


class Hanging(Engine):
    """Never finishes loading; it hangs in C code and holds Python's lock, so that no other thread runs either."""

    def load(self, model: Model, profile: Profile) -> Engine:
        """Hang."""
        while True:
            ctypes.PyDLL(None).sleep(3600)


class Leaky(Engine):
    """Keeps its MB at every utterance, for ever, whoever closes what."""

    class stream(Stream):  # noqa: N801
        """Leaks at work."""

        def work(self) -> None:
            """Leak."""
            _leaked.append(filled(self.mb))


class Mapping(Engine):
    """Reads the file `model.path` through a mapping, which several processes then share."""

    def load(self, model: Model, profile: Profile) -> Engine:
        """Read each page."""
        with model.path.open("rb") as file:  # type: ignore[union-attr]
            self.mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.first = sum(self.mapped[:: mmap.PAGESIZE])
        return super().load(model, profile)


class Crashing(Engine):
    """Reads address 0 when it works: SIGSEGV."""

    class stream(Stream):  # noqa: N801
        """Crashes at work."""

        def work(self) -> None:
            """Crash."""
            ctypes.string_at(0)


class Liar(Engine):
    """Works in next to no memory while it hears sound, as when it is measured; in digital silence it takes its MB.

    They come through Python, so that a ceiling is a MemoryError.
    """

    class stream(Stream):  # noqa: N801
        """Takes its MB for the length of `finish`."""

        def work(self) -> None:
            """Take them."""
            if not any(self.heard):
                self.take()

        def take(self) -> None:
            """Take them through Python."""
            filled(self.mb)


class Gulping(Liar):
    """A liar in careless C: it does not look at what malloc returns, so that a ceiling is a SIGSEGV without a word."""

    class stream(Liar.stream):  # noqa: N801
        """Takes its MB one by one."""

        def take(self) -> None:
            """Take them through malloc."""
            c = ctypes.CDLL(None)
            c.malloc.argtypes, c.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
            c.memset.argtypes, c.free.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t], [ctypes.c_void_p]
            taken = [c.malloc(_MB) for _ in range(self.mb)]
            for piece in taken:
                c.memset(piece, 1, _MB)
            for piece in taken:
                c.free(piece)


class Throwing(Liar):
    """A liar in C++: what passes a ceiling is an uncaught std::bad_alloc, which ends in SIGABRT."""

    class stream(Liar.stream):  # noqa: N801
        """Takes its MB in one piece."""

        def take(self) -> None:
            """Take them through operator new."""
            new = ctypes.CDLL("libstdc++.so.6")._Znwm
            new.argtypes, new.restype = [ctypes.c_size_t], ctypes.c_void_p
            new(self.mb * _MB)


class Clinging(Engine):
    """Raises in every close."""

    class stream(Stream):  # noqa: N801
        """Raises in close."""

        def close(self) -> None:
            """Refuse."""
            raise RuntimeError("I stay")

    def close(self) -> None:
        """Refuse."""
        raise RuntimeError("I stay")


class Loud(Engine):
    """Prints to standard output and standard error, through Python and past it: the model's MB of it when it works."""

    class stream(Stream):  # noqa: N801
        """Prints at work."""

        def work(self) -> None:
            """Print lines, and one that never ends."""
            print("I am loud")
            print("I am louder", file=sys.stderr, flush=True)
            for _ in range(self.mb * 16):
                os.write(1, b"x" * 2**16)
            os.write(2, b"\nmy last words\n")


class Interrupting(Engine):
    """Interrupts whoever called, as Ctrl-C does, and never answers."""

    def load(self, model: Model, profile: Profile) -> Engine:
        """Interrupt."""
        os.kill(os.getppid(), signal.SIGINT)
        return Hanging().load(model, profile)


class Meeting(Engine):
    """Works only when two of its streams do so at the same time."""

    both = threading.Barrier(2, timeout=60)

    class stream(Stream):  # noqa: N801
        """Waits at work for the other one."""

        met = ""

        def partial(self) -> str:
            """Say whether they met."""
            return self.met

        def work(self) -> None:
            """Wait."""
            Meeting.both.wait()
            self.met = "met"
