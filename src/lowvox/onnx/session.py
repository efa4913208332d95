"""The one place that builds ONNX Runtime sessions, and the one that translates its errors.

A session is shared by all who ask for the same model with the same profile: its weights are in memory once, whatever
the number of streams. Knows no engine, no budget and no file but the graph.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from lowvox.errors import DamagedError, EngineError, NotFoundError, UsageError
from lowvox.memory import allocator
from lowvox.memory.permits import Permits
from lowvox.onnx import runtime
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.errors import LowvoxError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a profile's name stands for.

    `arena` has a run take its memory in few large pieces; `packed` copies the weights of a mapped graph (`.ort`) into
    the order in which products of matrices read them.
    """

    arena: bool = True
    packed: bool = False


# On a VITS decoder of 14 M parameters, 200 frames, in MB above the process: peak, then what is held after the run
# (benchmarks/sessions.py; ONNX Runtime as it comes: 162 to 177, all of it kept).
PROFILES: dict[str, Settings] = {
    "default": Settings(),  # 129, 72; 2 to 4 % slower than as it comes
    "no-arena": Settings(arena=False),  # 121, 68; a whole voice takes a tenth longer, in INT8 a fifth (profiles.py)
    # For an .ort in INT8: unpacked its convolutions take a quarter longer, large products 2.7 times as long. In FP32
    # neither does.
    "packed": Settings(packed=True),
}
# An .ort that is not mapped is copied twice while it loads. Mapped, its weights are pages of the file: the system can
# drop them and read them again, and two processes have them once.
_MAPPED = (
    "session.use_memory_mapped_ort_model",
    "session.use_ort_model_bytes_directly",
    "session.use_ort_model_bytes_for_initializers",
)
MAPPED_SUFFIX = ".ort"

# M_MMAP_THRESHOLD of glibc's mallopt, and from which size on a request gets pages of its own, in bytes.
_THRESHOLD, _OWN_PAGES = -3, 2**20

_shared: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
_loading = threading.Lock()


class Session:
    """A graph that can be run, by at most `permits` threads at once: each run at work takes its own memory.

    `source` is the path of a graph or its bytes. NotFoundError where there is no such file, DamagedError where it is no
    graph that this ONNX Runtime can run, UsageError for an unknown profile.

    A graph that draws noise draws the same again where it is opened with the same `seed`, run after run; such a session
    is not shared. ONNX Runtime knows no seed of a run.
    """

    def __init__(
        self, source: str | Path | bytes, profile: Profile | None = None, permits: int = 1, seed: int | None = None
    ) -> None:
        profile = profile or Profile()
        if profile.name not in PROFILES:
            raise UsageError(f"There is no session profile {profile.name!r}; there are {', '.join(PROFILES)}.")
        self._name = "The graph" if isinstance(source, bytes) else str(source)
        self._permits = Permits(permits)
        self._options = _run_options(profile.name)
        self._key = (_identity(source), profile.name, profile.threads, None if seed is None else id(self))
        with _loading, _seed(seed):
            self._session = _shared.get(self._key)
            if self._session is None:
                self._session = _shared[self._key] = _load(source, profile, self._name)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the graph's inputs."""
        return tuple(given.name for given in self._open().get_inputs())

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the graph's outputs."""
        return tuple(given.name for given in self._open().get_outputs())

    def run(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Run the graph on arrays by input name and return the outputs that are named, or all.

        Waits for a permit. EngineError where the arrays do not fit the graph, or memory does not suffice.
        """
        session = self._open()
        with self._permits:
            try:
                results: list[NDArray[Any]] = session.run(outputs, dict(feeds), self._options)
            except Exception as error:  # ONNX Runtime's errors have no class in common
                raise _told(EngineError, f"{self._name} failed at work", error, "try another model") from error
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

    DamagedError where it is no graph that this ONNX Runtime can run.
    """
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # What goes further is laid out for one kind of processor.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise _told(DamagedError, f"{graph} cannot be loaded", error, "copy or pull it again") from error


def _identity(source: str | Path | bytes) -> Hashable:
    """Return what is the same for the same graph only; a file that is replaced is another."""
    if isinstance(source, bytes):
        return len(source), hash(source)
    try:
        found = Path(source).stat()
    except OSError as error:
        raise NotFoundError(f"There is no model file {source}; run `lowvox models`.") from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _load(source: str | Path | bytes, profile: Profile, name: str) -> Any:
    _own_pages()
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised, and what is only odd is not for users
    options.intra_op_num_threads = profile.threads
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the processor from whoever records, plays or recognises meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = PROFILES[profile.name].arena
    if not isinstance(source, bytes) and Path(source).suffix == MAPPED_SUFFIX:
        for key in _MAPPED:
            options.add_session_config_entry(key, "1")
        if not PROFILES[profile.name].packed:
            options.add_session_config_entry("session.disable_prepacking", "1")
    graph = source if isinstance(source, bytes) else str(source)
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no class in common
        raise _told(DamagedError, f"{name} cannot be loaded", error, "copy or pull it again") from error
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


@cache
def _run_options(name: str) -> Any:
    options = runtime().RunOptions()
    options.log_severity_level = 4
    if PROFILES[name].arena:
        # After every run: its pages have to come anew, which is up to 4 % of its time whatever its length, and an idle
        # session holds half of what it did.
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@cache
def _own_pages() -> None:
    """Have glibc give every large request pages of its own, which go back to the system as soon as they are freed.

    On its own glibc raises the size at which it does this, up to 32 MB, with the first large piece that is freed: from
    the second load on weights lie in one heap with everything else, and what is freed below something stays. A stack of
    75 MB then takes 206 MB where it could take 82, and an arena that shrinks leaves holes. Runs are not slower for it.
    What a user has set stays as it is.
    """
    set_by_user = "MALLOC_MMAP_THRESHOLD_" in os.environ or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or set_by_user:
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt:
        mallopt(_THRESHOLD, _OWN_PAGES)


def _told(kind: type[LowvoxError], what: str, error: Exception, then: str) -> LowvoxError:
    """Return one sentence for what ONNX Runtime says, which may have several lines and begins with its codes."""
    if allocator.failed(f"{type(error).__name__}: {error}"):
        return EngineError(f"{what}: there was no more memory for it; close something or take a smaller model.")
    first = (str(error).splitlines() or [""])[0]
    reason = first.rsplit(" : ", 1)[-1][:200].rstrip(". ")
    return kind(f"{what} ({reason or type(error).__name__}); {then}.")
