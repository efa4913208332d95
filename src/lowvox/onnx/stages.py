"""The stages of a split voice at work: each in windows, each asking the one before for no more than it needs next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lowvox.errors import DamagedError
from lowvox.onnx.windows import Frames, Growing, Whole, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.onnx.session import Session
    from lowvox.onnx.split import Stage

# Frames of a window of a stage that is not the last. A flow looks far and takes little: in windows of 256 frames it
# does an eighth more than it would whole, and takes a few MB.
BEFORE = 256


def stream(
    stages: Sequence[tuple[Stage, Session]], handed: Mapping[str, NDArray[Any]], window: int
) -> Iterator[NDArray[Any]]:
    """Run the stages over what the front has handed over; yields samples, float32 [..., n], window by window.

    `window` is in frames, of the last stage.
    """
    length = _length(stages[0][0], handed)
    found: dict[str, Frames] = {}
    for stage, session in stages:
        made = _run(stage, session, handed, found, length, window if stage is stages[-1][0] else BEFORE)
        found[stage.output] = Growing(made)
    yield from made


def _run(
    stage: Stage,
    session: Session,
    handed: Mapping[str, NDArray[Any]],
    found: Mapping[str, Frames],
    length: int,
    window: int,
) -> Iterator[NDArray[Any]]:
    along = {name: found.get(name) or Whole(handed[name], axis) for name, axis in stage.along.items()}
    fixed = {name: handed[name] for name in stage.fixed}

    def network(feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        return session.run(feeds, [stage.output])[0]

    return run(network, along, fixed, length, window, stage.reach)


def _length(stage: Stage, handed: Mapping[str, NDArray[Any]]) -> int:
    """Return how many frames there are; DamagedError where the sidecar is not that of these parts."""
    lengths = {handed[name].shape[axis] for name, axis in stage.along.items() if name in handed}
    if len(lengths) != 1 or not {*stage.along, *stage.fixed} <= set(handed):
        raise DamagedError("The parts of this voice do not belong together; split it again.")
    return int(lengths.pop())
