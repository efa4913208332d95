"""A VITS voice at work, whatever its family: ids and scales in, sound out, in windows where it was split.

A voice that was split (`lowvox shrink split`) gives its first sound after the first window, and its peak does not
follow the length of the sentence; a whole one gives a sentence in one piece. Knows no phonemes: that is the business of
the families (`piper`, `vosk_tts`).
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import DamagedError, EngineError
from lowvox.memory import allocator
from lowvox.onnx import mapping, split
from lowvox.onnx.session import MAPPED_SUFFIX, Session
from lowvox.onnx.stages import stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.types import Profile

WINDOW = 64  # frames
# Symbols of one run, some 25 s of speech: a sentence with more is spoken in parts, so that its memory has an end.
LONGEST = 640
# Seconds of sound after which the heaviest run is stopped if it is in windows: each takes what the one before did.
_TELLING_S = 4.0
# A profile of this name loads the front for each sentence and lets go of it before the rest is loaded: the least
# memory, for the price of loading twice a sentence.
APART = "apart"
_LOUDEST = 32767


class Vits:
    """A loaded voice; `run` may be called by several threads, of which `permits` work at once.

    `path` is the whole graph, or where it would be had it not been split. `trial` are feeds for a few symbols, on which
    it is tried: DamagedError where the graph does not take them.
    """

    def __init__(
        self, path: Path, profile: Profile, permits: int = 1, trial: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        self._profile = profile
        self._permits = permits
        sidecar = path.with_suffix(split.SUFFIX)
        self._split = split.read(sidecar) if sidecar.exists() else None
        files = self._split.files if self._split else (path.name,)
        self._paths = [path.with_name(name) for name in files]
        self._sessions: list[Session] | None = None
        front = self._open(0)
        self.inputs = front.inputs
        if trial is not None:
            with _belonging(self._paths[0]):
                front.run(self._known(trial))
        if profile.name == APART and self._split:
            front.close()
        else:
            self._sessions = [front, *(self._open(at) for at in range(1, len(files)))]

    def seeded(self, seed: int) -> Session:
        """Open what draws the noise once more, for whoever wants the same noise again: see `Session`."""
        return self._open(0, seed)

    def run(self, feeds: Mapping[str, NDArray[Any]], front: Session | None = None) -> Generator[NDArray[np.float32]]:
        """Speak one sentence: float32 [n] in [-1, 1], window by window.

        Feeds that the voice has no input for are left out. `front` is what `seeded` gave, where noise is to be the same
        again. EngineError where the voice wants other feeds.
        """
        if self._split is None:
            assert self._sessions
            yield (front or self._sessions[0]).run(self._known(feeds))[0].reshape(-1)
            return
        handed = self._handed(self._known(feeds), front)
        self._rest(self._paths[0])
        opened = self._sessions[1:] if self._sessions else [self._open(at) for at in range(1, len(self._paths))]
        try:
            stages = list(zip(self._split.stages, opened, strict=True))
            for made in stream(stages, handed, self._profile.window or WINDOW):
                yield made.reshape(-1)
        finally:
            if not self._sessions:
                _close(opened)
            self._rest(*self._paths)

    def heaviest(
        self, feeds: Mapping[str, NDArray[Any]], rate: int, front: Session | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Speak feeds of the `LONGEST` length as `run` does, no longer than tells what that takes."""
        made = 0
        with closing(self.run(feeds, front)) as sounds:
            for sound in sounds:
                yield sound
                made += len(sound)
                if self._split and made >= _TELLING_S * rate:
                    return

    def close(self) -> None:
        """Unload it; may be called twice."""
        _close(self._sessions or [])

    def _known(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {name: array for name, array in feeds.items() if name in self.inputs}

    def _handed(self, feeds: Mapping[str, NDArray[Any]], own: Session | None) -> dict[str, NDArray[Any]]:
        """Run what sees the whole sentence."""
        front = own or (self._sessions[0] if self._sessions else self._open(0))
        try:
            return dict(zip(front.outputs, front.run(feeds), strict=True))
        finally:
            if not own and not self._sessions:
                front.close()

    def _open(self, at: int, seed: int | None = None) -> Session:
        name = "default" if self._profile.name == APART else self._profile.name
        if name == "default" and at == 0:  # every sentence is of another length
            name = "varied"
        # The front runs once a sentence: packed it would cost more than it saves.
        elif name == "default" and self._split and self._split.packed:
            name = "packed"
        session = Session(self._paths[at], replace(self._profile, name=name), self._permits, seed)
        self._rest(self._paths[at])
        return session

    def _rest(self, *paths: Path) -> None:
        """Give back what was read of these parts, where they are mapped: the next run reads it again."""
        if paths[0].suffix == MAPPED_SUFFIX:
            mapping.give_back(*paths)


@contextmanager
def _belonging(path: Path) -> Iterator[None]:
    """Say of a graph that fails at its first run that it is not what its voice says."""
    try:
        yield
    except EngineError as error:
        if allocator.failed(str(error.__cause__)):
            raise
        raise DamagedError(f"{path.name} is not the graph of this voice: {error}") from error


def _close(sessions: list[Session]) -> None:
    for session in sessions:
        session.close()


def pcm(sound: NDArray[np.float32], volume: float = 1.0) -> bytes:
    """Turn samples in [-1, 1] into PCM; what is louder is clipped. DamagedError where a voice gives no numbers."""
    if not np.isfinite(sound).all():
        raise DamagedError("The voice gives no sound (its samples are no numbers); copy or pull it again.")
    return bytes((np.clip(sound * volume, -1, 1) * _LOUDEST).astype("<i2").tobytes())
