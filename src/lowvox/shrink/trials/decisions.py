"""Whether graphs decide alike: which numbers of an output reach a threshold, sample by sample.

What a detector gives can lie far above its difference in dB and still fall on the other side of the threshold. Every
graph works in a process of its own. Knows no gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lowvox.errors import UsageError
from lowvox.shrink.trials import trial_graph
from lowvox.shrink.trials.bootstrap import quality
from lowvox.shrink.trials.measuring import inside
from lowvox.shrink.trials.quality import agreeing
from lowvox.shrink.trials.trial_graph import GraphWork

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lowvox.shrink.trials.variant import Quality

    Sample = Mapping[str, NDArray[Any]]
    Decisions = Sequence[NDArray[np.bool_]]

_PROGRAM = "lowvox.shrink.trials.decisions:Program"


@dataclass(frozen=True, slots=True)
class Deciding:
    """How a graph decides: which numbers of an `output`, or of its first one, are at `threshold` or above."""

    threshold: float
    output: str | None = None


class Program(trial_graph.Program):
    """A graph in its process."""

    def decide(self, sample: Sample, how: Deciding) -> list[NDArray[np.bool_]]:
        """Run on a sample and return its decisions, in a list, since a lone array would stay in the process.

        UsageError where there is no such output.
        """
        names = self._session.outputs
        if how.output not in (None, *names):
            raise UsageError(f"The graph has no output {how.output!r} to decide by; it gives {', '.join(names)}.")
        found = self._session.run(sample)[names.index(how.output) if how.output else 0]
        return [found >= how.threshold]


def agreement(graphs: Sequence[tuple[str, Path]], samples: Iterable[Sample], how: Deciding) -> list[Quality]:
    """Return how many per cent of the first graph's decisions each has, by name and path; the first agrees with itself.

    `samples` are gone through once for each. Raises what a graph raises that cannot be run, and UsageError where there
    is no such output.
    """
    decisions = [list(_decided(name, path, samples, how)) for name, path in graphs]
    first, *others = (agreeing(each, decisions[0], graphs[0][0]) for each in decisions)
    return [quality(first), *(quality(other, first) for other in others)]


def _decided(name: str, path: Path, samples: Iterable[Sample], how: Deciding) -> Iterable[NDArray[np.bool_]]:
    with inside(_PROGRAM, name) as (worker, number):
        worker.call(number, "begin", GraphWork(str(path), {}), 1, 1)
        for sample in samples:
            yield worker.call(number, "decide", dict(sample), how)[0]
