"""Sentences spoken by a voice's parts, graphs or programs, whole and in windows: what both give is compared.

Shorter ones than a window too, down to one frame. Knows nothing of how programs are made.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lowvox.onnx.session import Session
from lowvox.onnx.stages import stream
from lowvox.shrink.executorch import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.onnx.split import Split, Stage

    Values = Mapping[str, NDArray[Any]]


@contextmanager
def opened(folder: Path, told: Split) -> Iterator[list[tuple[Stage, Session]]]:
    """Open the stages of a voice, graphs or programs; programs have the calls of sessions."""
    from lowvox.shrink.executorch.run import Program

    with ExitStack() as stack:
        found = []
        for stage in told.stages:
            path = folder / stage.file
            part = cast("Session", Program(path)) if path.suffix == layout.SUFFIX else Session(path)
            stack.callback(part.close)
            found.append((stage, part))
        yield found


def handed(folder: Path, told: Split, given: Values) -> dict[str, NDArray[Any]]:
    """Return what the front gives the stages for a text."""
    front = Session(folder / told.front)
    try:
        return dict(zip(front.outputs, front.run(given), strict=True))
    finally:
        front.close()


def spoken(
    folder: Path, told: Split, out: Path, lowered: Split, given: Values, window: int
) -> tuple[list[NDArray[Any]], list[NDArray[Any]], tuple[int, ...]]:
    """Speak sentences and their beginnings, shorter than a window too, whole by graphs and in windows by programs."""
    values = handed(folder, told, given)
    first = told.stages[0]
    length = next(values[name].shape[axis] for name, axis in first.along.items())
    whole = window + told.stages[-1].left + told.stages[-1].right
    lengths = tuple(sorted({n for n in (1, window, whole, whole + 1, length) if n <= length}))
    expected, found = [], []
    with opened(folder, told) as graphs, opened(out, lowered) as programs:
        for frames in lengths:
            given = {name: _cut(value, told, name, frames) for name, value in values.items()}
            expected.append(_joined(_unbroken(graphs, given)))
            found.append(_joined(stream(programs, given, window)))
    return expected, found, lengths


def _unbroken(graphs: Sequence[tuple[Stage, Session]], given: Mapping[str, NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Run the stages without windows."""
    values = dict(given)
    for stage, session in graphs:
        values[stage.output] = session.run(values, [stage.output])[0]
    yield values[graphs[-1][0].output]


def _cut(value: NDArray[Any], told: Split, name: str, frames: int) -> NDArray[Any]:
    axis = next((stage.along[name] for stage in told.stages if name in stage.along), None)
    return value if axis is None else np.take(value, range(frames), axis)


def _joined(made: Iterator[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(made), -1)
