"""One graph of an export of Pocket TTS by others, run by the order of its inputs and outputs; and the decoder.

Knows nothing of what the others do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines.pocket.foreign import bundle as pocket_foreign_bundle
from lowvox.engines.pocket.foreign import header as pocket_foreign_header
from lowvox.engines.pocket.foreign import states as pocket_foreign_states
from lowvox.engines.pocket.foreign.layout import TAKES
from lowvox.errors import DamagedError
from lowvox.onnx.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.pocket.foreign.states import State
    from lowvox.engines.pocket.layout import Layout
    from lowvox.types import Profile

_REMEMBER = ("backbone", "decoder")


class ForeignGraph:
    """A graph by its part in the model; `states` are what it remembers. DamagedError where it is that of another."""

    def __init__(self, found: Layout, name: str, profile: Profile, permits: int = 1) -> None:
        file = found.folder / found.facts.graphs[name].file
        header = pocket_foreign_header.read(file)
        inputs, outputs = TAKES[name]
        told = pocket_foreign_bundle.read(file.parent).told(name)
        try:
            self.states = pocket_foreign_states.states(header, TAKES[name], told, stateful=name in _REMEMBER)
        except ValueError as error:
            raise DamagedError(
                f"{file.name} is not the {name} graph of a Pocket TTS ({error}); copy or pull it again."
            ) from error
        self._given, self._gives = header.inputs[:inputs], [out.name for out in header.outputs[:outputs]]
        self._changed = [state.out for state in self.states if not state.copied]
        self._session = Session(file, profile, permits)

    def run(
        self, given: Sequence[NDArray[Any]], states: Mapping[str, NDArray[Any]] | None = None
    ) -> tuple[list[NDArray[Any]], dict[str, NDArray[Any]]]:
        """Run it on arrays in its order; return what it gives in its order, and the states that it changes by name.

        Arrays may have more axes of size 1 in front than the graph wants.
        """
        feeds = {
            wanted.name: array.reshape(array.shape[max(0, array.ndim - len(wanted.shape)) :])
            for wanted, array in zip(self._given, given, strict=True)
        }
        made = self._session.run({**feeds, **(states or {})}, [*self._gives, *self._changed])
        count = len(self._gives)
        return made[:count], dict(zip(self._changed, made[count:], strict=True))

    def rest(self) -> None:
        """Have the memory of states that nobody holds handed back: that is done behind a run which keeps none."""
        shapes = {given.name: [size or 1 for size in given.shape] for given in self._given}
        feeds = {given.name: np.zeros(shapes[given.name], given.dtype) for given in self._given}
        self._session.run({**feeds, **begun(self.states)}, self._gives[:1])

    def close(self) -> None:
        """Unload it; may be called twice."""
        self._session.close()


class ForeignDecoder:
    """Frames to sound. What hears is in some decoders' states too: it stays as it is, and takes no memory."""

    def __init__(self, graph: ForeignGraph) -> None:
        self._graph = graph
        self._held = begun(graph.states)

    def decode(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sound of the next frames, float32 [frames * samples].

        One at a time: in some exports what is seen of the past has no room for more.
        """
        return np.concatenate([self._next(latents[at : at + 1]) for at in range(len(latents))])

    def _next(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        (sound,), made = self._graph.run((latent[None],), self._held)
        for state in self._graph.states:
            if not state.copied:
                self._held[state.name] = made[state.out]
        return sound.reshape(-1)


def begun(states: Sequence[State]) -> dict[str, NDArray[Any]]:
    """Return what states are at first; zeros take no memory until somebody writes to them, and a graph does not."""
    return {state.name: (np.ones if state.fill else np.zeros)(state.shape, state.dtype) for state in states}
