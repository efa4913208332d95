"""Measuring variants: each in a throw-away process for each batch, their timed runs in turns.

The kernel's record of a process's largest RSS is the row's peak: Python, the runtime and the loading are in it. Unique
memory (USS) has no such record: it is looked at while the variant loads and warms up, and never while it is timed. What
is run is a program in the process, see `trial_graph.Timed`; here nothing is known of graphs and models.
"""

from __future__ import annotations

import statistics
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lowvox.memory import meter
from lowvox.memory.worker import Worker
from lowvox.shrink.trials.variant import Row
from lowvox.types import Model, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BATCHES = (1, 2, 4, 8)
RUNS = 100
# Timed runs of one variant before it is the next one's turn: what else the machine does meets all of them.
_TURN = 10
_LOOK_S = 0.01  # between two looks at unique memory


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a name, bytes on disk, and the program "module:Class" with what it is given.

    `way` says how a batch comes together; the program knows it from what it is given.
    """

    variant: str
    size: int
    program: str
    given: Any
    threads: int = 1
    way: Literal["stacked", "at once"] = "at once"


def measured(
    subjects: Sequence[Subject],
    batches: Sequence[int] = BATCHES,
    runs: int = RUNS,
    told: Callable[[int, int], object] = lambda done, of: None,  # noqa: ARG005
) -> list[list[Row]]:
    """Measure subjects and return the rows of each, one for each batch.

    `told` hears how much is done, and of how much. Raises what the programs raise, and WorkerDiedError.
    """
    found: list[list[Row]] = [[] for _ in subjects]
    steps, done = len(batches) * len(subjects) * (runs + _TURN), 0
    for batch in batches:
        with ExitStack() as stack:
            trials = []
            for subject in subjects:
                trials.append(stack.enter_context(_trial(subject, batch)))
                told(done := done + _TURN, steps)
            for left in range(runs, 0, -_TURN):
                for trial in trials:
                    trial.time(min(left, _TURN))
                    told(done := done + min(left, _TURN), steps)
            for rows, trial in zip(found, trials, strict=True):
                rows.append(trial.row())
    return found


@contextmanager
def inside(program: str, name: str) -> Iterator[tuple[Worker, int]]:
    """Start a throw-away process with a program in it, and give the process and the program's number there."""
    with closing(Worker(name)) as worker:
        nothing = Model(name, "", "vad", ())
        yield worker, worker.call(0, "load", program, nothing, Profile()).number


@contextmanager
def _trial(subject: Subject, batch: int) -> Iterator[_Trial]:
    """Load a subject and warm it up, while its memory is looked at."""
    with inside(subject.program, subject.variant) as (worker, number):
        with _looking(worker) as highest:
            begun = worker.call(number, "begin", subject.given, batch, subject.threads)
            worker.call(number, "warm")
        yield _Trial(subject, batch, worker, number, highest, begun)


class _Trial:
    """One subject with one batch, loaded and warm in its process."""

    def __init__(
        self,
        subject: Subject,
        batch: int,
        worker: Worker,
        number: int,
        highest: list[int],
        begun: tuple[float, float, str],
    ) -> None:
        self._subject, self._batch = subject, batch
        self._worker, self._number = worker, number
        self._highest = highest
        self._load_s, self._first_s, self._provider = begun
        self._runs: list[tuple[float, float, float]] = []

    def time(self, runs: int) -> None:
        """Time some runs; nobody looks at its memory meanwhile."""
        self._runs += self._worker.call(self._number, "time", runs)

    def row(self) -> Row:
        """Return what was found."""
        clock, cpu, sound = zip(*self._runs, strict=True)
        (run_s, spread_s), (cpu_s, cpu_spread_s) = _middle(clock), _middle(cpu)
        usage = self._worker.usage()
        return Row(
            variant=self._subject.variant,
            batch=self._batch,
            provider=self._provider,
            threads=self._subject.threads,
            size_mb=self._subject.size / meter.MB,
            load_s=self._load_s,
            first_output_s=self._first_s,
            run_s=run_s,
            spread_s=spread_s,
            rtf=statistics.median(map(float.__truediv__, clock, sound)) if all(sound) else None,
            peak_rss_mb=max(usage.rss, meter.peak_rss(self._worker.pid)) / meter.MB,
            peak_uss_mb=max(usage.uss, *self._highest) / meter.MB,
            runs=len(clock),
            cpu_s=cpu_s,
            cpu_spread_s=cpu_spread_s,
            way=self._subject.way,
        )


def _middle(times: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Return the median and the quarters."""
    if len(times) == 1:
        return times[0], (times[0], times[0])
    low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
    return middle, (low, high)


@contextmanager
def _looking(worker: Worker) -> Iterator[list[int]]:
    """Keep the unique memory of a process that is seen while the block runs, the most of it, in a list of one."""
    highest, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_S):
            highest[0] = max(highest[0], worker.usage().uss)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield highest
    finally:
        over.set()
        watcher.join()
