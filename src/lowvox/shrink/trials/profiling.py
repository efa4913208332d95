"""The inside of a look at where a graph's time goes: ONNX Runtime's own profile of each node.

Runs in a process of its own, in the shape that a worker can load. The nodes are those after fusion, as they really run.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lowvox import folders
from lowvox.errors import DamagedError
from lowvox.onnx import options, runtime
from lowvox.onnx.failure import told
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lowvox.types import Model

_TIMED = "_kernel_time"


class Program:
    """A profile in its process."""

    def load(self, model: Model, profile: Profile) -> Program:  # noqa: ARG002  # what is run comes with `profile`
        """Load nothing yet."""
        return self

    def profile(self, path: str, sample: Mapping[str, NDArray[Any]], runs: int) -> list[tuple[str, str, float]]:
        """Return operator, name and seconds a run of each node; DamagedError where the graph cannot be run."""
        how = options.session_options(options.settings(Profile()), path)
        how.enable_profiling = True
        folders.cache().mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folders.cache()) as folder:
            how.profile_file_prefix = str(Path(folder) / "profile")
            try:
                session = runtime().InferenceSession(path, how, providers=["CPUExecutionProvider"])
                for _ in range(runs):
                    session.run(None, dict(sample))
            except Exception as error:  # ONNX Runtime's errors have no class in common
                raise told(DamagedError, f"{path} cannot be run", error, "give it samples that fit it") from error
            events = json.loads(Path(session.end_profiling()).read_bytes())
        return _summed(events, runs)


def _summed(events: list[dict[str, Any]], runs: int) -> list[tuple[str, str, float]]:
    """Add up what ONNX Runtime noted of each node, in microseconds, to seconds a run."""
    spent: defaultdict[tuple[str, str], float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_TIMED):
            spent[event["args"]["op_name"], event["name"].removesuffix(_TIMED)] += event["dur"] / 1e6 / runs
    return [(operator, name, seconds) for (operator, name), seconds in spent.items()]
