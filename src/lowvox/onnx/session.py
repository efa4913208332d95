"""The one place that builds ONNX Runtime sessions.

A session is shared by all who ask for the same model with the same settings: its weights are in memory once, whatever
the number of streams. Knows no engine, no budget and no file but the graph.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from lowvox.errors import DamagedError, EngineError, LowvoxError, NotFoundError
from lowvox.memory import allocator
from lowvox.memory.permits import Permits
from lowvox.onnx import options, pages, providers, runtime
from lowvox.onnx.failure import told
from lowvox.onnx.options import MAPPED_SUFFIX, PROFILES
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.onnx.options import Settings

__all__ = ["MAPPED_SUFFIX", "PROFILES", "Session", "write_mapped"]

_shared: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
_loading = threading.Lock()


class Session:
    """A graph that can be run, by at most `permits` threads at once: each run at work takes its own memory.

    `source` is the path of a graph or its bytes. NotFoundError where there is no such file, DamagedError where it is no
    graph, EngineError where it is none that this ONNX Runtime can run, UsageError for an unknown profile.

    A graph that draws noise draws the same again where it is opened with the same `seed`, run after run; such a session
    is not shared. ONNX Runtime knows no seed of a run.
    """

    def __init__(
        self, source: str | Path | bytes, profile: Profile | None = None, permits: int = 1, seed: int | None = None
    ) -> None:
        settings = options.settings(profile or Profile())
        self._name = "The graph" if isinstance(source, bytes) else str(source)
        self._permits = Permits(permits)
        self._options = options.run_options(settings)
        self._key = (_identity(source), settings, None if seed is None else id(self))
        with _loading, _seed(seed):
            self._session = _shared.get(self._key)
            if self._session is None:
                self._session = _shared[self._key] = _load(source, settings, self._name)
        self._takes = tuple(given.name for given in self._session.get_inputs())

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the graph's inputs."""
        self._open()
        return self._takes

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the graph's outputs."""
        return tuple(given.name for given in self._open().get_outputs())

    @property
    def provider(self) -> str:
        """What computes it: "cpu", or another of `providers.PROVIDERS`."""
        return providers.of(self._open())

    def run(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Run the graph on arrays by input name and return the outputs that are named, or all.

        Arrays that the graph has no input for are left out; those that lie in one piece are read where they are, and
        what comes back lies where the graph put it (benchmarks/binding.py). Waits for a permit. EngineError where the
        arrays do not fit the graph, or memory does not suffice.
        """
        session = self._open()
        given = {name: feeds[name] for name in self._takes if name in feeds}
        with self._permits:
            try:
                results: list[NDArray[Any]] = session.run(outputs, given, self._options)
            except Exception as error:  # ONNX Runtime's errors have no class in common
                raise told(EngineError, f"{self._name} failed at work", error, "try another model") from error
        return results

    def close(self) -> None:
        """Let go of the graph; its memory goes back to the system with its last user. May be called twice."""
        self._session = None
        if self._key not in _shared:
            allocator.trim()

    def _open(self) -> Any:
        if self._session is None:
            raise EngineError(f"The session of {self._name} is closed; open another.")
        return self._session


def write_mapped(graph: Path, target: Path) -> None:
    """Write a graph in the format that is mapped (`.ort`), for this machine's kind of processor and any other.

    DamagedError where it is no graph, EngineError where it is none that this ONNX Runtime can run.
    """
    onnxruntime = runtime()
    how = onnxruntime.SessionOptions()
    how.log_severity_level = 4
    # What goes further is laid out for one kind of processor.
    how.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    how.optimized_model_filepath = str(target)
    how.add_session_config_entry("session.save_model_format", "ORT")
    try:
        onnxruntime.InferenceSession(str(graph), how, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise told(DamagedError, f"{graph} cannot be loaded", error, "copy or pull it again") from error


def _identity(source: str | Path | bytes) -> Hashable:
    """Return what is the same for the same graph only; a file that is replaced is another."""
    if isinstance(source, bytes):
        return len(source), hash(source)
    try:
        found = Path(source).stat()
    except OSError as error:
        raise NotFoundError(f"There is no model file {source}; run `lowvox models`.") from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _load(source: str | Path | bytes, settings: Settings, name: str) -> Any:
    pages.give_back()
    graph = source if isinstance(source, bytes) else str(source)

    def make(own: list[str]) -> Any:
        # Its own fallback prints, and takes whatever else there is.
        how = options.session_options(settings, source)
        return runtime().InferenceSession(graph, how, providers=own, enable_fallback=0)

    try:
        session = providers.build(make, settings.providers, name)
    except LowvoxError:
        raise
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise told(DamagedError, f"{name} cannot be loaded", error, "copy or pull it again") from error
    allocator.trim()  # the graph as it was read, which the session has copied
    return session


@contextmanager
def _seed(seed: int | None) -> Iterator[None]:
    """Seed what is loaded meanwhile; what is loaded afterwards draws as it likes again."""
    if seed is None:
        yield
        return
    runtime().set_seed(seed)
    try:
        yield
    finally:
        runtime().set_seed(int.from_bytes(os.urandom(7)))
