"""How far a graph looks to each side along its only open axis: found on a short random input and a longer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import LowvoxError
from lowvox.onnx.windows import Reach
from lowvox.shrink.voices.reach import NotLocalError
from lowvox.shrink.voices.split import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    import onnx


def looks(
    model: onnx.ModelProto,
    declared: Mapping[str, Sequence[int | str]],
    types: Mapping[str, str],
    along: Mapping[str, int],
) -> Reach | None:
    """Return how far a graph looks, None where it looks at everything or gives several things.

    `along` names the inputs that have frames, with their axis.
    """
    if len(model.graph.output) != 1 or set(along) != set(declared):
        return None

    def feeds(frames: int) -> dict[str, NDArray[Any]]:
        dice = np.random.default_rng(0)
        return {
            name: _number(dice, types[name], [_size(size, at, along[name], frames) for at, size in enumerate(sizes)])
            for name, sizes in declared.items()
        }

    try:
        graph = Graph(model, feeds)
        view = graph.seen(range(len(graph.nodes)), along, graph.output)
    except (NotLocalError, LowvoxError):
        return None
    if view.step.numerator != 1 or view.axis != graph.long[graph.output].ndim - 1:
        return None
    return Reach(view.left, view.right, view.step.denominator)


def _size(size: int | str, at: int, axis: int, frames: int) -> int:
    return size if isinstance(size, int) else frames if at == axis else 1


def _number(dice: np.random.Generator, dtype: str, sizes: Sequence[int]) -> NDArray[Any]:
    if np.dtype(dtype).kind == "f":
        return dice.standard_normal(sizes).astype(dtype)
    return dice.integers(0, 2, sizes).astype(dtype)
