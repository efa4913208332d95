"""The network: letters to the phones that each of them stands for, none, one or two.

Only a table, Conv1d and ReLU, as in the voice, so that it becomes INT8. Knows no words.
"""

from __future__ import annotations

import torch
from network import Block
from phones import PHONES
from torch import Tensor, nn
from words import LETTERS

CLASSES = len(PHONES) + 1  # none, then the phones
WIDTH, DILATIONS, KERNEL = 128, (1, 1, 2, 1, 2, 1), 5


class Speller(nn.Module):
    """Letters to logits."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS), WIDTH)
        self.blocks = nn.ModuleList(Block(WIDTH, KERNEL, dilation) for dilation in DILATIONS)
        self.leave = nn.Conv1d(WIDTH, 2 * CLASSES, 1)
        nn.init.normal_(self.letters.weight, std=0.5)

    def forward(self, letters: Tensor) -> Tensor:
        """[batch, n] to [batch, 80, n]: 40 of the first phone and 40 of the second."""
        x = self.letters(letters).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.leave(torch.relu(x))
