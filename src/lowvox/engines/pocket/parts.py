"""What any Pocket TTS does with its graphs, whoever exported them: read, hear, go on by a frame.

Knows no session: how a graph is run, and what is kept between its runs, is the business of each kind of export.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lowvox.engines.pocket.sampler import sample
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Facts


class Memory(Protocol):
    """What a backbone remembers: `position` of them were read and heard, `capacity` is how many there can be."""

    position: int
    capacity: int

    def feeds(self) -> Mapping[str, NDArray[Any]]:
        """Return what the backbone takes of it."""

    def add(self, made: Mapping[str, NDArray[Any]]) -> None:
        """Take what a run of the backbone gave."""

    def back(self, position: int) -> None:
        """Forget all that came behind a position."""

    def fill(self, position: int) -> None:
        """Take up the memory of as many positions, as if they had been heard."""

    def read(self) -> NDArray[np.float32]:
        """Return a copy of keys and values, float32 [layers, 2, positions, heads, size]."""

    def write(self, kept: NDArray[np.float32]) -> None:
        """Begin with what `read` has given."""


class Decoder(Protocol):
    """Frames to sound; it remembers what was before."""

    def decode(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sound of the next frames, float32 [frames * samples]."""


class Parts(ABC):
    """Graphs at work. `begin` is what is heard before a voice, float32 [1, width], `piece` how much a run is given."""

    begin: NDArray[np.float32] | None
    piece: int

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def hear(self, cache: Memory, conditioning: NDArray[np.float32]) -> None:
        """Have the backbone hear a voice, float32 [frames, width]."""
        for begin in range(0, len(conditioning), self.piece):
            self._run(cache, audio=conditioning[begin : begin + self.piece])

    def step(self, cache: Memory, latent: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Go on by a frame from the last, [1, latent], NaN for none: what the next depends on, and the end's logit."""
        return self._run(cache, latents=latent)

    def latent(self, condition: NDArray[np.float32], noise: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
        """Return the next frame, float32 [1, latent]; DamagedError where it is no number."""

        def net(x: NDArray[np.float32], times: dict[str, float]) -> NDArray[np.float32]:
            told = {name: np.full((1, 1), time, np.float32) for name, time in times.items()}
            return self._direction({"condition": condition, "x": x, **told})

        found = sample(self._facts.flow, net, noise, steps)
        if not np.isfinite(found).all():
            raise DamagedError("The voice gives no sound (its frames are no numbers); export or copy it again.")
        return found

    def rest(self) -> None:  # noqa: B027  # most have nothing to hand back
        """Hand back memory that was of use to a stream alone."""

    @abstractmethod
    def cache(self, heard: int, more: int) -> Memory:
        """Return room for a voice of so many positions and `more` behind it; UsageError where there is not enough."""

    @abstractmethod
    def read(self, cache: Memory, ids: Sequence[int]) -> None:
        """Have the backbone read a text; DamagedError for ids that the table does not have."""

    @abstractmethod
    def decoding(self) -> Decoder:
        """Begin to turn frames into sound."""

    @abstractmethod
    def listen(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the backbone hears of a recording, float32 [frames, width], with a graph loaded for that."""

    @abstractmethod
    def close(self) -> None:
        """Unload them; may be called twice."""

    @abstractmethod
    def _run(self, cache: Memory, **told: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Run the backbone on one of `text`, `audio` and `latents`, each float32 [n, ...]."""

    @abstractmethod
    def _direction(self, feeds: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Run the flow net on `condition`, `x` and the times it wants."""
