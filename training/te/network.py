"""The network of `lowvox-te`: one position a word, so that a paragraph of 80 words is 82 positions and no more.

Rows of a hashed table are added up, then a few blocks of "each word with its neighbours" (a convolution over three
words, written as a product of matrices) and "each word with all others" (attention with a learned bias by distance).
All of its weight lies in products of matrices and one table, which quantise well.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

REACH = 32  # words; further apart, distance makes no difference


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a network is: rows and width of its table, width, blocks, heads, width inside a block."""

    rows: int = 32768
    table: int = 96
    width: int = 256
    blocks: int = 4
    heads: int = 4
    inner: int = 512
    far: int = 2  # every so many blocks have attention
    marks: int = 8
    cases: int = 4


class Network(nn.Module):
    """Rows int [b, t, 8] to logits of marks [b, t, 8], of cases [b, t, 4] and of an inverted mark before it [b, t]."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.table = nn.Embedding(shape.rows, shape.table, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.4)
        self.enter = nn.Linear(shape.table, shape.width)
        self.blocks = nn.ModuleList(Block(shape, dropout, (at + 1) % shape.far == 0) for at in range(shape.blocks))
        self.norm = nn.LayerNorm(shape.width)
        self.leave = nn.Linear(shape.width, shape.marks + shape.cases + 1)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        there = (rows[:, :, 0] != 0).unsqueeze(-1)
        x = self.enter(self.drop(self.table(rows).sum(2)).to(self.enter.weight.dtype))
        bias = _distances(rows)
        for block in self.blocks:
            x = block(x, there, bias)
        marks, cases, opens = self.leave(self.norm(x)).split([self.shape.marks, self.shape.cases, 1], -1)
        return marks, cases, opens.squeeze(-1)


class Block(nn.Module):
    """Each word with its neighbours, then, where it is `far`, with all others."""

    def __init__(self, shape: Shape, dropout: float, far: bool) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.far = far
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        self.near_norm = nn.LayerNorm(width)
        self.near_in, self.near_out = nn.Linear(3 * width, shape.inner), nn.Linear(shape.inner, width)
        if not far:
            return
        self.far_norm = nn.LayerNorm(width)
        self.far_in, self.far_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(2 * REACH + 1, shape.heads))

    def forward(self, x: Tensor, there: Tensor, distances: Tensor) -> Tensor:
        near = self.near_norm(x) * there
        around = F.pad(near, (0, 0, 1, 1))
        near = torch.cat([around[:, :-2], near, around[:, 2:]], -1)
        x = x + self.drop(self.near_out(F.silu(self.near_in(near))))
        if not self.far:
            return x
        return x + self.drop(self.far_out(self._attend(self.far_norm(x), there, distances)))

    def _attend(self, x: Tensor, there: Tensor, distances: Tensor) -> Tensor:
        batch, time, width = x.shape
        split = self.far_in(x).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.bias[distances].permute(2, 0, 1).unsqueeze(0)
        nobody = (~there).view(batch, 1, 1, time).to(query.dtype) * -1e4
        odds = (query * (width // self.heads) ** -0.5) @ key.transpose(2, 3) + bias + nobody
        return (odds.softmax(-1) @ value).transpose(1, 2).reshape(batch, time, width)


def _distances(rows: Tensor) -> Tensor:
    place = torch.arange(rows.shape[1], device=rows.device)
    return (place[None, :] - place[:, None]).clamp(-REACH, REACH) + REACH
