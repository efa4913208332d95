"""A lowered program at work in ExecuTorch's own runtime, with the calls of `onnx.session.Session`.

So that what runs stages in windows runs these too. The runtime's Python interface needs torch, whose memory is in every
figure of such a process. Also the inside of a trial of a program, as `trial_graph` is of a graph.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import DamagedError, EngineError
from lowvox.shrink.executorch import layout
from lowvox.shrink.quiet import quiet
from lowvox.shrink.trials.measuring import Subject
from lowvox.shrink.trials.trial_graph import Timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.types import Model, Profile

_INSIDE = "lowvox.shrink.executorch.run:Trial"


class Program:
    """A program that can be run, one run at a time.

    NotFoundError where there is none or ExecuTorch is missing, DamagedError for a file that ExecuTorch cannot load.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        layout.require()
        self.told = layout.read(path)
        self._name = str(path)
        self._outputs = list(self.told.outputs)
        try:
            with _silent():
                self._method = _runtime(threads).load_program(path).load_method("forward")
        except Exception as error:  # the runtime raises RuntimeError for whatever happens in it
            raise DamagedError(f"{path} cannot be loaded ({_first(error)}); lower it again.") from error
        if self._method is None:
            raise DamagedError(f"{path} cannot be loaded (it has no method forward); lower it again.")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what it takes."""
        return tuple(given.name for given in self.told.inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what it gives."""
        return self.told.outputs

    def run(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """Run on arrays by input name and return the outputs that are named, or all; EngineError for others."""
        import torch

        if self._method is None:
            raise EngineError(f"The program {self._name} is closed; open another.")
        given = [torch.from_numpy(self._fitting(feeds, each)) for each in self.told.inputs]
        try:
            made = self._method.execute(given)
        except Exception as error:  # as above
            raise EngineError(f"{self._name} failed at work ({_first(error)}).") from error
        found = dict(zip(self._outputs, (each.numpy() for each in made), strict=True))
        return [found[name] for name in outputs or self._outputs]

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self._method = None

    def _fitting(self, feeds: Mapping[str, NDArray[Any]], wanted: layout.Given) -> NDArray[Any]:
        if wanted.name not in feeds:
            raise EngineError(
                f"{self._name} takes {wanted.name!r}, which is missing; it takes {', '.join(self.inputs)}."
            )
        value = np.ascontiguousarray(feeds[wanted.name])
        fits = value.dtype == wanted.dtype and value.ndim == len(wanted.shape)
        for at, (size, most) in enumerate(zip(value.shape, wanted.shape, strict=False)):
            shorter = at == wanted.open and not wanted.exact and 1 <= size < most
            fits = fits and (size == most or shorter)
        if not fits:
            raise EngineError(
                f"{self._name} takes {wanted.name!r} as {wanted.dtype} {list(wanted.shape)}, not as {value.dtype} "
                f"{list(value.shape)}; run longer inputs in windows, and shorter ones by "
                f"{'the ONNX graph' if wanted.exact else 'themselves'}."
            )
        return value


@dataclass(frozen=True, slots=True)
class ProgramWork:
    """What a program is run on in its trial: its path, and a sample."""

    path: str
    sample: Mapping[str, NDArray[Any]]


class Trial:
    """A program in a process of its own: see `measuring`."""

    def load(self, model: Model, profile: Profile) -> Trial:  # noqa: ARG002  # what is run comes with `begin`
        """Load ExecuTorch, so that it is in no program's time."""
        with _silent():
            _runtime(1)
        return self

    def begin(self, work: ProgramWork, batch: int, threads: int) -> tuple[float, float, str]:
        """Load the program and run it once; return the seconds of both, and what computes."""
        begun = time.perf_counter()
        program = Program(Path(work.path), threads)
        loaded = time.perf_counter()
        program.run(work.sample)
        ran = time.perf_counter()

        def once(_: int) -> float:
            for _ in range(batch):
                program.run(work.sample)
            return 0.0

        self._timed = Timed(once)
        return loaded - begun, ran - loaded, "executorch"

    def warm(self) -> None:
        """Run without timing."""
        self._timed.warm()

    def time(self, runs: int) -> list[tuple[float, float, float]]:
        """See `Timed.time`."""
        return self._timed.time(runs)


def of_program(path: Path, sample: Mapping[str, NDArray[Any]], threads: int = 1, name: str | None = None) -> Subject:
    """Return a program as `measuring.measured` measures it: a batch is so many runs one after the other."""
    work = ProgramWork(str(path), dict(sample))
    return Subject(name or path.name, path.stat().st_size, _INSIDE, work, threads)


def _runtime(threads: int) -> Any:
    with quiet():
        import executorch.kernels.quantized  # noqa: F401  # makes its operators known
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime

        portable_lib._unsafe_reset_threadpool(threads)
        return Runtime.get()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep off the terminal what its C++ parts write of the processor, past Python."""
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(". ")
