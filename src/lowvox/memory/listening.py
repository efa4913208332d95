"""lowvox's own process and its handling of sound, in the shape of engines: so that they are measured like one.

Sound is read, resampled and cut as `lowvox transcribe` does it, with speech found everywhere. Knows no meter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.types import Model, Profile, Word

# The clip is taken for sound at this rate, so that it has to be resampled; so often it makes a longest utterance.
_RATE, _TIMES = 44100, 7


class Program:
    """What lowvox's own process is before it has anything to do with sound."""

    def load(self, model: Model, profile: Profile) -> Program:  # noqa: ARG002  # there is none
        """Load lowvox itself."""
        import lowvox.speech  # noqa: F401

        return self


class Listening:
    """The libraries: loading them, and decoding FLAC, the heavier of the common formats."""

    def load(self, model: Model, profile: Profile) -> Listening:  # noqa: ARG002  # there is none
        """Read the clip."""
        from lowvox.audio.clip import clip

        clip()
        return self

    def open(self, **options: object) -> Reader:  # noqa: ARG002  # there are none
        """Begin a conversation."""
        return Reader()

    def close(self) -> None:
        """Nothing is held that could be given back."""


class Reader:
    """A recogniser's stream that reads sound itself and understands nothing."""

    def accept(self, pcm: bytes) -> None:
        """Hear nothing."""

    def partial(self) -> str:
        """Understand nothing."""
        return ""

    def finish(self) -> tuple[Word, ...]:
        """Read the clip again and again and hold one utterance after the other, as transcribing does."""
        from lowvox import recognition
        from lowvox.audio.utterances import Limits

        for _ in recognition.utterances(_blocks(), self, Limits()):
            pass
        return ()

    def probability(self, pcm: bytes) -> float:  # noqa: ARG002
        """Find speech everywhere."""
        return 1.0

    def reset(self) -> None:
        """Nothing to forget."""

    def discard(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing is held."""


def _blocks() -> Iterator[bytes]:
    from lowvox.audio.clip import PATH
    from lowvox.audio.reading import opened

    for _ in range(_TIMES):
        with opened(PATH) as recording:
            yield from replace(recording, rate=_RATE).blocks()
