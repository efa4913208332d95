"""The transformer of Pocket TTS, which its backbone and both halves of Mimi have: one run adds positions to its caches.

The caches come in whole and only the new keys and values go out, in the layout that upstream keeps them in: position
first, rotated, the pairs beside each other. Attention to what is cached and to what is new are two products, so that
the caches are nowhere copied. A cache has one row more than positions, its first, which is never seen: ONNX Runtime
crashes at a product of nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lowvox.shrink.pocket.nodes import CONTRIB

if TYPE_CHECKING:
    from lowvox.shrink.pocket.nodes import Nodes, Weights

_EPSILON = 1e-5
_NEVER = np.float32(np.finfo(np.float32).min)


@dataclass(frozen=True, slots=True)
class Sizes:
    """A transformer: `heads` of queries and `kv_heads` of keys and values, each `size` wide.

    A position sees the `context` ones up to itself, or all.
    """

    layers: int
    heads: int
    kv_heads: int
    size: int
    period: float = 10_000.0
    context: int | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """What all layers share: rotations, the mask [positions, cached + positions] and both lengths."""

    cosines: str
    sines: str
    zero: str
    mask: str
    lengths: str


def transformer(g: Nodes, x: str, weights: Weights, name: str, sizes: Sizes, offset: str | None) -> str:
    """Add the layers below `name` to x [positions, width]; `offset` int64 [1], or without one what is cached counts."""
    caches = [
        (
            g.input(f"k{at}", ("cached", sizes.kv_heads, sizes.size)),
            g.input(f"v{at}", ("cached", sizes.kv_heads, sizes.size)),
        )
        for at in range(sizes.layers)
    ]
    run = _shared(g, x, caches[0][0], sizes, offset)
    for at, cache in enumerate(caches):
        x = _layer(g, x, weights, f"{name}.layers.{at}", sizes, run, cache, at)
    return x


def _shared(g: Nodes, x: str, cache: str, sizes: Sizes, offset: str | None) -> _Run:
    new, past = g.length(x), g.length(cache)
    count = g.add("Range", g.const(0), g.add("Squeeze", new), g.const(1))
    begin = g.add("Sub", past, g.const([1])) if offset is None else offset
    at = g.add("Cast", g.add("Add", count, begin), to=1)
    speeds = np.exp(np.arange(sizes.size // 2, dtype=np.float32) * np.float32(-math.log(sizes.period) * 2 / sizes.size))
    angles = g.add("Mul", g.shape(at, -1, 1), g.weight("speeds", speeds[None]))
    lengths = g.add("Concat", past, new, axis=0)
    mask = _mask(g, count, past, new, sizes)
    return _Run(g.add("Cos", angles), g.add("Sin", angles), g.const([0]), mask, lengths)


def _mask(g: Nodes, count: str, past: str, new: str, sizes: Sizes) -> str:
    """Return 0 where a position sees another and as good as minus infinity where not, [groups * new, past + new]."""
    total = g.add("Squeeze", g.add("Add", past, new))
    keys = g.shape(g.add("Range", g.const(0), total, g.const(1)), 1, -1)
    behind = g.add("Sub", g.shape(g.add("Add", count, past), -1, 1), keys)
    hidden = g.add("Or", g.add("Less", behind, g.const(0)), g.add("Equal", keys, g.const(0)))
    if sizes.context is not None:
        hidden = g.add("Or", hidden, g.add("GreaterOrEqual", behind, g.const(sizes.context)))
    mask = g.add("Where", hidden, g.const(_NEVER, np.float32), g.const(0, np.float32))
    groups = sizes.heads // sizes.kv_heads
    return mask if groups == 1 else g.add("Tile", mask, g.const([groups, 1]))


def _layer(
    g: Nodes, x: str, weights: Weights, name: str, sizes: Sizes, run: _Run, cache: tuple[str, str], at: int
) -> str:
    inner = g.norm(x, weights, f"{name}.norm1", _EPSILON)
    heard = _attention(g, inner, weights, f"{name}.self_attn", sizes, run, cache, at)
    scale = weights.get(f"{name}.layer_scale_1.scale")
    x = g.add("Add", x, g.linear(heard, weights, f"{name}.self_attn.out_proj", scale))
    inner = g.linear(g.norm(x, weights, f"{name}.norm2", _EPSILON), weights, f"{name}.linear1")
    bent = g.add("FastGelu", inner, domain=CONTRIB)
    return g.add("Add", x, g.linear(bent, weights, f"{name}.linear2", weights.get(f"{name}.layer_scale_2.scale")))


def _attention(
    g: Nodes, x: str, weights: Weights, name: str, sizes: Sizes, run: _Run, cache: tuple[str, str], at: int
) -> str:
    """Return what each position hears, [positions, heads * size], and give the new keys and values."""
    wide, narrow = sizes.heads * sizes.size, sizes.kv_heads * sizes.size
    # Scores are divided beforehand: a product of one row that also divides is slower.
    scale = np.ones(wide + 2 * narrow, np.float32)
    scale[:wide] = sizes.size**-0.5
    given = g.linear(x, weights, f"{name}.in_proj", scale)
    both, v = g.several("Split", given, g.const([wide + narrow, narrow]), outs=2, axis=1)
    turned = g.add(
        "RotaryEmbedding", g.add("Unsqueeze", both, g.const([0])), run.zero, run.cosines, run.sines,
        domain=CONTRIB, interleaved=1,
    )  # fmt: skip
    q, k = g.several("Split", turned, g.const([wide, narrow]), outs=2, axis=2)
    k, v = (g.shape(each, -1, sizes.kv_heads, sizes.size) for each in (k, v))
    for value, kind in ((k, "k"), (v, "v")):
        g.output(value, f"new_{kind}{at}", ("positions", sizes.kv_heads, sizes.size))
    heard = _heard(g, _grouped(g, q, sizes), (cache[0], k), (cache[1], v), run)
    groups = sizes.heads // sizes.kv_heads
    back = g.add("Transpose", g.shape(heard, sizes.kv_heads, groups, -1, sizes.size), perm=[2, 0, 1, 3])
    return g.shape(back, -1, wide)


def _grouped(g: Nodes, q: str, sizes: Sizes) -> str:
    """Lay the queries that share keys behind each other: [kv_heads, groups * positions, size]."""
    parted = g.shape(q, -1, sizes.kv_heads, sizes.heads // sizes.kv_heads, sizes.size)
    return g.shape(g.add("Transpose", parted, perm=[1, 2, 0, 3]), sizes.kv_heads, -1, sizes.size)


def _heard(g: Nodes, q: str, keys: tuple[str, str], values: tuple[str, str], run: _Run) -> str:
    scores = [g.add("FusedMatMul", q, k, domain=CONTRIB, transB=1, transBatchB=1) for k in keys]
    shares = g.add("Softmax", g.add("Add", g.add("Concat", *scores, axis=2), run.mask), axis=-1)
    parts = g.several("Split", shares, run.lengths, outs=2, axis=2)
    sums = [g.add("FusedMatMul", part, v, domain=CONTRIB, transBatchB=1) for part, v in zip(parts, values, strict=True)]
    return g.add("Add", *sums)
