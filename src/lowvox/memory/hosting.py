"""The inside of a worker: `python -m lowvox.memory.hosting` loads engines and serves calls until its input ends.

It answers (object, method, arguments) with a value, with the number of an object that stays here, or with an error. It
knows no registry, no engine and no budget.

Its arguments are inherited descriptors: a pipe that closes when the starter ends and the shared audio (-1: there is
none), then an incoming and an outgoing pipe for each lane beyond the first, which is standard input and output.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from typing import Any

from lowvox.errors import EngineError, LowvoxError
from lowvox.memory import allocator, shared_audio
from lowvox.memory.wire import Lane

# What can cross the wire as itself; everything else stays here and is called from afar.
_PLAIN = (bytes, str, int, float, bool, type(None), tuple, list, dict)


class Root:
    """Object 0: the objects that stay here by their numbers, and what can be done before there are any."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {0: self}
        self._numbers = count(1)

    def load(self, at: str, model: Any, profile: Any) -> Any:
        """Load a model with the engine at "module:Class"; see `types.Engine`."""
        from importlib import import_module

        module, _, attribute = at.partition(":")
        return getattr(import_module(module), attribute)().load(model, profile)

    def keep(self, thing: object) -> int:
        """Keep an object and return its number."""
        number = next(self._numbers)
        self.objects[number] = thing
        return number

    def drop(self, number: int) -> None:
        """Forget an object."""
        self.objects.pop(number, None)

    def release(self, number: int) -> None:
        """Close an object, forget it whatever it says to that, and give its memory back to the system."""
        try:
            self.objects.pop(number).close()
        finally:
            allocator.trim()

    def trim(self) -> bool:
        """Give free memory back to the system."""
        return allocator.trim()

    def prepare_audio(self) -> None:
        """Load what reading, resampling and writing sound need, so that its footprint can be measured."""
        from lowvox.audio.clip import clip

        clip()

    def crowd(self, seconds: float) -> bytes:
        """Return the sound that engines are measured with; made here, so that who measures needs no numpy."""
        from lowvox.audio.clip import crowd

        return crowd(seconds)


def serve(lifeline: int = -1, audio: int = -1, *pipes: int) -> None:
    """Serve calls until standard input ends, each lane in a thread of its own, the first in this one."""
    # Ctrl-C in a terminal reaches the whole group; only the process that started us decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(lifeline)
    ends = [os.dup(0), os.dup(1), *pipes]
    # A library that prints must not reach the wire, nor one that reads.
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    slots = shared_audio.slots(audio, len(ends) // 2)
    first, *others = (
        Lane(os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb"), slot)
        for incoming, outgoing, slot in zip(ends[::2], ends[1::2], slots, strict=True)
    )
    root = Root()
    if others:
        import threading  # most workers do without

        for lane in others:
            threading.Thread(target=_serve, args=(root, lane), daemon=True).start()
    _serve(root, first)


def _end_with(lifeline: int) -> None:
    """Have the kernel kill this process when the pipe's other end closes.

    Standard input ends then as well, but an engine that hangs in C code would never come to read it.
    """
    if lifeline < 0 or sys.platform != "linux":
        return
    import fcntl

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC)


def _serve(root: Root, lane: Lane) -> None:
    """Answer one lane's questions until they end."""
    while True:
        try:
            question = lane.receive()
        except EOFError:
            return
        answer = _answer(root, *question)
        try:
            lane.send(answer)
        except BrokenPipeError:
            return
        except Exception as error:  # it cannot be pickled
            lane.send(_failure(error))


def _answer(root: Root, target: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Any]:
    """Make one call: ("value", result), ("object", number), ("end", None), ("greed", None) or ("error", error)."""
    try:
        attribute = getattr(root.objects[target], method)
        result = attribute(*args, **kwargs) if callable(attribute) else attribute
    except StopIteration:
        return "end", None
    except Exception as error:
        return _failure(error)
    return ("value", result) if isinstance(result, _PLAIN) else ("object", root.keep(result))


def _failure(error: Exception) -> tuple[str, Any]:
    """Say what went wrong with a call."""
    if _greedy(error):
        return "greed", None
    if isinstance(error, LowvoxError):
        error.__cause__ = error.__context__ = None  # a foreign cause may not survive the pickle
        return "error", error
    return "error", EngineError(f"The engine failed ({type(error).__name__}: {error}); try again.")


def _greedy(error: BaseException | None) -> bool:
    """Whether the error, or one that led to it, is that there was no more memory."""
    while error is not None:
        if allocator.failed(f"{type(error).__name__}: {error}"):
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    serve(*(int(descriptor) for descriptor in sys.argv[1:]))
