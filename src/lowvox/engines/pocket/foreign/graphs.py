"""The graphs of exports of Pocket TTS by others at work, by the order of their inputs and outputs: names differ.

Knows no text and no voice: ids, conditioning and latents go in, latents and sound come out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines.pocket.foreign import layout as pocket_foreign_layout
from lowvox.engines.pocket.foreign import states as pocket_foreign_states
from lowvox.engines.pocket.foreign.cache import ForeignCache
from lowvox.engines.pocket.foreign.graph import ForeignDecoder, ForeignGraph
from lowvox.engines.pocket.parts import Parts
from lowvox.errors import DamagedError, EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Layout
    from lowvox.engines.pocket.parts import Memory
    from lowvox.types import Profile

# A recording is heard in pieces, each behind so much of what came before as what hears can see: two layers of 250
# positions at 200 a second, and 0.2 s for the convolutions. All 30 s at once would take gigabytes.
_PIECE_S, _BEFORE_S = 4.0, 2.72


class ForeignGraphs(Parts):
    """The graphs that speak; `permits` threads may run them at once. DamagedError for those of something else."""

    piece = 128  # positions of a run; each run copies all keys and values

    def __init__(self, found: Layout, profile: Profile, permits: int) -> None:
        super().__init__(found.facts)
        self._found, self._profile = found, profile
        self.begin = _begin(found) if found.facts.bos else None
        self._graphs: dict[str, ForeignGraph] = {}
        try:
            for name in ("backbone", "flow", "decoder", "text"):
                self._graphs[name] = ForeignGraph(found, name, profile, permits)
            self._rows = pocket_foreign_states.rows(self._graphs["backbone"].states)
        except BaseException:
            self.close()
            raise

    def cache(self, heard: int, more: int) -> ForeignCache:
        """Return room for all positions that the backbone has; UsageError where a voice leaves none for a text."""
        if heard + more > self._rows.capacity:
            raise UsageError(
                f"This voice takes {heard} of the {self._rows.capacity} positions of this export, and a text needs "
                f"{more}: make the voice from a shorter recording."
            )
        return ForeignCache(self._graphs["backbone"].states, self._rows)

    def read(self, cache: Memory, ids: Sequence[int]) -> None:
        """Have the backbone read a text; DamagedError for ids that the table does not have."""
        for begin in range(0, len(ids), self.piece):
            try:
                (made,), _ = self._graphs["text"].run((np.array([ids[begin : begin + self.piece]], np.int64),))
            except EngineError as error:
                raise DamagedError(
                    f"The tokenizer is not that of this model (it has more pieces); copy or pull it again: {error}"
                ) from error
            self._run(cache, text=made.reshape(-1, self._facts.width))

    def decoding(self) -> ForeignDecoder:
        """Begin to turn frames into sound."""
        return ForeignDecoder(self._graphs["decoder"])

    def listen(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Listen piece by piece, each behind as much of the one before as can be heard in it."""
        frame = self._facts.frame
        size, before = (round(seconds * self._facts.rate / frame) for seconds in (_PIECE_S, _BEFORE_S))
        whole = np.pad(sound, (0, -len(sound) % frame))
        encoder = ForeignGraph(self._found, "encoder", self._profile)
        heard = []
        try:
            for begin in range(0, len(whole) // frame, size):
                first = max(0, begin - before)
                (made,), _ = encoder.run((whole[None, None, first * frame : (begin + size) * frame],))
                heard.append(made.reshape(-1, self._facts.width)[begin - first :])
        finally:
            encoder.close()
        return np.concatenate(heard)

    def rest(self) -> None:
        """Hand back the memory of keys and values that nobody holds any more."""
        for name in ("backbone", "decoder"):
            self._graphs[name].rest()

    def close(self) -> None:
        """Unload them; may be called twice."""
        for graph in self._graphs.values():
            graph.close()

    def _run(self, cache: Memory, **told: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        latents = told.get("latents", np.zeros((0, self._facts.latent), np.float32))
        text = told.get("text", told.get("audio", np.zeros((0, self._facts.width), np.float32)))
        expected = cache.position + len(latents) + len(text)
        (condition, end), made = self._graphs["backbone"].run((latents[None], text[None]), cache.feeds())
        cache.add(made)
        if cache.position != expected:
            raise EngineError("the backbone loses count of what it has read; copy or pull it again.")
        return condition.reshape(1, -1), float(end.reshape(-1)[0])

    def _direction(self, feeds: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        (direction,), _ = self._graphs["flow"].run((feeds["condition"], feeds["s"], feeds["t"], feeds["x"]))
        return direction.reshape(1, -1)


def _begin(found: Layout) -> NDArray[np.float32]:
    """Read what is heard before a voice, float32 [1, width]."""
    file = pocket_foreign_layout.begin(found)
    try:
        row: NDArray[Any] = np.load(file, allow_pickle=False)
        return row.astype(np.float32).reshape(1, found.facts.width)
    except (OSError, ValueError) as error:
        raise DamagedError(f"{file.name} is not that of this model ({error}); copy or pull it again.") from error
