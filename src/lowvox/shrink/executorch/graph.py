"""An ONNX graph to a program of ExecuTorch's, compared with ONNX Runtime before it is written.

Its open axes are settled: the first axis, which counts inputs at once, is 1, and the others are as long as the window
with what is seen beside it. How far a graph looks is found where it does look only so far (`shrink.voices.reach`);
elsewhere, in one with attention, an input is as long as the window. Knows no voice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lowvox.errors import EngineError, UsageError
from lowvox.onnx.session import Session
from lowvox.onnx.windows import Reach, Whole, run
from lowvox.shrink.executorch import layout, shapes
from lowvox.shrink.executorch.layout import Given, Lowered
from lowvox.shrink.executorch.looks import looks
from lowvox.shrink.export.write import refuse
from lowvox.shrink.rounding import samples as found_samples
from lowvox.shrink.trials.distance import signals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    import onnx

    Values = Mapping[str, NDArray[Any]]

# Of the largest number that ONNX Runtime gives.
TOLERANCE = 1e-4
_WINDOWS = 2.5  # of a random input that is longer than one
_SEED = 0


@dataclass(frozen=True, slots=True)
class Done:
    """A lowered program: how far it is from ONNX Runtime over `inputs` inputs, and how loud the difference is in dB.

    `difference` is the largest, as a share of the largest number of that output; `distance_db` as
    `shrink.trials.distance` has it. `samples` are of the graph's inputs, cut to what the program takes.
    """

    path: Path
    told: Lowered
    size: int
    inputs: int
    difference: float
    distance_db: float
    sample: Values


def lower(
    graph: Path,
    out: Path,
    window: int,
    *,
    int8: bool = False,
    samples: Path | None = None,
    exclude: Collection[str] = (),
    overwrite: bool = False,
) -> Done:
    """Lower a graph into the program `out`; `samples` as `shrink.rounding.samples` reads them, else inputs are random.

    With `int8` the nodes, or kinds of operator, that `exclude` names stay in floats. UsageError where the graph does
    not fit the window, has no such node, or `out` is there, DamagedError for what cannot be lowered,
    EngineError where it does not give what ONNX Runtime gives: then nothing is written.
    """
    layout.require()
    refuse(out, overwrite=overwrite)
    model = shapes.loaded(graph)
    plan = planned(model, window, out.name, "int8" if int8 else "fp32")
    given = _inputs(model, plan, samples, int8=int8)
    left = _left(model, exclude, graph)
    data, plan = made(model, plan, (cut for each in given for cut in pieces(plan, each)), left)
    return compared(data, plan, graph, out, given)


def _left(model: onnx.ModelProto, exclude: Collection[str], graph: Path) -> set[str]:
    """Return the names of the nodes that are named, themselves or by their operator."""
    types = {node.name or node.output[0]: node.op_type for node in model.graph.node}
    if unknown := [each for each in exclude if each not in types and each not in types.values()]:
        raise UsageError(f"{graph} has no node or operator {unknown[0]!r} to leave in floats.")
    return {name for name, kind in types.items() if name in exclude or kind in exclude}


def planned(model: onnx.ModelProto, window: int, file: str, precision: layout.Precision) -> Lowered:
    """Settle the shapes of a graph's inputs."""
    declared = shapes.declared(model)
    types = shapes.types(model)
    axes = {
        name: [at for at, size in enumerate(sizes) if isinstance(size, str) and at] for name, sizes in declared.items()
    }
    if several := [name for name, each in axes.items() if len(each) > 1]:
        raise UsageError(f"The graph's input {several[0]!r} has several open axes; lower a part that has one.")
    along = {name: each[0] for name, each in axes.items() if each}
    reach = looks(model, declared, types, along) if along else None
    whole = window + reach.left + reach.right if reach else window
    given = tuple(Given(name, types[name], _settled(sizes, whole), along.get(name)) for name, sizes in declared.items())
    outputs = tuple(each.name for each in model.graph.output)
    if reach is None or len(outputs) > 1:
        return Lowered(file, given, outputs, precision)
    return Lowered(file, given, outputs, precision, window, reach.left, reach.right, reach.hop)


def _settled(sizes: Sequence[int | str], whole: int) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else whole if at else 1 for at, size in enumerate(sizes))


def made(
    model: onnx.ModelProto, plan: Lowered, samples: Iterable[Values], left: Collection[str] = ()
) -> tuple[bytes, Lowered]:
    """Return the program, and the plan as it came out: which axes may be shorter after all.

    In 8 bits the nodes in `left` stay in floats.
    """
    from lowvox.shrink.executorch.lower import lowered
    from lowvox.shrink.executorch.torch_graph import TorchGraph

    longest = {given.name: given.shape for given in plan.inputs}
    settled = shapes.fixed(model, longest)
    int8 = plan.precision == "int8"
    fixed = not (plan.along and shapes.alike(settled, shapes.fixed(model, _shorter(plan))))
    if fixed:
        plan = _exact(plan)
    module = TorchGraph(settled, rounded=int8)
    largest = {given.name: np.zeros(given.shape, given.dtype) for given in plan.inputs}
    return lowered(module, largest, {} if fixed else plan.along, samples if int8 else None, left), plan


def _shorter(plan: Lowered) -> dict[str, tuple[int, ...]]:
    """Return the inputs' shapes with one frame less."""
    return {
        given.name: tuple(size - (at == given.open) for at, size in enumerate(given.shape)) for given in plan.inputs
    }


def _exact(plan: Lowered) -> Lowered:
    inputs = tuple(msgspec.structs.replace(given, exact=True) for given in plan.inputs)
    return msgspec.structs.replace(plan, inputs=inputs)


def pieces(plan: Lowered, sample: Values) -> Iterator[Values]:
    """Cut a sample to inputs of the program's size, as windows do."""
    cuts: list[Values] = []

    def note(cut: Values) -> NDArray[Any]:
        cuts.append(cut)
        return np.zeros(1)

    for _ in windowed(plan, note, sample):
        yield cuts.pop()


def windowed(plan: Lowered, network: Any, sample: Values) -> Iterator[NDArray[Any]]:
    """Run what takes inputs of the program's size over a sample in windows; in one piece where it has none."""
    if not plan.window:
        yield network(sample)
        return
    along = {name: Whole(sample[name], axis) for name, axis in plan.along.items()}
    fixed = {name: value for name, value in sample.items() if name not in along}
    length = {sample[name].shape[axis] for name, axis in plan.along.items()}.pop()
    yield from run(network, along, fixed, length, plan.window, Reach(plan.left, plan.right, plan.hop))


def _inputs(model: onnx.ModelProto, plan: Lowered, path: Path | None, *, int8: bool) -> list[Values]:
    """Return what is compared, and measured: samples where there are some, random numbers elsewhere."""
    if path is not None:
        return [each for each in found_samples.read(path, model) if _fits(plan, each)] or _none_fits(path, plan)
    if int8 and any(node.op_type in ("Conv", "ConvTranspose") for node in model.graph.node):
        raise UsageError("Rounding to 8 bits needs real inputs to measure ranges on; name them: --samples FOLDER.")
    dice = np.random.default_rng(_SEED)
    whole = max((given.shape[given.open] for given in plan.inputs if given.open is not None), default=1)
    lengths = [whole, max(whole, round(_WINDOWS * whole))] if plan.window else [whole]
    return [shapes.drawn(plan, length, dice) for length in lengths]


def _fits(plan: Lowered, sample: Values) -> bool:
    """Whether a sample is long enough for windows, or as long as the program's only length."""
    for given in plan.inputs:
        for at, (size, most) in enumerate(zip(sample[given.name].shape, given.shape, strict=False)):
            if size != most and not (plan.window and at == given.open and size > most):
                return False
    return True


def _none_fits(path: Path, plan: Lowered) -> list[Values]:
    said = ", ".join(f"{given.name} {list(given.shape)}" for given in plan.inputs)
    raise UsageError(f"No sample in {path} is as long as the program's inputs are ({said}); choose a smaller --window.")


def compared(data: bytes, plan: Lowered, graph: Path | bytes, out: Path, given: Sequence[Values]) -> Done:
    """Run a program beside the graph and write it where they agree."""
    from lowvox.models.disk import beside
    from lowvox.shrink.executorch.run import Program

    session = Session(graph)
    try:
        with beside() as lent:
            layout.write(lent / "program.pte", data, plan)
            program = Program(lent / "program.pte")
            expected = [session.run(each, plan.outputs) for each in given]
            found = [_ran(program, plan, each) for each in given]
            program.close()
    finally:
        session.close()
    most = furthest(expected, found)
    if plan.precision == "fp32" and not most <= TOLERANCE:
        raise EngineError(
            f"The program differs from ONNX Runtime by {most:.1g} of the largest number; nothing was written."
        )
    layout.write(out, data, plan)
    sample = next(pieces(plan, given[0]))
    return Done(out, plan, len(data), len(given), most, signals(expected, found), sample)


def _ran(program: Any, plan: Lowered, given: Values) -> list[NDArray[Any]]:
    if not plan.window:
        return list(program.run(given))
    return [np.concatenate(list(windowed(plan, lambda cut: program.run(cut)[0], given)), -1)]


def furthest(expected: Sequence[Sequence[NDArray[Any]]], found: Sequence[Sequence[NDArray[Any]]]) -> float:
    """Return the largest difference as a share of the largest number of that output; endless where shapes differ."""
    most = 0.0
    for one, other in zip(expected, found, strict=True):
        for whole, mine in zip(one, other, strict=True):
            if whole.shape != mine.shape or not np.isfinite(mine).all():
                return float("inf")
            scale = max(float(np.abs(whole).max(initial=0)), 1e-9)
            most = max(most, float(np.abs(whole.astype(np.float64) - mine).max(initial=0)) / scale)
    return most
