"""How the networks move: in bfloat16 they are run, in float32 they are kept, and their moving mean is exported.

Muon for the kernels inside blocks, AdamW for all else. Knows no data.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from network import Voice
    from torch import Tensor


class Halves:
    """The network as it is run, in bfloat16, and as it is kept, in float32; a moving mean of it is what is exported."""

    def __init__(self, kept: Voice, slow: float) -> None:
        self.kept, self.run, self.mean = kept, copy.deepcopy(kept).bfloat16(), copy.deepcopy(kept)
        self._slow = slow

    def hand_over(self) -> None:
        """Give the gradients to what is kept."""
        for run, kept in zip(self.run.parameters(), self.kept.parameters(), strict=True):
            kept.grad, run.grad = run.grad.float(), None

    @torch.no_grad()
    def refresh(self, step: int) -> None:
        """Run what is kept now, and let the mean follow."""
        slow = min(self._slow, (1 + step) / (10 + step))
        for run, kept, mean in zip(self.run.parameters(), self.kept.parameters(), self.mean.parameters(), strict=True):
            run.copy_(kept)
            mean.lerp_(kept, 1 - slow)


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is made orthogonal before each step (Jordan and others, 2024)."""

    def __init__(self, params, lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None) -> None:  # noqa: ARG002
        """Move each kernel."""
        for group in self.param_groups:
            for param in group["params"]:
                held = self.state[param].setdefault("held", torch.zeros_like(param))
                held.lerp_(param.grad, 1 - group["momentum"])
                step = _orthogonal(param.grad.lerp(held, group["momentum"]).flatten(1))
                param.mul_(1 - 0.02 * group["lr"]).add_(step.view_as(param), alpha=-group["lr"])


def _orthogonal(matrix: Tensor) -> Tensor:
    """Five steps of a Newton-Schulz iteration towards the nearest orthogonal matrix."""
    x = matrix.bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.float()


def optimizers(model: Voice, rate: float, muon: float) -> list[torch.optim.Optimizer]:
    """Muon for the kernels inside blocks, AdamW for all else."""
    inner = [p for name, p in model.named_parameters() if ".blocks." in name and p.ndim == 3]
    ids = {id(p) for p in inner}
    outer = [p for p in model.parameters() if id(p) not in ids]
    return [Muon(inner, muon), torch.optim.AdamW(outer, rate, (0.9, 0.98), weight_decay=0.01)]
