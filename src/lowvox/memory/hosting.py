"""The inside of a worker: `python -m lowvox.memory.hosting` loads engines and serves calls until its input ends.

It answers (object, method, arguments) with a value, with the number of an object that stays here, or with an error. It
knows no engine and no budget.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from lowvox.errors import EngineError, LowvoxError
from lowvox.memory import wire

# What can cross the wire as itself; everything else stays here and is called from afar.
_PLAIN = (bytes, str, int, float, bool, type(None), tuple, list, dict)


class Root:
    """Object 0: what a worker can do before anything is loaded."""

    def load(self, engine: str, model: Any, threads: int) -> Any:
        """Load a model; see `types.Engine`."""
        from lowvox.engines import create

        return create(engine).load(model, threads)

    def prepare_audio(self) -> None:
        """Load what reading, resampling and writing sound need, so that its footprint can be measured."""
        from lowvox.audio.clip import clip

        clip()

    def crowd(self, seconds: float) -> bytes:
        """Return the sound that engines are measured with; made here, so that who measures needs no numpy."""
        from lowvox.audio.clip import crowd

        return crowd(seconds)


def serve() -> None:
    """Serve calls from standard input until it ends."""
    # Ctrl-C in a terminal reaches the whole group; only the process that started us decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # A library that prints must not reach the wire.
    os.dup2(2, 1)
    os.close(0)
    objects: dict[int, Any] = {0: Root()}
    while True:
        try:
            call = wire.receive(incoming)
        except EOFError:
            return
        try:
            wire.send(outgoing, _answer(objects, *call))
        except BrokenPipeError:
            return


def _answer(objects: dict[int, Any], target: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make one call: ("value", result), ("object", number) or ("error", exception)."""
    if method == "__drop__":
        objects.pop(target, None)
        return "value", None
    try:
        attribute = getattr(objects[target], method)
        result = attribute(*args, **kwargs) if callable(attribute) else attribute
    except StopIteration:
        return "end", None
    except LowvoxError as error:
        error.__cause__ = error.__context__ = None  # a foreign cause may not survive the pickle
        return "error", error
    except Exception as error:
        return "error", EngineError(f"The engine failed ({type(error).__name__}: {error}); try again.")
    if isinstance(result, _PLAIN):
        return "value", result
    number = max(objects) + 1
    objects[number] = result
    return "object", number


if __name__ == "__main__":
    serve()
