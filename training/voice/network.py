"""The two networks: phones to what each of them needs and how long it lasts; steps of 10 ms to two frames each.

Only Conv1d, Linear as Conv1d of width one, ReLU and two tables, so that all of it becomes INT8 and the second runs in
windows. Knows nothing of text and of how frames become sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from frames import STATES, WHERE
from head import WIDTH
from phones import SYMBOLS
from torch import Tensor, nn

PLACES, SPOTS = 5, 4


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks."""

    encoder: int = 224
    decoder: int = 224
    context: int = 192
    encoder_dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 4)
    decoder_dilations: tuple[int, ...] = (1, 1, 2, 2, 1)
    kernel: int = 5


class Block(nn.Module):
    """What is there, and what its neighbours add."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.near = nn.Conv1d(width, width, kernel, padding=kernel // 2 * dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.mix.bias)
        nn.init.normal_(self.mix.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, width, time] to the same."""
        return x + self.mix(torch.relu(self.near(x)))


class Encoder(nn.Module):
    """Tokens to their contexts and to the lengths of their states."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.encoder
        self.symbols = nn.Embedding(len(SYMBOLS), width)
        self.places = nn.Embedding(PLACES, width)
        self.spots = nn.Conv1d(SPOTS, width, 1)
        self.blocks = nn.ModuleList(Block(width, shape.kernel, d) for d in shape.encoder_dilations)
        self.context = nn.Conv1d(width, shape.context, 1)
        self.lengths = nn.Conv1d(width, STATES, 1)
        nn.init.normal_(self.symbols.weight, std=0.5)
        nn.init.normal_(self.places.weight, std=0.5)

    def forward(self, ids: Tensor, places: Tensor, spots: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return contexts [b, context, n] and the logarithm of the states' lengths in frames [b, 3, n]."""
        x = (self.symbols(ids) + self.places(places)).transpose(1, 2) + self.spots(spots)
        for block in self.blocks:
            x = block(x if mask is None else x * mask)
        return self.context(torch.relu(x)), self.lengths(x) + 1.4


class Decoder(nn.Module):
    """Steps to frames: two of 32 numbers each."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.decoder
        self.enter = nn.Conv1d(shape.context, width, 1)
        self.where = nn.Conv1d(WHERE, width, 1)
        self.blocks = nn.ModuleList(Block(width, shape.kernel, d) for d in shape.decoder_dilations)
        self.leave = nn.Conv1d(width, 2 * WIDTH, 1)

    def forward(self, context: Tensor, where: Tensor, mask: Tensor | None = None) -> Tensor:
        """[b, context, t] and [b, 8, t] to normalised frames [b, 64, t]: first the even frame's, then the odd one's."""
        # The step's place inside its phone bends what the phone says: a product that two layers of ReLU can make.
        x = torch.relu(self.enter(context) + self.where(where))
        for block in self.blocks:
            x = block(x if mask is None else x * mask)
        return self.leave(torch.relu(x))


class Voice(nn.Module):
    """Both, as they are trained."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.register_buffer("scale", torch.ones(WIDTH))
