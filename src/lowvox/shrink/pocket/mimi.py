"""Both halves of Mimi, Pocket TTS's codec, as streaming graphs: latents to sound, and sound to a voice's conditioning.

What a convolution has to remember are the rows before those of this run; what comes out does not depend on how many
frames a run has. A transposed convolution whose kernel is twice its stride is a product of each row and the one
before it: every row gives `stride` rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.shrink.pocket.nodes import Nodes
from lowvox.shrink.pocket.transformer import transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lowvox.shrink.pocket.nodes import Weights
    from lowvox.shrink.pocket.transformer import Sizes


@dataclass(frozen=True, slots=True)
class Mimi:
    """One half: its transformer, the ratios of its convolutions in their order, and the dilations of a residual block.

    `stride` positions of the transformer are one frame of `frame` samples.
    """

    transformer: Sizes
    ratios: tuple[int, ...]
    dilations: tuple[int, ...]
    stride: int
    frame: int


def decoder(weights: Weights, mimi: Mimi, std: NDArray[np.float32], mean: NDArray[np.float32]) -> Any:
    """Return the graph of latents to sound, from the weights below `mimi.`; std and mean undo what is normalised."""
    g = Nodes()
    latents = g.input("latents", ("frames", len(std)))
    offset = g.input("offset", (1,), "int64")
    plain = g.add("Add", g.add("Mul", latents, g.weight("std", std)), g.weight("mean", mean))
    x = g.product(plain, weights["quantizer.output_proj.weight"][:, :, 0].T, None, "quantizer.output_proj")
    if "upsample.convtr.convtr.weight" in weights:
        x = _spread(g, x, weights["upsample.convtr.convtr.weight"])
    x = _projected(g, x, weights, "decoder_transformer", mimi, offset)
    x = _convolved(g, x, weights, "decoder.model.0")
    at = 1
    for ratio in mimi.ratios:
        x = _transposed(g, g.add("Elu", x), weights, f"decoder.model.{at + 1}", ratio)
        at += 2
        for dilation in mimi.dilations:
            x = _block(g, x, weights, f"decoder.model.{at}", dilation)
            at += 1
    x = _convolved(g, g.add("Elu", x), weights, f"decoder.model.{at + 1}")
    g.output(g.shape(x, -1), "audio", ("samples",))
    return g.model(), g.states


def encoder(weights: Weights, mimi: Mimi, speaker: NDArray[np.float32]) -> Any:
    """Return the graph of sound to conditioning, from the weights below `mimi.` and the speaker's projection."""
    g = Nodes()
    audio, first = g.input("audio", ("samples",)), g.input("first", (1,), "bool")
    offset = g.input("offset", (1,), "int64")
    x = _convolved(g, g.shape(audio, -1, 1), weights, "encoder.model.0")
    at = 1
    for ratio in mimi.ratios:
        for dilation in mimi.dilations:
            x = _block(g, x, weights, f"encoder.model.{at}", dilation)
            at += 1
        x = _convolved(g, g.add("Elu", x), weights, f"encoder.model.{at + 1}", stride=ratio)
        at += 2
    x = _convolved(g, g.add("Elu", x), weights, f"encoder.model.{at + 1}")
    x = _projected(g, x, weights, "encoder_transformer", mimi, offset)
    if "downsample.conv.conv.weight" in weights:
        x = _convolved(g, x, weights, "downsample.conv", stride=mimi.stride, first=first)
    g.output(g.product(x, speaker.T, None, "speaker_proj"), "conditioning", ("frames", len(speaker)))
    return g.model(), g.states


def _projected(g: Nodes, x: str, weights: Weights, name: str, mimi: Mimi, offset: str) -> str:
    if f"{name}.input_proj.weight" in weights:
        x = g.linear(x, weights, f"{name}.input_proj")
    x = transformer(g, x, weights, f"{name}.transformer", mimi.transformer, offset)
    return g.linear(x, weights, f"{name}.output_projs.0") if f"{name}.output_projs.0.weight" in weights else x


def _block(g: Nodes, x: str, weights: Weights, name: str, dilation: int) -> str:
    inner = _convolved(g, g.add("Elu", x), weights, f"{name}.block.1", dilation=dilation)
    return g.add("Add", x, _convolved(g, g.add("Elu", inner), weights, f"{name}.block.3"))


def _convolved(
    g: Nodes, x: str, weights: Weights, name: str, stride: int = 1, dilation: int = 1, first: str | None = None
) -> str:
    """Add a convolution that looks back only; `first` says that nothing was before, and the first row stands for it."""
    kernel = weights[f"{name}.conv.weight"]
    out, channels, width = kernel.shape
    matrix = np.transpose(kernel, (2, 1, 0)).reshape(width * channels, out)
    back = (width - 1) * dilation + 1 - stride
    if back:
        before, at = g.state(back, channels)
        if first is not None:
            before = g.add("Where", first, g.rows(x, 0, 1), before)
        x = g.add("Concat", before, x, axis=0)
        g.remember(at, g.rows(x, -back, 2**31))
    seen = x if width == 1 else _unfolded(g, x, channels, width, stride, dilation)
    return g.product(seen, matrix, weights.get(f"{name}.conv.bias"), name)


def _unfolded(g: Nodes, x: str, channels: int, width: int, stride: int, dilation: int) -> str:
    """Lay beside each other what the kernel sees at each of its places, [positions, width * channels]."""
    if stride > 1 and width == 2 * stride:
        pairs = g.shape(x, -1, stride * channels)
        return g.add("Concat", g.rows(pairs, 0, -1), g.rows(pairs, 1, 2**31), axis=1)
    last = [at * dilation - (width - 1) * dilation for at in range(width)]
    shifted = [g.rows(x, at * dilation, end or 2**31) for at, end in enumerate(last)]
    return g.add("Concat", *shifted, axis=1)


def _transposed(g: Nodes, x: str, weights: Weights, name: str, stride: int) -> str:
    """Add a transposed convolution: [positions, in] to [positions * stride, out]."""
    kernel = weights[f"{name}.convtr.weight"]
    channels, out, _ = kernel.shape
    new, old = (np.transpose(part, (0, 2, 1)).reshape(channels, -1) for part in np.split(kernel, 2, axis=2))
    bias = weights.get(f"{name}.convtr.bias")
    y = g.product(
        _with_last(g, x, channels), np.concatenate([old, new]), None if bias is None else np.tile(bias, stride), name
    )
    return g.shape(y, -1, out)


def _spread(g: Nodes, x: str, kernel: NDArray[np.float32]) -> str:
    """Add a transposed convolution of each channel by itself: [positions, channels] to `stride` times as many."""
    channels = len(kernel)
    before, at = g.state(1, channels)
    long = g.add("Concat", before, x, axis=0)
    g.remember(at, g.rows(long, -1, 2**31))
    new, old = (np.ascontiguousarray(part[:, 0].T)[None] for part in np.split(kernel, 2, axis=2))
    sides = ((g.rows(long, 0, -1), "old", old), (x, "new", new))
    parts = [
        g.add("Mul", g.shape(rows, -1, 1, channels), g.weight(f"upsample.{name}", part)) for rows, name, part in sides
    ]
    return g.shape(g.add("Add", *parts), -1, channels)


def _with_last(g: Nodes, x: str, channels: int) -> str:
    """Put beside each row the one before it: [positions, 2 * channels], the earlier first."""
    before, at = g.state(1, channels)
    long = g.add("Concat", before, x, axis=0)
    g.remember(at, g.rows(long, -1, 2**31))
    return g.add("Concat", g.rows(long, 0, -1), x, axis=1)
