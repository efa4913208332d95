"""Which part of a rounded voice, and which of its layers, are to blame where the voice is not worth having.

Each part is looked at beside what it was made of, on what it is given when a sentence is spoken. Knows nothing of where
voices come from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lowvox.memory.meter import MB
from lowvox.shrink import graph
from lowvox.shrink.rounding import qdq, sensitivity
from lowvox.shrink.trials import blame

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    import onnx
    from lowvox.shrink.rounding.recipe import Recipe
    from lowvox.shrink.trials.variant import Verdict

SHOWN = 5
# Layers of a part that are rounded alone to see what they cost: those that add the most noise to what they give.
_TRIED = 8
_TELLING = 0.02  # of the size


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was rounded: as it was (`first`), as it is (`rounded`), both .onnx, and what it is given.

    `windowed` is whether it runs in windows; the front does not, and decides how long a sentence becomes.
    """

    first: Path
    rounded: Path
    recipe: Recipe
    sample: Mapping[str, NDArray[Any]]
    windowed: bool = True


def blamed(verdict: Verdict, parts: Sequence[Part], *, words: bool = False) -> Verdict:
    """Return the verdict with sentences of what is to blame for each check that failed, the worst first.

    `words` says that the voice was judged by them, and so by its front as well.
    """
    failed = {check.name for check in verdict.checks if check.passed is False}
    found: list[str] = []
    if "speed" in failed:
        found += _speed(parts)
    if "quality" in failed:
        found += _quality([part for part in parts if part.windowed])
        found += [_length(part) for part in parts if words and not part.windowed]
    if failed & {"disk", "peak"}:
        found += _size(parts)
    return replace(verdict, blame=tuple(found))


def _speed(parts: Sequence[Part]) -> list[str]:
    """Return the operators that take more time, of the part first that takes most more."""
    slower: list[tuple[float, list[str]]] = []
    for part in parts:
        was, now = (blame.profile(path, part.sample) for path in (part.first, part.rounded))
        more = sum(now.values()) - sum(was.values())
        slower.append((more, [_of(part, sentence) for sentence in blame.speed(was, now)]))
    found = [line for more, lines in sorted(slower, key=lambda each: -each[0]) if more > 0 for line in lines]
    return found[:SHOWN] or ["Time: no part takes longer in 8 bits; windows compute twice what lies at their edges."]


def _quality(parts: Sequence[Part]) -> list[str]:
    """Return the layers that cost most, whichever part they are in."""
    costs = [(level, name, part.first.name) for part in parts for name, level in _costs(part)]
    return [
        f"Noise: with {name} of {part} alone in 8 bits, what that part gives is {level:.1f} dB above the difference."
        for level, name, part in sorted(costs)[:SHOWN]
    ]


def _costs(part: Part) -> list[tuple[str, float]]:
    """Return the layers that seem the worst, with the signal over the difference in dB where one alone is rounded."""
    model, recipe = graph.read(part.first), part.recipe
    rounded = {name for name in graph.roundable(model, large=recipe.plan.large) if name not in recipe.left}
    layers = {f"{node.op_type} {node.name}": node.name for node in model.graph.node if node.name in rounded}
    added = blame.noise(part.first, part.rounded, part.sample)
    worst = sorted(added.keys() & layers.keys(), key=lambda layer: -added[layer])[:_TRIED]
    labels = {layers[layer]: layer for layer in worst}

    def make(nodes: Collection[str]) -> onnx.ModelProto:
        return qdq.rounded(model, recipe.ranges, nodes, per_channel=recipe.plan.per_channel)

    return [(labels[node], level) for node, level in sensitivity.ranked(model, make, [part.sample], [*labels])]


def _length(part: Part) -> str:
    """Say how long a sentence becomes: where that differs, what a front gives cannot be compared number by number."""
    was, now = (
        next(iter(sensitivity.outputs(path, [part.sample])))[0].shape[-1] for path in (part.first, part.rounded)
    )
    return f"Length: {part.first.name} gives a sentence {now} frames in 8 bits, and gave it {was}."


def _size(parts: Sequence[Part]) -> list[str]:
    """Return the layers with the largest weights in floats, where these are a good part of it all."""
    held = [(bytes_, name, part) for part in parts for name, bytes_ in blame.floats(part.rounded).items()]
    least = _TELLING * sum(part.rounded.stat().st_size for part in parts)
    found = [
        f"Size: {name} of {part.first.name} has {bytes_ / MB:.2g} MB of weights that stayed in floats."
        for bytes_, name, part in sorted(held, key=lambda each: -each[0])[:SHOWN]
        if bytes_ >= least
    ]
    return found or ["Size: no layer has large weights in floats; what says how to round takes what rounding saves."]


def _of(part: Part, sentence: str) -> str:
    """Name the part in a sentence of a graph's blame."""
    kind, _, told = sentence.partition(": ")
    return f"{kind}: in {part.first.name}, {told}"
