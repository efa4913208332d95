"""Which operators and layers are to blame where a variant of a graph is not worth having.

For time ONNX Runtime's profile of both graphs, for quality the noise that each layer adds to what it gives, for size
what stayed in floats. Needs the package onnx for the last two; a mapped graph (.ort) tells its time alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.memory.meter import MB
from lowvox.shrink.trials.distance import decibels
from lowvox.shrink.trials.measuring import inside
from lowvox.shrink.trials.trial import outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.shrink.trials.variant import Verdict

    Sample = Mapping[str, NDArray[Any]]
    # Seconds a run by operator and name.
    Profiled = Mapping[tuple[str, str], float]

SHOWN = 3
_RUNS = 10
_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_ROUNDING = frozenset({"QuantizeLinear", "DequantizeLinear"})
# Values that are held at once to be compared; a voice's are megabytes each.
_TOGETHER = 16
_TELLING = 0.02  # of a run: what takes less more is noise


def blamed(verdict: Verdict, first: Path, variant: Path, samples: Sequence[Sample]) -> Verdict:
    """Return the verdict with sentences of what is to blame for each check that failed, the worst first."""
    failed = {check.name for check in verdict.checks if check.passed is False}
    readable = first.suffix == variant.suffix == ".onnx" and find_spec("onnx") is not None
    found: list[str] = []
    if "speed" in failed:
        found += speed(profile(first, samples[0]), profile(variant, samples[0]))
    if "quality" in failed and readable:
        found += quality(first, variant, samples[0])
    if failed & {"disk", "peak"} and readable:
        found += size(variant)
    return replace(verdict, blame=tuple(found))


def profile(path: Path, sample: Sample) -> Profiled:
    """Return the seconds that each node takes of a run on a sample, in a process of its own."""
    with inside("lowvox.shrink.trials.profiling:Program", path.name) as (worker, number):
        found = worker.call(number, "profile", str(path), dict(sample), _RUNS)
    return {(operator, name): seconds for operator, name, seconds in found}


def speed(first: Profiled, variant: Profiled) -> list[str]:
    """Return the operators that take more time in the variant than in the first, and the slowest node of each."""
    was, now = _by_operator(first), _by_operator(variant)
    more = {operator: now[operator] - was[operator] for operator in now}
    least = _TELLING * sum(was.values())
    worst = [operator for operator in sorted(more, key=lambda each: -more[each]) if more[operator] > least]
    return [_slower(operator, was[operator], now[operator], variant) for operator in worst[:SHOWN]]


def _slower(operator: str, was: float, now: float, variant: Profiled) -> str:
    node = max((each for each in variant if each[0] == operator), key=lambda each: variant[each])[1]
    before = f"{1000 * was:.2g} before" if was else "none before"
    return f"Time: {operator} takes {1000 * now:.2g} ms of a run ({before}), most of it in {node}."


def quality(first: Path, variant: Path, sample: Sample) -> list[str]:
    """Return the layers that add the most noise to what they give, as the variant runs."""
    added = noise(first, variant, sample)
    worst = sorted(added, key=lambda layer: -added[layer])[:SHOWN]
    return [f"Noise: {layer} adds {decibels(1, added[layer]):.1f} dB below what it gives." for layer in worst]


def noise(first: Path, variant: Path, sample: Sample) -> dict[str, float]:
    """Return the power of the noise that each layer adds, as a share of the power of what it gives.

    That is the noise in its output beyond the most in what the layers before it give. Layers are those whose outputs
    both graphs have, by name.
    """
    import onnx

    graphs = [onnx.load(path) for path in (first, variant)]
    layers = _layers(*graphs)
    ratios: dict[str, float] = {}
    for at in range(0, len(layers), _TOGETHER):
        names = list(layers)[at : at + _TOGETHER]
        one, other = (next(iter(outputs(_showing(graph, names), [sample])))[-len(names) :] for graph in graphs)
        ratios |= {name: _share(own, its, layers[name][1]) for name, own, its in zip(names, one, other, strict=True)}
    before = _before(graphs[0].graph, ratios)
    added = {name: ratios[name] - max((ratios[each] for each in before[name]), default=0.0) for name in ratios}
    return {layer: max(0.0, added[name]) for name, (layer, _) in layers.items()}


def _layers(first: Any, variant: Any) -> dict[str, tuple[str, bool]]:
    """Return the layers of a graph by the value that both graphs have of each, and whether that is behind a Relu.

    Rounding takes the Relu behind a layer into it, and the layer then gives the value that the Relu gave.
    """
    shared = {name for node in variant.graph.node for name in node.output}
    cut = {node.input[0]: node.output[0] for node in first.graph.node if node.op_type == "Relu"}
    found = {}
    for node in first.graph.node:
        value = node.output[0]
        if node.op_type in _LAYERS and (value in shared or cut.get(value) in shared):
            own = value in shared
            found[value if own else cut[value]] = f"{node.op_type} {node.name or value}", not own
    return found


def size(variant: Path) -> list[str]:
    """Return the layers whose weights stayed in floats, the largest first."""
    held = floats(variant)
    whole = sum(held.values()) / MB
    return [
        f"Size: {name} has {bytes_ / MB:.2g} MB of the {whole:.2g} MB of weights that stayed in floats."
        for name, bytes_ in held.most_common(SHOWN)
        if bytes_
    ]


def floats(variant: Path) -> Counter[str]:
    """Return how many bytes of weights in floats each layer of a graph has."""
    import onnx

    graph = onnx.load(variant).graph
    sizes = {each.name: int(np.prod(each.dims)) * 4 for each in graph.initializer if each.data_type == 1}
    return Counter(
        {
            f"{node.op_type} {node.name or node.output[0]}": sum(sizes.get(each, 0) for each in node.input)
            for node in graph.node
            if node.op_type not in _ROUNDING  # their scales are floats, and small
        }
    )


def _by_operator(profiled: Profiled) -> Counter[str]:
    spent: Counter[str] = Counter()
    for (operator, _), seconds in profiled.items():
        spent[operator] += seconds  # type: ignore[assignment]  # a Counter counts in any number
    return spent


def _showing(model: Any, names: Sequence[str]) -> bytes:
    """Return a graph that gives these values as well."""
    import onnx

    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    kept = [given for given in shown.graph.output if given.name not in names]
    del shown.graph.output[:]
    shown.graph.output.extend(kept)
    shown.graph.output.extend(onnx.helper.make_tensor_value_info(name, 1, None) for name in names)
    return bytes(shown.SerializeToString())


def _share(one: NDArray[Any], other: NDArray[Any], cut: bool) -> float:
    """Return the power of the difference over that of one; of what is above zero where a Relu cuts off the rest."""
    own, its = (np.maximum(each, 0) if cut else each for each in (one.astype(np.float64), other))
    apart = own - its if own.shape == its.shape else own
    return float((apart**2).sum()) / max(float((own**2).sum()), 1e-300)


def _before(graph: Any, known: Mapping[str, float]) -> dict[str, set[str]]:
    """Return for each known value the nearest known ones that it is made of."""
    behind: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {}
    for node in graph.node:
        near = {value for name in node.input for value in behind.get(name, ())}
        for name in node.output:
            found[name] = near
            behind[name] = {name} if name in known else near
    return {name: found[name] for name in known}
