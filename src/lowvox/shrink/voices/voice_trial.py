"""A voice as it is measured: symbols in and sound out, as its engine runs it, whole or in windows.

It is given symbols and no text: every voice has some of its own, whatever it speaks and whatever finds its phonemes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowvox.engines.vits import Vits
from lowvox.onnx import runtime, split
from lowvox.shrink.trials import sizes
from lowvox.shrink.trials.measuring import Subject
from lowvox.shrink.trials.trial_graph import Timed
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lowvox.types import Model

# A sentence of some eight words: phonemes, and a blank between each two.
SYMBOLS = 80
_PROGRAM = "lowvox.shrink.voices.voice_trial:Program"


@dataclass(frozen=True, slots=True)
class VoiceWork:
    """What is run: the voice whose whole graph is, or would be, at `path`, and inputs; `rate` in samples a second."""

    path: str
    feeds: Mapping[str, NDArray[Any]]
    rate: int


class Program:
    """A voice in its process."""

    def load(self, model: Model, profile: Profile) -> Program:  # noqa: ARG002  # what is run comes with `begin`
        """Load what every voice needs, so that it is in no voice's time."""
        runtime()
        return self

    def begin(self, work: VoiceWork, batch: int, threads: int) -> tuple[float, float, str]:
        """Load the voice and speak once; return the seconds until it is loaded, and from then to the first sound."""
        begun = time.perf_counter()
        self._work = work
        self._voice = Vits(Path(work.path), Profile(threads=threads), batch)
        loaded = time.perf_counter()
        spoken = self._voice.run(work.feeds)
        next(spoken)
        first = time.perf_counter()
        list(spoken)
        self._timed = Timed(lambda _: self._seconds(), batch)
        return loaded - begun, first - loaded, "cpu"

    def warm(self) -> None:
        """Speak without timing, once: a sentence takes seconds."""
        self._timed.run()

    def time(self, runs: int) -> list[tuple[float, float, float]]:
        """See `Timed.time`."""
        return self._timed.time(runs)

    def _seconds(self) -> float:
        return sum(len(sound) for sound in self._voice.run(self._work.feeds)) / self._work.rate


def subject(name: str, path: Path, feeds: Mapping[str, NDArray[Any]], rate: int) -> Subject:
    """Return a voice as it is measured; its size is that of its graph, or of the parts that it was split into."""
    sidecar = path.with_suffix(split.SUFFIX)
    files = split.read(sidecar).files if sidecar.exists() else (path.name,)
    size = sum(sizes.graph(path.with_name(file)) for file in files)
    return Subject(name, size, _PROGRAM, VoiceWork(str(path), dict(feeds), rate))
