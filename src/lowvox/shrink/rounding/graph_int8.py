"""An ONNX graph made smaller by a plan, or again by the recipe of the first time.

Ranges are measured on samples, what costs most can be left alone, and what rounding adds is measured on other samples.
Knows nothing of voices, of where files go, nor whether the result is worth having.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.errors import UsageError
from lowvox.shrink import graph
from lowvox.shrink.nodes import OPERATORS
from lowvox.shrink.rounding import calibrate, dynamic, half, qdq, sensitivity
from lowvox.shrink.rounding import recipe as recipes
from lowvox.shrink.rounding.recipe import Plan, Recipe
from lowvox.shrink.trials import distance

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import onnx
    from lowvox.shrink.rounding.qdq import Range
    from lowvox.shrink.rounding.samples import Samples
    from lowvox.shrink.rounding.sensitivity import Make

_TYPES = {"static": OPERATORS, "dynamic": dynamic.PRODUCTS, "fp16": OPERATORS}


@dataclass(frozen=True, slots=True)
class Made:
    """A graph that was made smaller, as bytes, and what it came of.

    `coverage` is how many per cent of its numbers are in nodes that were rounded; `ranking` has the nodes by what they
    cost, where that was measured: the signal over the difference in dB where one alone is rounded.
    """

    data: bytes
    recipe: Recipe
    nodes: int
    coverage: float
    ranking: Sequence[tuple[str, float]] = ()


def make(source: Path, plan: Plan, samples: Samples | None, evaluation: Samples | None) -> Made:
    """Make a graph smaller by a plan; `samples` are to measure ranges on, `evaluation` is to judge by.

    UsageError where there is nothing to round, or something that the plan needs is not given. Raises as `graph.read`.
    """
    model = graph.read(source)
    nodes, left = _chosen(model, plan, source)
    if plan.method == "static" and samples is None:
        raise UsageError("Ranges are measured on samples: name a folder of them with --samples.")
    ranges: dict[str, Range] = {}
    if plan.method == "static" and samples is not None:
        ranges = calibrate.ranges(model, samples, qdq.needed(model, nodes), plan.calibrate, plan.percentile)
    make = _making(model, plan, ranges)
    ranking: list[tuple[str, float]] = []
    if plan.floor is not None:
        if evaluation is None:
            raise UsageError("A floor is judged by samples: name a folder of them with --evaluate.")
        found, ranking = sensitivity.search(model, make, evaluation, nodes, plan.floor)
        nodes, left = [node for node in nodes if node not in found], [*left, *found]
    data = _written(make(nodes))
    told = Recipe(
        source=recipes.digest(source.read_bytes()),
        result=recipes.digest(data),
        plan=plan,
        left=tuple(left),
        ranges={name: ranges[name] for name in qdq.needed(model, nodes) if name in ranges},
        samples=recipes.hashes(list(samples.hashes.values())) if samples is not None and ranges else (),
        evaluation=recipes.hashes(list(evaluation.hashes.values())) if evaluation else (),
        noise_db=noise(model, data, evaluation) if evaluation else None,
        versions=recipes.versions(),
    )
    return Made(data, told, len(nodes), graph.coverage(model, nodes), ranking)


def remake(source: Path, recipe: Recipe) -> Made:
    """Make a graph smaller as a recipe says, bit for bit; UsageError where the recipe is for another.

    DamagedError where other versions of what made it make something else.
    """
    model = graph.read(source)
    recipes.suits(recipe, source.read_bytes(), source)
    nodes = [name for name in _chosen(model, recipe.plan, source)[0] if name not in recipe.left]
    if lacking := [name for name in _needed(model, recipe.plan, nodes) if name not in recipe.ranges]:
        raise UsageError(f"The recipe has no range of {lacking[0]!r}; it was changed: make it anew without the recipe.")
    data = _written(_making(model, recipe.plan, recipe.ranges)(nodes))
    recipes.came_out(recipe, data)
    return Made(data, recipe, len(nodes), graph.coverage(model, nodes))


def noise(model: onnx.ModelProto, rounded: bytes, samples: Samples) -> float:
    """Return how far what a rounded graph gives lies from the original's: signal over difference in dB."""
    return distance.signals(sensitivity.outputs(model, samples), sensitivity.outputs(rounded, samples))


def _chosen(model: onnx.ModelProto, plan: Plan, source: Path) -> tuple[list[str], list[str]]:
    """Return the nodes to round, and those that are left as they are because the plan names them."""
    types = {node.name: node.op_type for node in model.graph.node}
    known = {*types, *types.values()}
    if unknown := [each for each in plan.exclude if each not in known]:
        raise UsageError(f"{source} has no node or operator {unknown[0]!r} to leave alone.")
    found = graph.roundable(model, _TYPES[plan.method], plan.large)
    named = [name for name in found if name in plan.exclude or types[name] in plan.exclude]
    nodes = [name for name in found if name not in named]
    if not nodes:
        what = "product" if plan.method == "dynamic" else "convolution or product"
        raise UsageError(f"{source} has no {what} with weights that could be rounded; it stays as it is.")
    return nodes, named


def _needed(model: onnx.ModelProto, plan: Plan, nodes: Collection[str]) -> list[str]:
    return qdq.needed(model, nodes) if plan.method == "static" else []


def _making(model: onnx.ModelProto, plan: Plan, ranges: Mapping[str, Range]) -> Make:
    """Return what rounds the nodes that it is given."""
    if plan.method == "static":
        return lambda nodes: qdq.rounded(model, ranges, nodes, per_channel=plan.per_channel)
    if plan.method == "dynamic":
        return lambda nodes: dynamic.rounded(model, nodes, per_channel=plan.per_channel)
    others = set(graph.roundable(model))
    return lambda nodes: half.halved(model, others - set(nodes))


def _written(model: onnx.ModelProto) -> bytes:
    return bytes(model.SerializeToString(deterministic=True))
