"""What loading graphs takes: all of a model's in one process that does nothing else.

`peak` stands outside, `Loaded` is inside. Knows no model.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from lowvox.memory import meter
from lowvox.memory.worker import Worker
from lowvox.types import Model, Profile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lowvox.onnx.session import Session

_NOBODY = Model("graphs", "", "vad", ())


def peak(graphs: Sequence[Path]) -> int:
    """Return the most bytes (RSS) that a process held which loaded these graphs, from its beginning on.

    Raises what loading raises, and EngineError where the process dies of it.
    """
    with closing(Worker("The graphs")) as worker:
        inside = worker.call(0, "load", f"{__name__}:Loaded", _NOBODY, Profile()).number
        worker.call(inside, "begin", [str(graph) for graph in graphs])
        return meter.peak_rss(worker.pid)


class Loaded:
    """Inside: the sessions, in the shape of an engine so that a worker can load it."""

    def load(self, model: Model, profile: Profile) -> Loaded:  # noqa: ARG002  # there is none
        """Hold nothing yet."""
        self._sessions: list[Session] = []
        return self

    def begin(self, graphs: Sequence[str]) -> None:
        """Load these graphs as lowvox does."""
        from lowvox.onnx.session import Session

        self._sessions += [Session(graph) for graph in graphs]
