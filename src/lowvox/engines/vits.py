"""A VITS voice at work, whatever its family: ids and scales in, sound out, in windows where it was split.

A voice that was split (`lowvox shrink split`) gives its first sound after the first window, and its peak does not
follow the length of the sentence; a whole one gives a sentence in one piece. Knows no phonemes: that is the business of
the families (`piper`, `vosk_tts`).
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import DamagedError
from lowvox.onnx import split
from lowvox.onnx.session import Session
from lowvox.onnx.stages import stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.types import Profile

WINDOW = 64  # frames
# A profile of this name loads the front for each sentence and lets go of it before the rest is loaded: the least
# memory, for the price of loading twice a sentence.
APART = "apart"
_LOUDEST = 32767


class Vits:
    """A loaded voice; `run` may be called by several threads, of which `permits` work at once."""

    def __init__(self, path: Path, profile: Profile, permits: int = 1) -> None:
        self._profile = profile
        self._permits = permits
        sidecar = path.with_suffix(split.SUFFIX)
        self._split = split.read(sidecar) if sidecar.exists() else None
        files = self._split.files if self._split else (path.name,)
        self._paths = [path.with_name(name) for name in files]
        self._sessions: list[Session] | None = None
        if profile.name == APART and self._split:
            with closing(self._open(0)) as front:
                self.inputs = front.inputs
        else:
            self._sessions = [self._open(at) for at in range(len(files))]
            self.inputs = self._sessions[0].inputs

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Speak one sentence: float32 [n] in [-1, 1], window by window.

        Feeds that the voice has no input for are left out. EngineError where the voice wants others.
        """
        known = {name: array for name, array in feeds.items() if name in self.inputs}
        if self._split is None:
            assert self._sessions
            yield self._sessions[0].run(known)[0].reshape(-1)
            return
        handed = self._handed(known)
        opened = self._sessions[1:] if self._sessions else [self._open(at) for at in range(1, len(self._paths))]
        try:
            stages = list(zip(self._split.stages, opened, strict=True))
            for made in stream(stages, handed, self._profile.window or WINDOW):
                yield made.reshape(-1)
        finally:
            if not self._sessions:
                _close(opened)

    def close(self) -> None:
        """Unload it; may be called twice."""
        _close(self._sessions or [])

    def _handed(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run what sees the whole sentence."""
        front = self._sessions[0] if self._sessions else self._open(0)
        try:
            return dict(zip(front.outputs, front.run(feeds), strict=True))
        finally:
            if not self._sessions:
                front.close()

    def _open(self, at: int) -> Session:
        name = "default" if self._profile.name == APART else self._profile.name
        return Session(self._paths[at], type(self._profile)(name, self._profile.threads), self._permits)


def _close(sessions: list[Session]) -> None:
    for session in sessions:
        session.close()


def pcm(sound: NDArray[np.float32], volume: float = 1.0) -> bytes:
    """Turn samples in [-1, 1] into PCM; what is louder is clipped. DamagedError where a voice gives no numbers."""
    if not np.isfinite(sound).all():
        raise DamagedError("The voice gives no sound (its samples are no numbers); copy or pull it again.")
    return bytes((np.clip(sound * volume, -1, 1) * _LOUDEST).astype("<i2").tobytes())
