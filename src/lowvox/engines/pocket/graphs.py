"""The graphs of Pocket TTS at work: backbone, flow net, and what turns frames into sound or sound into frames.

Knows no text and no voice: ids, conditioning and latents go in, latents and sound come out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines.pocket.cache import Cache
from lowvox.engines.pocket.layout import BEGIN, TABLE
from lowvox.engines.pocket.parts import Parts
from lowvox.errors import DamagedError
from lowvox.onnx.session import Session
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import Facts, Layout
    from lowvox.engines.pocket.parts import Memory

_AT_ONCE = 2  # frames of a recording that are heard together: 12 would take 50 MB more, 1 a third more time
_TIMES = {"lsd": {"s", "t"}, "flow_matching": {"t"}, "drifting": set[str](), "pointwise": set[str]()}


class Graphs(Parts):
    """The graphs that speak; `permits` threads may run them at once. DamagedError for those of something else."""

    piece = 64  # positions of a run: more would take more memory, fewer more time

    def __init__(self, found: Layout, profile: Profile, permits: int) -> None:
        super().__init__(found.facts)
        self._found, self._profile = found, profile
        self._table = _rows(found, TABLE, found.facts.tokenizer.size + 1)
        self.begin = _rows(found, BEGIN, 1, found.facts.width) if found.facts.bos else None
        self._graphs: dict[str, Graph] = {}
        try:
            for name in ("backbone", "flow", "decoder"):
                self._graphs[name] = Graph(found, name, profile, permits)
        except BaseException:
            self.close()
            raise

    def cache(self, heard: int, more: int) -> Cache:
        """Return room for so many positions."""
        cached = self._facts.graphs["backbone"].cache
        assert cached
        return Cache(cached, heard + more)

    def read(self, cache: Memory, ids: Sequence[int]) -> None:
        """Have the backbone read a text; DamagedError for ids that the table does not have."""
        if ids and not 0 <= min(ids) <= max(ids) < len(self._table):
            raise DamagedError("The tokenizer is not that of this voice (it has more pieces); export the voice again.")
        for begin in range(0, len(ids), self.piece):
            self._run(cache, text=np.array(self._table[ids[begin : begin + self.piece]]))

    def decoding(self) -> Coder:
        """Begin to turn frames into sound."""
        return Coder(self._graphs["decoder"])

    def listen(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Listen piece by piece."""
        encoder = Graph(self._found, "encoder", self._profile)
        try:
            coder, size = Coder(encoder), self._facts.frame * _AT_ONCE
            whole = np.pad(sound, (0, -len(sound) % self._facts.frame))
            return np.concatenate([coder.encode(whole[at : at + size]) for at in range(0, len(whole), size)])
        finally:
            encoder.close()

    def close(self) -> None:
        """Unload them; may be called twice."""
        for graph in self._graphs.values():
            graph.close()

    def _run(self, cache: Memory, **told: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        widths = {"text": self._table.shape[1], "audio": self._facts.width, "latents": self._facts.latent}
        feeds = {name: told.get(name, np.zeros((0, width), np.float32)) for name, width in widths.items()}
        made = self._graphs["backbone"].run({**feeds, **cache.feeds()})
        cache.add(made)
        return made["condition"], float(made["eos"].reshape(-1)[0])

    def _direction(self, feeds: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        return self._graphs["flow"].run(feeds)["direction"]


class Coder:
    """A graph that goes along sound and remembers: the decoder, or the encoder."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._cache = Cache(graph.facts.cache) if graph.facts.cache else None
        self._states = {state.name: np.zeros(state.shape, np.float32) for state in graph.facts.states}
        self._begun = False

    def decode(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sound of the next frames, float32 [frames * samples]."""
        return self._run({"latents": latents})["audio"]

    def encode(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the backbone hears of the next whole frames of sound, float32 [frames, width]."""
        return self._run({"audio": audio, "first": np.array([not self._begun])})["conditioning"]

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        cached = {**self._cache.feeds(), "offset": np.array([self._cache.position])} if self._cache else {}
        made = self._graph.run({**feeds, **cached, **self._states})
        if self._cache:
            self._cache.add(made)
        self._states = {name: made[f"next_{name}"] for name in self._states}
        self._begun = True
        return made


class Graph:
    """A graph by name: arrays go in and come out by theirs. DamagedError where it is not what the sidecar describes."""

    def __init__(self, found: Layout, name: str, profile: Profile, permits: int = 1) -> None:
        self.facts = found.facts.graphs[name]
        chosen = profile.name if profile.name != Profile().name else self.facts.profile
        self._session = Session(found.folder / self.facts.file, replace(profile, name=chosen), permits)
        self._outputs = self._session.outputs
        if strange := sorted(_inputs(name, found.facts) ^ {*self._session.inputs}):
            self.close()
            raise DamagedError(
                f"{self.facts.file} is not the {name} of this voice (inputs {', '.join(strange[:4])}); export or copy "
                "it again."
            )

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it."""
        return dict(zip(self._outputs, self._session.run(feeds), strict=True))

    def close(self) -> None:
        """Unload it; may be called twice."""
        self._session.close()


def _inputs(name: str, facts: Facts) -> set[str]:
    """Return what a graph takes."""
    graph = facts.graphs[name]
    own = {
        "backbone": {"text", "audio", "latents"},
        "flow": {"condition", "x"} | _TIMES[facts.flow],
        "decoder": {"latents", "offset"},
        "encoder": {"audio", "first", "offset"},
    }[name]
    cached = {f"{kind}{layer}" for layer in range(graph.cache.layers) for kind in "kv"} if graph.cache else set()
    return own | cached | {state.name for state in graph.states}


def _rows(found: Layout, name: str, count: int, width: int | None = None) -> NDArray[np.float32]:
    """Map a table of float32 [count, width]: of a large one, only what is looked up is ever read."""
    table: NDArray[np.float32]
    try:
        table = np.load(found.folder / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DamagedError(f"{name} is damaged ({error}); export or copy the voice again.") from error
    if table.dtype != np.float32 or table.ndim != 2 or len(table) != count or (width and table.shape[1] != width):
        raise DamagedError(f"{name} is not the table of this voice; export or copy the voice again.")
    return table
