"""Cuts a voice in parts: what must see the whole sentence, and what looks only so far and can be run in windows.

In a VITS voice the cut lies behind length regulation: the random latent, as long as the sound, goes through a flow and
a decoder. Where the flow is convolutional it is run in windows of its own, since it looks further than the decoder and
takes little; where it has attention (VITS2), it belongs to the front. The cuts are found by structure, not by names:
randomness that does not decide durations, and what all its ways to the output have in common. The parts and a sidecar
that says how far they look are written only when they have given what the whole gives.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

import onnx
from lowvox.errors import DamagedError
from lowvox.files import replacing
from lowvox.onnx.session import Session
from lowvox.onnx.split import SUFFIX, Split, Stage, write
from lowvox.onnx.stages import stream
from lowvox.shrink.voices.reach import NotLocalError, View, follow
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    # Inputs for a text of so many symbols.
    Feeds = Callable[[int], dict[str, NDArray[Any]]]
    Run = Mapping[str, NDArray[Any]]

TOLERANCE = 1e-5
# Symbols of the texts that are tried: two lengths that tell which axis is time, and one of several windows.
SHORT, LONG, WINDOWED = 6, 11, 40
_WINDOW = 16  # frames, of the comparison
# What is handed over may grow by so much where the part behind the cut looks less far.
_MORE = 1.25
_RANDOM = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"})


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where a graph can be cut: what is handed over there, and how far what follows looks."""

    along: Mapping[str, int]
    fixed: tuple[str, ...]
    view: View
    inside: frozenset[int]
    cost: int

    @property
    def looks(self) -> int:
        """Frames on both sides."""
        return self.view.left + self.view.right


class Graph:
    """A graph with what makes and what uses each of its values, and all values of a short run and a longer one."""

    def __init__(self, model: onnx.ModelProto, feeds: Feeds) -> None:
        self.model = model
        self.feeds = feeds
        self.nodes = list(model.graph.node)
        self.maker = {name: at for at, node in enumerate(self.nodes) for name in node.output if name}
        self.weights = {weight.name: weight for weight in model.graph.initializer}
        self.output = model.graph.output[0].name
        self._users: dict[str, list[int]] = {}
        for at, node in enumerate(self.nodes):
            for name in _needs(node):
                self._users.setdefault(name, []).append(at)

    @cached_property
    def short(self) -> Run:
        """Every value for a short text."""
        return self.run(SHORT, self.maker)

    @cached_property
    def long(self) -> Run:
        """Every value for a longer text."""
        return self.run(LONG, self.maker)

    def run(self, symbols: int, names: Iterable[str]) -> Run:
        """Return values for a text of so many symbols."""
        told = onnx.ModelProto()
        told.CopyFrom(self.model)
        known = {given.name for given in told.graph.output}
        told.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names if name not in known)
        session = Session(told.SerializeToString())
        try:
            given = {name: value for name, value in self.feeds(symbols).items() if name in session.inputs}
            return {**given, **dict(zip(session.outputs, session.run(given), strict=True))}
        finally:
            session.close()

    def axis(self, name: str) -> int | None:
        """Return the axis of a value that is as long as the sound, None where none is."""
        short, long = self.short[name].shape, self.long[name].shape
        differ = [at for at, (one, other) in enumerate(zip(short, long, strict=True)) if one != other]
        if len(differ) > 1:
            raise NotLocalError("what follows compares all frames with each other")
        return differ[0] if differ else None

    def frames(self, name: str) -> tuple[int, int] | None:
        """Return how many frames a value has in both runs, None where it has none."""
        axis = self.axis(name)
        return None if axis is None else (self.short[name].shape[axis], self.long[name].shape[axis])

    def before(self, names: Iterable[str]) -> set[int]:
        """Return all nodes that these values depend on."""
        found: set[int] = set()
        todo = [self.maker[name] for name in names if name in self.maker]
        while todo:
            if (at := todo.pop()) not in found:
                found.add(at)
                todo += [self.maker[name] for name in _needs(self.nodes[at]) if name in self.maker]
        return found

    def behind(self, at: int, without: int | None = None) -> set[int]:
        """Return a node and all that depend on it, on ways that do not lead through `without`."""
        found: set[int] = set()
        todo = [at]
        while todo:
            if (at := todo.pop()) not in found and at != without:
                found.add(at)
                todo += [user for name in self.nodes[at].output for user in self._users.get(name, ())]
        return found

    def given(self, inside: Iterable[int]) -> list[str]:
        """Return the values that these nodes need and do not make, weights apart."""
        nodes = [self.nodes[at] for at in sorted(inside)]
        made = {name for node in nodes for name in node.output}
        needs = dict.fromkeys(need for node in nodes for need in _needs(node))
        return [need for need in needs if need not in made and need not in self.weights]

    def seen(self, inside: Iterable[int], along: Mapping[str, int], output: str) -> View:
        """Return how a value sees the frames of others, by the nodes between."""
        weights = {name: numpy_helper.to_array(weight) for name, weight in self.weights.items()}
        views = {name: View.of_frames(axis) for name, axis in along.items()}
        nodes = [self.nodes[at] for at in sorted(inside)]
        return follow(nodes, views, {**weights, **self.short}, {**weights, **self.long})[output]

    def part(self, inside: Iterable[int], outputs: Iterable[str]) -> bytes:
        """Return these nodes as a graph of their own."""
        nodes = [self.nodes[at] for at in sorted(inside)]
        used = {need for node in nodes for need in _needs(node)}
        inputs = {given.name: given for given in self.model.graph.input}
        given = [inputs.get(name) or self._described(name) for name in self.given(inside)]
        weights = [weight for name, weight in self.weights.items() if name in used]
        built = onnx.ModelProto()
        built.CopyFrom(self.model)
        built.graph.CopyFrom(helper.make_graph(nodes, "part", given, [self._described(n) for n in outputs], weights))
        return bytes(built.SerializeToString())

    def _described(self, name: str) -> onnx.ValueInfoProto:
        value = self.short[name]
        dims = [f"{name}.{at}" for at in range(value.ndim)]
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims)


def find(graph: Graph) -> list[Cut]:
    """Find where to cut a voice: before the flow and behind it, or before the decoder alone.

    DamagedError where the graph is not that of a VITS voice.
    """
    cuts, reason = [], ""
    candidates = _candidates(graph)
    for name in candidates:
        try:
            cuts.append(_cut(graph, name, like=candidates[0]))
        except NotLocalError as error:
            reason = reason or str(error)  # the first is that of the latent itself
    if not cuts:
        reason = reason or "there is no random latent behind its durations"
        raise DamagedError(f"This is not the graph of a VITS voice ({reason}); it can only be run whole.")
    least = min(cut.cost for cut in cuts)
    cheap = [cut for cut in cuts if cut.cost <= _MORE * least]
    near = min(cheap, key=lambda cut: cut.looks)
    return [near] if near.looks == cheap[0].looks else [cheap[0], near]


def _candidates(graph: Graph) -> list[str]:
    """Return the values that every way from the latent's randomness to the output leads through, in order."""
    wanted = graph.before([graph.output])
    rounded = graph.before(name for node in graph.nodes if node.op_type == "Ceil" for name in node.output)
    sources = [at for at in sorted(wanted - rounded) if graph.nodes[at].op_type in _RANDOM]
    found = []
    for at in sorted(set.intersection(*(graph.behind(source) for source in sources)) & wanted) if sources else []:
        node = graph.nodes[at]
        passes = all(graph.maker[graph.output] not in graph.behind(source, without=at) for source in sources)
        if passes and len(node.output) == 1 and node.output[0] != graph.output:
            found.append(node.output[0])
    return found


def _cut(graph: Graph, name: str, like: str) -> Cut:
    """Cut at a value that has as many frames as another one, where what follows looks only so far."""
    inside = (graph.behind(graph.maker[name]) - {graph.maker[name]}) & graph.before([graph.output])
    inside |= _constant(graph, inside)
    axes = {value: graph.axis(value) for value in graph.given(inside)}
    along = {value: at for value, at in axes.items() if at is not None}
    if {graph.frames(value) for value in along} != {graph.frames(like)}:
        raise NotLocalError("what follows needs values that are not as long as the sound")
    view = graph.seen(inside, along, graph.output)
    if view.step.numerator != 1 or view.axis != graph.long[graph.output].ndim - 1:
        raise NotLocalError("a frame does not become a whole number of samples")
    cost = sum(graph.long[value].size // graph.long[value].shape[at] for value, at in along.items())
    return Cut(along, tuple(value for value, at in axes.items() if at is None), view, frozenset(inside), cost)


def _constant(graph: Graph, inside: Collection[int]) -> set[int]:
    """Return the nodes that what is inside needs and that depend on weights alone."""
    needs = {name for at in inside for name in _needs(graph.nodes[at]) if graph.maker.get(name, -1) not in inside}
    inputs = {given.name for given in graph.model.graph.input}
    found: set[int] = set()
    for name in needs & set(graph.maker):
        before = graph.before([name])
        used = {need for at in before for need in _needs(graph.nodes[at])}
        if not used & inputs and not any(graph.nodes[at].op_type in _RANDOM for at in before):
            found |= before
    return found


def _needs(node: onnx.NodeProto) -> list[str]:
    """Return the values that a node uses, those inside its branches and loops among them."""
    found = [name for name in node.input if name]
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            inner = attribute.g
            made = {name for one in inner.node for name in one.output} | {one.name for one in inner.initializer}
            made |= {one.name for one in inner.input}
            found += [name for one in inner.node for name in _needs(one) if name not in made]
            found += [one.name for one in inner.output if one.name not in made]
    return found


def split(path: Path, folder: Path, feeds: Feeds) -> tuple[Split, float]:
    """Split a graph into files beside each other in `folder`; also return how far the parts were from the whole.

    `feeds` gives inputs for a text of so many symbols; those that the graph does not have are left out. DamagedError
    where the graph cannot be split, or its parts do not give what it gives.
    """
    data = path.read_bytes()
    graph = Graph(_loaded(path, data), feeds)
    told, parts = _parts(graph, find(graph), path.stem)
    off = _compared(graph, told, parts)
    if off > TOLERANCE:
        raise DamagedError(f"The parts of {path.name} differ from the whole by {off:.1e}; it can only be run whole.")
    told = msgspec.structs.replace(told, whole=hashlib.sha256(data).hexdigest())
    for name, part in parts.items():
        with replacing(folder / name, "wb") as file:
            file.write(part)
    write(folder / f"{path.stem}{SUFFIX}", told)
    return told, off


def _loaded(path: Path, data: bytes) -> onnx.ModelProto:
    try:
        found = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's errors have no public class
        raise DamagedError(f"{path} is not an ONNX graph; copy or pull it again.") from error
    if not found.graph.output:
        raise DamagedError(f"{path} is not an ONNX graph; copy or pull it again.")
    return found


def _parts(graph: Graph, cuts: Sequence[Cut], stem: str) -> tuple[Split, dict[str, bytes]]:
    """Return the sidecar, and the parts by the names of their files."""
    stages, parts = [], {}
    for at, cut in enumerate(cuts):
        then = cuts[at + 1] if at + 1 < len(cuts) else None
        body = cut.inside - then.inside if then else cut.inside
        body |= _constant(graph, body)
        made = {name for node in body for name in graph.nodes[node].output}
        output = next(name for name in then.along if name in made) if then else graph.output
        view = graph.seen(body, cut.along, output)
        name = f"{stem}.{'flow' if then else 'decoder'}.onnx"
        given = graph.given(body)
        along = {value: cut.along[value] for value in given if value in cut.along}
        fixed = tuple(value for value in given if value not in along)
        stages.append(Stage(name, along, fixed, output, view.step.denominator, view.left, view.right))
        parts[name] = graph.part(body, [output])
    front = graph.before([graph.output]) - cuts[0].inside
    front = front.union(*(graph.before([value]) - cuts[0].inside for cut in cuts for value in cut.fixed))
    made = {name for at in front for name in graph.nodes[at].output}
    handed = dict.fromkeys(value for stage in stages for value in (*stage.along, *stage.fixed) if value in made)
    return Split(f"{stem}.front.onnx", tuple(stages), ""), {f"{stem}.front.onnx": graph.part(front, handed), **parts}


def _compared(graph: Graph, told: Split, parts: Mapping[str, bytes]) -> float:
    """Return how far the parts, in small windows, are from the whole: at most, over all samples."""
    values = graph.run(WINDOWED, {name for stage in told.stages for name in (*stage.along, *stage.fixed)})
    sessions = [Session(parts[stage.file]) for stage in told.stages]
    try:
        made = list(stream(list(zip(told.stages, sessions, strict=True)), values, _WINDOW))
    finally:
        for session in sessions:
            session.close()
    whole = values[graph.output]
    samples = np.concatenate(made, -1)
    if samples.shape != whole.shape:
        raise DamagedError("The parts of this voice do not give as much sound as the whole; it can only be run whole.")
    return float(np.abs(samples - whole).max(initial=0))
