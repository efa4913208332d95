"""The three graphs of F5 at work: reference and text in, sound out, step by step. Knows no text and no chunks.

Inputs and outputs are known by their place: the name `time_step` was meant for both sides of one graph, which ONNX does
not allow, and each exporter has found another way out.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines.vits import APART
from lowvox.errors import DamagedError, EngineError
from lowvox.onnx import runtime
from lowvox.onnx.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.types import Profile

LOUDEST = 32767
# The seed is one for the whole process, and a graph takes it when it is loaded.
_seeding = threading.Lock()


class Graphs:
    """The graphs in `paths`: preprocess, transformer, decode; `runs` is how often the second one is run.

    The first, which holds the noise, is loaded for each chunk: so the same words with the same seed are the same sound,
    whatever was spoken before. That takes less than a step of the second. With the profile "apart" the others are
    loaded for each chunk as well, and never two at once. DamagedError for graphs of something else.
    """

    def __init__(self, paths: tuple[Path, Path, Path], profile: Profile, runs: int) -> None:
        self._preprocess, self._transformer, self._decode = paths
        self._profile = replace(profile, name="default") if profile.name == APART else profile
        self._runs = runs
        self._closed = False
        self._between = 0  # how many arrays go from the first graph to the second, with the time
        with self._fresh(0) as session:
            self._between = len(session.outputs)
        self._kept: dict[Path, Session] = {}
        if profile.name != APART:
            self._kept = {path: self._open(path) for path in (self._transformer, self._decode)}

    def run(
        self, audio: NDArray[np.int16], ids: list[int], frames: int, seed: int, steps: int | None = None
    ) -> NDArray[np.float32]:
        """Speak a chunk: float32 [n] in units of 16 bits, without the reference.

        `audio` is the reference [n], `ids` the text of reference and chunk together, which take `frames`. After less
        `steps` than the graphs have it is still noise.
        """
        if self._closed:
            raise EngineError("This voice of f5 is unloaded; open another.")
        with self._fresh(seed) as session:
            told = (audio.reshape(1, 1, -1), np.array([ids], np.int32), np.array([frames], np.int64))
            handed = session.run(dict(zip(session.inputs, told, strict=True)))
        length = handed.pop()
        with self._at_work(self._transformer) as session:
            denoised = self._denoised(session, handed, steps or self._runs)
        with self._at_work(self._decode) as session:
            (made,) = session.run(dict(zip(session.inputs, (denoised, length), strict=True)))
        return _sound(made)

    def close(self) -> None:
        """Unload them; may be called twice."""
        self._closed = True
        while self._kept:
            self._kept.popitem()[1].close()

    def _denoised(self, session: Session, handed: list[NDArray[Any]], steps: int) -> NDArray[Any]:
        """Run the steps: what one gives takes the place of what it took. `handed` is empty afterwards."""
        feeds = dict(zip(session.inputs, [*handed, np.zeros(1, np.int32)], strict=True))
        handed.clear()
        noise, *_, time = session.inputs
        for _ in range(steps):
            feeds[noise], feeds[time] = session.run(feeds)
        return feeds[noise]

    @contextmanager
    def _fresh(self, seed: int) -> Iterator[Session]:
        """Lend the first graph with its noise at the beginning."""
        with _seeding:
            runtime().set_seed(seed)
            session = self._open(self._preprocess)
            try:
                yield session
            finally:
                session.close()

    @contextmanager
    def _at_work(self, path: Path) -> Iterator[Session]:
        """Lend a graph: the one that is kept, or one that is loaded for this."""
        session = self._kept.get(path) or self._open(path)
        try:
            yield session
        finally:
            if path not in self._kept:
                session.close()

    def _open(self, path: Path) -> Session:
        """Load a graph; DamagedError where its inputs and outputs are not as many as those of its place."""
        session = Session(path, self._profile)
        takes, gives = len(session.inputs), len(session.outputs)
        fits = {
            self._preprocess: takes == 3 and gives >= 4,
            self._transformer: (takes, gives) == (self._between, 2),
            self._decode: (takes, gives) == (2, 1),
        }
        if not fits[path]:
            told = f"{', '.join(session.inputs)} -> {', '.join(session.outputs)}"
            session.close()
            raise DamagedError(f"{path} is not that graph of F5 ({told}); copy or export the voice again.")
        return session


def _sound(made: NDArray[Any]) -> NDArray[np.float32]:
    """Return samples in units of 16 bits; exports that give floats give them in [-1, 1]."""
    sound = made.reshape(-1).astype(np.float32)
    if not np.isfinite(sound).all():
        raise DamagedError("The voice gives no sound (its samples are no numbers); copy or pull it again.")
    return sound if made.dtype == np.int16 else sound * np.float32(LOUDEST)
