"""How far what the networks give is from the teacher: what is trained on, and what is reported.

Knows no optimiser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from head import BANDS, CEPSTRA, PITCH, VOICING, WIDTH

if TYPE_CHECKING:
    from batches import Spoken
    from network import Voice
    from torch import Tensor


def predicted(model: Voice, drawn: dict[str, Tensor], kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return normalised frames [b, 2, 32, t] and logarithms of lengths [b, 3, n], in float32."""
    context, lengths = model.encoder(drawn["ids"], drawn["places"], drawn["spots"].to(kind), drawn["tokens"].to(kind))
    index = drawn["which"][:, None].expand(-1, context.shape[1], -1)
    made = model.decoder(context.gather(2, index), drawn["where"].to(kind), drawn["steps"].to(kind))
    return made.float().unflatten(1, (2, WIDTH)), lengths.float()


def losses(kept: Voice, made: Tensor, lengths: Tensor, drawn: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the parts of the loss."""
    frames = drawn["frames"].unflatten(1, (2, WIDTH))
    mask = drawn["steps"][:, None]  # [b, 1, 1, t]
    count = mask.sum() * 2
    voiced = (frames[:, :, VOICING] > 0).float() * mask[:, 0]
    want = (frames - kept.mean[:, None]) / kept.scale[:, None]
    off = (made - want).abs() * mask
    really = (frames[:, :, VOICING] > 0).float()
    cross = F.binary_cross_entropy_with_logits(made[:, :, VOICING], really, reduction="none")
    tokens = drawn["tokens"]
    target = torch.log(drawn["durations"].clamp(min=1e-3)).clamp(min=-1)
    late = (lengths - target).abs() * tokens
    return {
        "pitch": (off[:, :, PITCH] * voiced).sum() / voiced.sum(),
        "voicing": (cross * mask[:, 0]).sum() / count,
        "bands": off[:, :, BANDS].sum() / count / 5,
        "cepstra": off[:, :, CEPSTRA].sum() / count / 25,
        "lengths": late.sum() / tokens.sum() / 3,
    }


WEIGHTS = {"pitch": 0.5, "voicing": 0.5, "bands": 0.5, "cepstra": 3.0, "lengths": 1.0}


@torch.no_grad()
def checked(model: Voice, spoken: Spoken, many: int = 64) -> dict[str, float]:
    """Return how far held-out sentences are from the teacher."""
    order = np.argsort(spoken.sizes[:, 1])[: many * 3 : 3]
    total: dict[str, float] = {}
    for begin in range(0, len(order), 16):
        drawn = spoken.batch(order[begin : begin + 16])
        made, lengths = predicted(model, drawn, torch.float32)
        found = losses(model, made, lengths, drawn) | measures(model, made, drawn)
        for name, value in found.items():
            total[name] = total.get(name, 0.0) + float(value) * 16 / len(order)
    return {name: round(value, 5) for name, value in total.items()}


def measures(model: Voice, made: Tensor, drawn: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return mel-cepstral distortion in dB (without loudness), error of voicing, error of pitch in cents (RMS)."""
    frames, mask = drawn["frames"].unflatten(1, (2, WIDTH)), drawn["steps"]
    off = made * model.scale[:, None] + model.mean[:, None] - frames
    voiced = frames[:, :, VOICING] > 0
    cepstral = 10 / np.log(10) * torch.sqrt(2 * off[:, :, CEPSTRA][:, :, 1:].square().sum(2))
    pitch = (1200 / np.log(2) * off[:, :, PITCH]).square()
    here = (voiced & (mask > 0)).float()
    return {
        "mcd_db": (cepstral * mask).sum() / mask.sum() / 2,
        "voicing_error": (((made[:, :, VOICING] > 0) != voiced) * mask).sum() / mask.sum() / 2,
        "cents": torch.sqrt((pitch * here).sum() / here.sum()),
    }
