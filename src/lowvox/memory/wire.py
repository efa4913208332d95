"""The wire between a worker and the process that started it: lanes, on each of which questions and answers alternate.

A message is a pickle with its length before it. Long bytes, which are sound, go through the lane's slot of shared
memory and the pickle says where they lie: a slot is free again as soon as the other side has read the message. Both
ends are lowvox's own, joined by private pipes, so that a pickle is as safe as the code that made it.
"""

from __future__ import annotations

import io
import pickle
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import IO

_LENGTH = struct.Struct("<I")
# Below this many bytes the pipe is as quick.
_LONG = 4096


class Lane:
    """One end of a lane: a pipe in, a pipe out, and the slot, which is empty where there is no shared memory."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes], slot: memoryview) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._slot = slot

    def send(self, message: object) -> None:
        """Write one message; BrokenPipeError when the other end has gone. What cannot be pickled writes nothing."""
        body = io.BytesIO()
        body.write(bytes(_LENGTH.size))
        _Pickler(body, self._slot).dump(message)
        with body.getbuffer() as written:
            _LENGTH.pack_into(written, 0, len(written) - _LENGTH.size)
            self._outgoing.write(written)
        self._outgoing.flush()

    def receive(self) -> Any:
        """Read one message; EOFError when the other end has gone."""
        (size,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return _Unpickler(io.BytesIO(self._exactly(size)), self._slot).load()

    def close(self) -> None:
        """Close the pipes; what was still unsent has nobody to go to. May be called twice."""
        for pipe in (self._incoming, self._outgoing):
            with suppress(OSError):
                pipe.close()

    def _exactly(self, size: int) -> bytes:
        data = self._incoming.read(size)
        if len(data) < size:
            raise EOFError
        return data


class _Pickler(pickle.Pickler):
    """Puts long bytes into the slot, one behind the other, as long as they fit."""

    def __init__(self, file: io.BytesIO, slot: memoryview) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._slot = slot
        self._used = 0

    def persistent_id(self, thing: Any) -> tuple[int, int] | None:
        """Return where in the slot `thing` now lies, None for what belongs into the pickle."""
        if type(thing) is not bytes or len(thing) < _LONG or self._used + len(thing) > len(self._slot):
            return None
        start, self._used = self._used, self._used + len(thing)
        self._slot[start : self._used] = thing
        return start, self._used


class _Unpickler(pickle.Unpickler):
    """Takes long bytes out of the slot."""

    def __init__(self, file: io.BytesIO, slot: memoryview) -> None:
        super().__init__(file)
        self._slot = slot

    def persistent_load(self, place: tuple[int, int]) -> bytes:
        """Return a copy of what lies there."""
        return bytes(self._slot[place[0] : place[1]])
