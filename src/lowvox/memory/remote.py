"""What stands here for the resident and the streams that a worker holds: each call goes through the worker."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lowvox.errors import EngineError, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lowvox.memory.worker import Worker
    from lowvox.types import Label, Word


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

    def _call(self, method: str, *args: Any, **options: Any) -> Any:
        if not self._open:
            raise EngineError(f"This stream of {self._worker.name} is closed; open another.")
        return self._worker.call(self._number, method, *args, **options)

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
    def window(self) -> int:
        """See `types.PunctuatorStream`."""
        return int(self._call("window"))

    def label(
        self, texts: Sequence[Sequence[str]], pauses: Sequence[Sequence[float]] | None = None, **where: bool
    ) -> list[list[Label]]:
        """See `types.PunctuatorStream`."""
        found: list[list[Label]] = self._call("label", texts, pauses, **where)
        return found

    @property
    def rate(self) -> int:
        """See `types.SynthesizerStream`."""
        return int(self._call("rate"))

    def speak(self, text: str) -> Iterator[bytes]:
        """See `types.SynthesizerStream`."""
        return self._blocks("speak", text)

    def heaviest(self) -> Iterator[bytes]:
        """See `types.BoundedStream`."""
        return self._blocks("heaviest")

    def _blocks(self, method: str, *args: Any) -> Iterator[bytes]:
        """Fetch blocks one by one, so that an unread one is never made."""
        blocks = self._call(method, *args).number
        try:
            while True:
                try:
                    block = self._worker.call(blocks, "__next__")
                except StopIteration:
                    return
                yield block
        finally:
            with suppress(WorkerDiedError):  # it was interrupted: there is nothing left to drop
                self._worker.call(0, "drop", blocks)

    def close(self) -> None:
        """Close the stream in the worker, which gives its memory back to the system.

        A worker that has died has nothing left to close. EngineError where the engine fails to: even then the stream
        is forgotten.
        """
        if not self._open:
            return
        self._open = False
        with suppress(WorkerDiedError):
            self._worker.call(0, "release", self._number)
