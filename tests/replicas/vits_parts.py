"""The parts of a VITS voice as torch exports them, in the order in which they are computed; weights are random.

Letters in shapes: B utterances, P phonemes, T frames, C channels of the latent, H of what is hidden. Knows neither
files nor phonemes; vits.py makes voices of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from replicas.graphs import _Graph as Graph

# Slices of torch begin and end here where they say "from the first" and "to the last", forwards and backwards.
_ALL, _BACK = 2**63 - 1, -(2**63) + 1


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a voice is. `blocks` are (kernel, dilations), two convolutions for each dilation where `paired`."""

    symbols: int = 256
    latent: int = 4
    hidden: int = 8
    wide: int = 16
    heads: int = 2
    layers: int = 2
    flows: int = 2
    depth: int = 2
    speaker: int = 6
    channels: int = 16
    stages: tuple[tuple[int, int], ...] = ((8, 16), (8, 16), (4, 8))
    blocks: tuple[tuple[int, tuple[int, ...]], ...] = ((3, (1, 2)), (5, (2, 6)), (7, (3, 12)))
    paired: bool = False


@dataclass(frozen=True, slots=True)
class Scales:
    """The three numbers of the input `scales`, each a scalar."""

    noise: str
    length: str
    noise_w: str


def scales(graph: Graph) -> Scales:
    """Take them apart."""
    return Scales(*(graph.add("Gather", ["scales", graph.constant(place)]) for place in range(3)))


def speaker(graph: Graph, shape: Shape, speakers: int) -> str | None:
    """Return what all parts are told about the speaker, [1, G, 1]; None where there is but one."""
    if speakers == 1:
        return None
    found = graph.add("Gather", [graph.weight((speakers, shape.speaker), 1), "sid"])
    return graph.add("Unsqueeze", [found, graph.constant([-1])])


def text(graph: Graph, shape: Shape) -> tuple[str, str, str, str]:
    """From `input` and `input_lengths`: the phonemes [B, H, P], means and deviations [B, C, P], mask [B, 1, P]."""
    table = graph.weight((shape.symbols, shape.hidden), shape.hidden)
    x = graph.add("Gather", [table, "input"])
    x = graph.add("Mul", [x, graph.constant(shape.hidden**0.5, np.float32)])
    x = graph.add("Transpose", [x], perm=[0, 2, 1])
    mask = _mask(graph, _size(graph, x, 2), "input_lengths")
    x = graph.add("Mul", [x, mask])
    for _ in range(shape.layers):
        x = _attention(graph, x, mask, shape.hidden, shape.heads, shape.wide)
    x = graph.add("Mul", [x, mask])
    both = graph.add("Mul", [graph.conv(x, shape.hidden, 2 * shape.latent, gain=0.7), mask])
    means, deviations = graph.split(both, [shape.latent, shape.latent])
    return x, means, deviations, mask


def durations(graph: Graph, shape: Shape, x: str, mask: str, told: str | None, by: Scales) -> str:
    """Return the frames of each phoneme, [B, 1, P], whole numbers: 1 to 4 for most at a length of 1."""
    if told:
        x = graph.add("Add", [x, graph.conv(told, shape.speaker, shape.hidden, gain=0.3)])
    for _ in range(2):
        x = graph.conv(graph.add("Mul", [x, mask]), shape.hidden, shape.hidden, 3)
        x = _norm(graph, graph.add("Relu", [x]), shape.hidden)
    x = graph.conv(graph.add("Mul", [x, mask]), shape.hidden, 1, gain=0.3)
    drawn = graph.add("Mul", [graph.add("RandomNormalLike", [x], dtype=1), by.noise_w])
    moved = graph.add("Sub", [drawn, graph.constant(-1.5, np.float32)])
    logarithm = graph.add("Add", [x, graph.add("Mul", [moved, graph.constant(0.37, np.float32)])])
    frames = graph.add("Mul", [graph.add("Exp", [logarithm]), mask])
    return graph.add("Ceil", [graph.add("Mul", [frames, by.length])], "durations")


def regulate(graph: Graph, frames: str, mask: str, means: str, deviations: str, by: Scales) -> tuple[str, str]:
    """Return the latent before the flow, [B, C, T], and the mask of its frames, [B, 1, T]."""
    total = graph.add("ReduceSum", [frames, graph.constant([1, 2])], keepdims=0)
    total = graph.add("Cast", [graph.add("Clip", [total, graph.constant(1, np.float32)])], to=7)
    sounding = _mask(graph, graph.add("ReduceMax", [total], keepdims=0), total)
    path = _path(graph, frames, mask, sounding)
    mean, deviation = (_expanded(graph, path, each) for each in (means, deviations))
    drawn = graph.add("RandomNormalLike", [mean], dtype=1)
    drawn = graph.add("Mul", [graph.add("Mul", [drawn, graph.add("Exp", [deviation])]), by.noise])
    return graph.add("Add", [mean, drawn]), sounding


def flow(graph: Graph, shape: Shape, z: str, mask: str, told: str | None, attentive: bool) -> str:
    """Return the latent behind the flow, [B, C, T]; an `attentive` flow sees all frames from each, as in VITS2."""
    for _ in range(shape.flows):
        z = graph.cut(z, 1, -1, _BACK, -1)
        z = _coupling(graph, shape, z, mask, told, attentive)
    return z


def decoder(graph: Graph, shape: Shape, z: str, told: str | None) -> str:
    """Return the sound [B, 1, samples]."""
    channels = shape.channels
    x = graph.conv(z, shape.latent, channels, 7)
    if told:
        x = graph.add("Add", [x, graph.conv(told, shape.speaker, channels, gain=0.5)])
    for up, kernel in shape.stages:
        x = graph.widen(graph.leaky(x), channels, channels // 2, kernel, up)
        channels //= 2
        x = _blocks(graph, shape, x, channels)
    x = graph.add("LeakyRelu", [x], alpha=0.01)
    return graph.add("Tanh", [graph.conv(x, channels, 1, 7)])


def _blocks(graph: Graph, shape: Shape, x: str, channels: int) -> str:
    block = graph.residual if shape.paired else graph.single
    found = [block(x, channels, kernel, dilations) for kernel, dilations in shape.blocks]
    total = found[0]
    for other in found[1:]:
        total = graph.add("Add", [total, other])
    return graph.add("Div", [total, graph.constant(len(found), np.float32)])


def _coupling(graph: Graph, shape: Shape, z: str, mask: str, told: str | None, attentive: bool) -> str:
    half = shape.latent // 2
    kept, moved = graph.split(z, [half, half])
    known = kept
    if attentive:
        seen = _attention(graph, graph.add("Mul", [kept, mask]), mask, half, shape.heads, shape.wide)
        known = graph.add("Add", [kept, seen])
    hidden = graph.add("Mul", [graph.conv(known, half, shape.hidden), mask])
    hidden = _wavenet(graph, shape, hidden, mask, told)
    by = graph.add("Mul", [graph.conv(hidden, shape.hidden, half), mask])
    nothing = _zeros(graph, by)
    moved = graph.add("Mul", [graph.add("Sub", [moved, by]), graph.add("Exp", [graph.add("Neg", [nothing])])])
    return graph.add("Concat", [kept, graph.add("Mul", [moved, mask])], axis=1)


def _wavenet(graph: Graph, shape: Shape, x: str, mask: str, told: str | None) -> str:
    width = shape.hidden
    total = _zeros(graph, x)
    conditions = graph.conv(told, shape.speaker, 2 * width * shape.depth, gain=0.5) if told else None
    for layer in range(shape.depth):
        inner = graph.conv(x, width, 2 * width, 5)
        start = 2 * width * layer
        added = graph.cut(conditions, 1, start, start + 2 * width) if conditions else _zeros(graph, inner)
        acts = _gated(graph, graph.add("Add", [inner, added]), width)
        if layer == shape.depth - 1:
            total = graph.add("Add", [total, graph.conv(acts, width, width)])
            break
        both = graph.conv(acts, width, 2 * width)
        x = graph.add("Mul", [graph.add("Add", [x, graph.cut(both, 1, 0, width)]), mask])
        total = graph.add("Add", [total, graph.cut(both, 1, width, _ALL)])
    return graph.add("Mul", [total, mask])


def _gated(graph: Graph, x: str, width: int) -> str:
    x = graph.cut(x, 0, 0, _ALL)
    halves = [graph.cut(graph.cut(x, 1, start, end), 2, 0, _ALL) for start, end in ((0, width), (width, _ALL))]
    return graph.add("Mul", [graph.add("Tanh", halves[:1]), graph.add("Sigmoid", halves[1:])])


def _path(graph: Graph, frames: str, mask: str, sounding: str) -> str:
    """Return which frame belongs to which phoneme, [B, T, P], as ones and zeros."""
    allowed = graph.add(
        "Mul",
        [
            graph.add("Unsqueeze", [mask, graph.constant([2])]),
            graph.add("Unsqueeze", [sounding, graph.constant([-1])]),
        ],
    )
    many, length, phonemes = (_size(graph, allowed, axis) for axis in (0, 2, 3))
    flat = _joined(graph, [graph.add("Mul", [many, phonemes])])
    ends = graph.add("Reshape", [graph.add("CumSum", [frames, graph.constant(-1)]), flat])
    before = graph.add("Less", [_range(graph, length, np.float32), graph.add("Unsqueeze", [ends, graph.constant([1])])])
    before = graph.add("Reshape", [graph.add("Cast", [before], to=1), _joined(graph, [many, phonemes, length])])
    earlier = graph.add("Pad", [before, graph.constant([0, 1, 0, 0, 0, 0])], mode="constant")
    own = graph.add("Sub", [before, graph.cut(earlier, 1, 0, -1)])
    own = graph.add("Transpose", [graph.add("Unsqueeze", [own, graph.constant([1])])], perm=[0, 1, 3, 2])
    return graph.add("Squeeze", [graph.add("Mul", [own, allowed]), graph.constant([1])])


def _expanded(graph: Graph, path: str, x: str) -> str:
    by_frame = graph.add("MatMul", [path, graph.add("Transpose", [x], perm=[0, 2, 1])])
    return graph.add("Transpose", [by_frame], perm=[0, 2, 1])


def _attention(graph: Graph, x: str, mask: str, width: int, heads: int, wide: int) -> str:
    """Attention and a feed-forward part of two convolutions, each added to what it is given: [B, width, T] again."""
    deep = width // heads
    apart = graph.constant([0, heads, deep, -1])
    query, key, value = (graph.add("Reshape", [graph.conv(x, width, width), apart]) for _ in range(3))
    query, value = (graph.add("Transpose", [each], perm=[0, 1, 3, 2]) for each in (query, value))
    scores = graph.add("MatMul", [graph.add("Div", [query, graph.constant(deep**0.5, np.float32)]), key])
    seen = graph.add("MatMul", [graph.add("Softmax", [_unmasked(graph, scores, mask)], axis=-1), value])
    seen = graph.add("Reshape", [graph.add("Transpose", [seen], perm=[0, 1, 3, 2]), graph.constant([0, width, -1])])
    x = _norm(graph, graph.add("Add", [x, graph.conv(seen, width, width)]), width)
    inner = graph.add("Relu", [graph.conv(graph.add("Mul", [x, mask]), width, wide, 3)])
    outer = graph.add("Mul", [graph.conv(graph.add("Mul", [inner, mask]), wide, width, 3), mask])
    return _norm(graph, graph.add("Add", [x, outer]), width)


def _unmasked(graph: Graph, scores: str, mask: str) -> str:
    across, down = (graph.add("Unsqueeze", [mask, graph.constant([axis])]) for axis in (2, -1))
    hidden = graph.add("Equal", [graph.add("Mul", [across, down]), graph.constant(0, np.float32)])
    return graph.add("Where", [hidden, graph.constant(-1e4, np.float32), scores])


def _norm(graph: Graph, x: str, width: int) -> str:
    x = graph.add("Transpose", [x], perm=[0, 2, 1])
    x = graph.add("Sub", [x, graph.add("ReduceMean", [x], axes=[-1])])
    squares = graph.add("ReduceMean", [graph.add("Pow", [x, graph.constant(2, np.float32)])], axes=[-1])
    root = graph.add("Sqrt", [graph.add("Add", [squares, graph.constant(1e-5, np.float32)])])
    scaled = graph.add("Mul", [graph.add("Div", [x, root]), graph.constant(np.ones(width), np.float32)])
    return graph.add("Transpose", [graph.add("Add", [scaled, graph.weight((width,), 100)])], perm=[0, 2, 1])


def _mask(graph: Graph, longest: str, lengths: str) -> str:
    inside = [_range(graph, longest, np.int64), graph.add("Unsqueeze", [lengths, graph.constant([1])])]
    mask = graph.add("Unsqueeze", [graph.add("Less", inside), graph.constant([1])])
    return graph.add("Cast", [mask], to=1)


def _range(graph: Graph, end: str, kind: type[np.int64 | np.float32]) -> str:
    end = graph.add("Cast", [end], to=1 if kind is np.float32 else 7)
    counted = graph.add("Range", [graph.constant(0, kind), end, graph.constant(1, kind)])
    return graph.add("Unsqueeze", [counted, graph.constant([0])])


def _size(graph: Graph, x: str, axis: int) -> str:
    return graph.add("Gather", [graph.add("Shape", [x]), graph.constant(axis)])


def _joined(graph: Graph, sizes: list[str]) -> str:
    apart = [graph.add("Unsqueeze", [size, graph.constant([0])]) for size in sizes]
    return graph.add("Concat", apart, axis=0)


def _zeros(graph: Graph, like: str) -> str:
    """Return zeros that depend on what they are like by its shape alone; torch's export is full of them."""
    return graph.add("ConstantOfShape", [graph.add("Shape", [like])])
