"""The two graphs of Pocket TTS that make a latent: the backbone, and the flow net that follows it.

The backbone takes rows of the text table, a voice's conditioning and latents, in this order, and any of them may be
empty; what it says is for the last position. The flow net gives where a latent moves, for every type of flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.shrink.pocket.nodes import Nodes
from lowvox.shrink.pocket.transformer import transformer

if TYPE_CHECKING:
    from lowvox.shrink.pocket.nodes import Weights
    from lowvox.shrink.pocket.transformer import Sizes

TIMES = {"lsd": ("s", "t"), "flow_matching": ("t",), "drifting": (), "pointwise": ()}
_EPSILON = 1e-6


def backbone(weights: Weights, sizes: Sizes) -> Any:
    """Return the graph of the transformer, from the weights below `flow_lm.`."""
    g = Nodes()
    width, latent = weights["input_linear.weight"].shape
    rank = weights["conditioner.embed.weight"].shape[1]
    text, audio = g.input("text", ("text", rank)), g.input("audio", ("audio", width))
    latents = g.input("latents", ("latents", latent))
    begin = g.weight("bos_emb", weights["bos_emb"][None])
    moved = g.linear(g.add("Where", g.add("IsNaN", latents), begin, latents), weights, "input_linear")
    if "conditioner.proj.weight" in weights:
        text = g.linear(text, weights, "conditioner.proj")
    x = transformer(g, g.add("Concat", text, audio, moved, axis=0), weights, "transformer", sizes, None)
    last = g.norm(g.rows(x, -1, 2**31), weights, "out_norm", 1e-5)
    if "z_proj.weight" in weights:
        last = g.linear(last, weights, "z_proj")
    g.output(last, "condition", (1, weights["out_eos.weight"].shape[1]))
    g.output(g.linear(last, weights, "out_eos"), "eos", (1, 1))
    return g.model()


def flow(weights: Weights, kind: str) -> Any:
    """Return the graph of the flow net, from the weights below `flow_lm.flow_net.`."""
    g = Nodes()
    latent = weights["input_proj.weight"].shape[1]
    condition = g.linear(g.input("condition", (1, weights["cond_embed.weight"].shape[1])), weights, "cond_embed")
    times = [_moment(g, g.input(name, (1, 1)), weights, f"time_embed.{at}") for at, name in enumerate(TIMES[kind])]
    if times:
        mean = g.add("Mul", g.add("Sum", *times), g.const(1 / len(times), np.float32))
        condition = g.add("Add", condition, mean)
    x = g.linear(g.input("x", (1, latent)), weights, "input_proj")
    blocks = sum(name.endswith(".in_ln.weight") for name in weights)
    parts = _modulations(g, _bent(g, condition), weights, blocks)
    for at in range(blocks):
        shift, scale, gate = parts[3 * at : 3 * at + 3]
        name = f"res_blocks.{at}"
        inner = _modulated(g, g.norm(x, weights, f"{name}.in_ln", _EPSILON), shift, scale)
        inner = g.linear(_bent(g, g.linear(inner, weights, f"{name}.mlp.0")), weights, f"{name}.mlp.2")
        x = g.add("Add", x, g.add("Mul", gate, inner))
    plain = {"final.weight": np.ones(_wide(weights), np.float32), "final.bias": np.zeros(_wide(weights), np.float32)}
    x = _modulated(g, g.norm(x, plain, "final", _EPSILON), *parts[-2:])
    g.output(g.linear(x, weights, "final_layer.linear"), "direction", (1, latent))
    return g.model()


def _moment(g: Nodes, time: str, weights: Weights, name: str) -> str:
    """Embed a time from 0 to 1."""
    angles = g.add("Mul", time, g.weight(f"{name}.freqs", weights[f"{name}.freqs"][None]))
    waves = g.add("Concat", g.add("Cos", angles), g.add("Sin", angles), axis=1)
    x = g.linear(_bent(g, g.linear(waves, weights, f"{name}.mlp.0")), weights, f"{name}.mlp.2")
    wide = _wide(weights)
    away = g.add("Sub", x, g.add("ReduceMean", x, axes=[1]))
    squares = g.add("ReduceSum", g.add("Mul", away, away), g.const([1]))
    variance = g.add("Add", g.add("Mul", squares, g.const(1 / (wide - 1), np.float32)), g.const(1e-5, np.float32))
    alpha = g.weight(f"{name}.alpha", weights[f"{name}.mlp.3.alpha"])
    return g.add("Div", g.add("Mul", x, alpha), g.add("Sqrt", variance))


def _modulations(g: Nodes, condition: str, weights: Weights, blocks: int) -> list[str]:
    """Compute what modulates all blocks at once: shift, scale and gate of each, then shift and scale of the end.

    Scales are added to 1, which their biases do.
    """
    names = [*(f"res_blocks.{at}.adaLN_modulation.1" for at in range(blocks)), "final_layer.adaLN_modulation.1"]
    wide = _wide(weights)
    biases = [weights[f"{name}.bias"].copy() for name in names]
    for bias in biases:
        bias[wide : 2 * wide] += 1
    matrix = np.concatenate([weights[f"{name}.weight"] for name in names])
    every = g.product(condition, matrix.T, np.concatenate(biases), "adaLN_modulation")
    count = len(matrix) // wide
    return g.several("Split", every, g.const([wide] * count), outs=count, axis=1)


def _modulated(g: Nodes, x: str, shift: str, scale: str) -> str:
    return g.add("Add", g.add("Mul", x, scale), shift)


def _bent(g: Nodes, x: str) -> str:
    return g.add("Mul", x, g.add("Sigmoid", x))


def _wide(weights: Weights) -> int:
    return len(weights["input_proj.weight"])
