"""The inside of a trial of a graph: it is loaded and run on a sample in a process of its own.

Knows no process and no memory: `shrink.trials.measuring` stands outside.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import EngineError
from lowvox.onnx import runtime
from lowvox.onnx.session import Session
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from lowvox.types import Model

SEED = 7
_WARM = 3


@dataclass(frozen=True, slots=True)
class GraphWork:
    """What is run: a graph by its path or bytes, and a sample; a batch is `stacked` along the first axis, or at once.

    `provider` computes it, see `onnx.providers`.
    """

    path: str | bytes
    sample: Mapping[str, NDArray[Any]]
    stacked: bool = False
    provider: str = "cpu"


class Timed:
    """Does a piece of work so many times at once; `once` is given its number and returns the seconds of sound."""

    def __init__(self, once: Callable[[int], float], at_once: int = 1) -> None:
        self._once = once
        self._at_once = at_once
        self._pool = ThreadPoolExecutor(at_once) if at_once > 1 else None

    def warm(self) -> None:
        """Run without timing."""
        for _ in range(_WARM):
            self.run()

    def run(self) -> float:
        """Run once and return the seconds of sound of all."""
        return sum(self._pool.map(self._once, range(self._at_once))) if self._pool else self._once(0)

    def time(self, runs: int) -> list[tuple[float, float, float]]:
        """Return the seconds of each run by the clock, of all processors together, and of sound."""
        found = []
        for _ in range(runs):
            begun, worked = time.perf_counter(), time.process_time()
            sound = self.run()
            found.append((time.perf_counter() - begun, time.process_time() - worked, sound))
        return found


class Program:
    """A graph in its process."""

    def load(self, model: Model, profile: Profile) -> Program:  # noqa: ARG002  # what is run comes with `begin`
        """Load what every graph needs, so that it is in no graph's time."""
        runtime()
        return self

    def begin(self, work: GraphWork, batch: int, threads: int) -> tuple[float, float, str]:
        """Load the graph and run it once; return the seconds of both, and the provider."""
        begun = time.perf_counter()
        at_once = 1 if work.stacked else batch
        profile = Profile(threads=threads, stated=(("providers", (work.provider,)),))
        self._session = Session(work.path, profile, at_once, SEED)
        loaded = time.perf_counter()
        sample = stacked(work.sample, batch) if work.stacked else work.sample
        if sample:
            self._session.run(sample)
        ran = time.perf_counter()
        self._timed = Timed(lambda _: self._silent(sample), at_once)
        return loaded - begun, ran - loaded, self._session.provider

    def warm(self) -> None:
        """Run without timing."""
        self._timed.warm()

    def time(self, runs: int) -> list[tuple[float, float, float]]:
        """See `Timed.time`."""
        return self._timed.time(runs)

    def outputs(self, sample: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run on a sample."""
        return self._session.run(sample)

    def stacks(self, sample: Mapping[str, NDArray[Any]]) -> bool:
        """Whether two of a sample along the first axis give two of each output."""
        one = self._session.run(sample)
        try:
            two = self._session.run(stacked(sample, 2))
        except EngineError:
            return False
        return all(many.ndim and len(many) == 2 * len(few) for few, many in zip(one, two, strict=True) if few.ndim)

    def _silent(self, sample: Mapping[str, NDArray[Any]]) -> float:
        self._session.run(sample)
        return 0.0


def stacked(sample: Mapping[str, NDArray[Any]], batch: int) -> dict[str, NDArray[Any]]:
    """Put a sample so many times along the first axis; inputs whose first axis is not 1 are for all of them."""
    return {
        name: np.repeat(each, batch, axis=0) if each.ndim and len(each) == 1 else each for name, each in sample.items()
    }
