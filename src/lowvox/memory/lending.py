"""Lending: a stream as a job has it, until it gives it back.

Holds the job to its run permits, and tells the manager whenever an utterance is done, which is when a process that has
grown may be replaced. Knows no engine and no budget.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from lowvox.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lowvox.types import Label, Word


class Lent:
    """A stream of any role; each method is the one of the same name there.

    `stream` may be another one after each utterance. `permits` bounds how many of a resident's streams work at once.
    """

    def __init__(
        self, name: str, stream: Any, permits: AbstractContextManager[object] | None, rested: Callable[[Lent], None]
    ) -> None:
        self.stream = stream
        self._name = name
        self._permits = permits or nullcontext()
        self._rested = rested
        self._back = False

    def give_back(self) -> None:
        """End the loan: whoever still holds it gets an error."""
        self._back = True

    def reset(self) -> None:
        """See `types.Stream`."""
        with self._work() as stream:
            stream.reset()

    def accept(self, pcm: bytes) -> None:
        """See `types.RecognizerStream`."""
        with self._work() as stream:
            stream.accept(pcm)

    def partial(self) -> str:
        """See `types.RecognizerStream`."""
        with self._work() as stream:
            return str(stream.partial())

    def discard(self) -> None:
        """See `types.RecognizerStream`."""
        with self._work() as stream:
            stream.discard()

    def finish(self) -> tuple[Word, ...]:
        """See `types.RecognizerStream`."""
        with self._work() as stream:
            words: tuple[Word, ...] = stream.finish()
        self._rested(self)
        return words

    def probability(self, pcm: bytes) -> float:
        """See `types.VadStream`."""
        with self._work() as stream:
            return float(stream.probability(pcm))

    @property
    def window(self) -> int:
        """See `types.PunctuatorStream`."""
        with self._work() as stream:
            return int(stream.window)

    def label(
        self, texts: Sequence[Sequence[str]], pauses: Sequence[Sequence[float]] | None = None, **where: bool
    ) -> list[list[Label]]:
        """See `types.PunctuatorStream`."""
        with self._work() as stream:
            found: list[list[Label]] = stream.label(texts, pauses, **where)
        self._rested(self)
        return found

    @property
    def rate(self) -> int:
        """See `types.SynthesizerStream`."""
        with self._work() as stream:
            return int(stream.rate)

    def speak(self, text: str) -> Iterator[bytes]:
        """See `types.SynthesizerStream`; a permit is held while a block is made, not while it is listened to."""
        with self._work() as stream:
            blocks = stream.speak(text)
        try:
            while True:
                with self._work():
                    block = next(blocks, None)
                if block is None:
                    break
                yield block
        finally:
            blocks.close()
        self._rested(self)

    def close(self) -> None:
        """Nothing: the end of the lease gives it back."""

    @contextmanager
    def _work(self) -> Iterator[Any]:
        if self._back:
            raise EngineError(f"The lease of {self._name} has ended; take another.")
        with self._permits:
            yield self.stream
