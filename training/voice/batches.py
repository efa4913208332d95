"""Prepared sentences as padded batches of about the same length, and by how much their frames are scaled.

    spoken = Spoken(Path("ARRAYS/train")); batch = spoken.batch(next(spoken.batches(draw, many=9000)))

Knows no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from frames import steps
from head import CEPSTRA, PITCH, VOICING, WIDTH
from phones import spots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor


class Spoken:
    """Sentences as tensors, padded into batches of about the same length."""

    def __init__(self, prefix: Path) -> None:
        held = np.load(f"{prefix}.npz")
        self.frames = np.load(f"{prefix}.frames.npy", mmap_mode="r")
        self.ids, self.places = held["ids"].astype(np.int64), held["places"].astype(np.int64)
        self.durations = held["durations"]
        self.sizes = held["sizes"]
        self.begins = np.concatenate([[[0, 0]], np.cumsum(self.sizes, 0)])

    def one(self, at: int) -> tuple[np.ndarray, ...]:
        """Return ids, places, spots, durations, which token each step has, where it lies in it, and the frames."""
        (token, frame), (last, upto) = self.begins[at], self.begins[at + 1]
        ids, lengths = self.ids[token:last], self.durations[token:last]
        which, where = steps(lengths, int(upto - frame) // 2)
        frames = np.asarray(self.frames[frame:upto], np.float32).reshape(-1, 2 * WIDTH).T
        return ids, self.places[token:last], spots(ids), lengths.T, which, where, frames

    def batch(self, chosen: np.ndarray) -> dict[str, Tensor]:
        """Pad sentences to a batch."""
        rows = [self.one(int(at)) for at in chosen]
        names = ("ids", "places", "spots", "durations", "which", "where", "frames")
        made = {}
        for name, parts in zip(names, zip(*rows, strict=True), strict=True):
            wide = max(part.shape[-1] for part in parts)
            made[name] = torch.from_numpy(
                np.stack([np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, wide - part.shape[-1])]) for part in parts])
            )
        made["tokens"] = _mask([len(row[0]) for row in rows])
        made["steps"] = _mask([len(row[4]) for row in rows])
        return made

    def batches(self, draw: np.random.Generator, many: int) -> Iterator[np.ndarray]:
        """Yield the sentences of each batch of about `many` steps, for ever."""
        while True:
            order = np.argsort(self.sizes[:, 1] + draw.uniform(0, 60, len(self.sizes)))
            cuts, begin, groups = 0, 0, []
            for at in range(len(order)):
                cuts = max(cuts, int(self.sizes[order[at], 1]) // 2)
                if cuts * (at + 1 - begin) >= many:
                    groups.append(order[begin : at + 1])
                    begin, cuts = at + 1, 0
            for at in draw.permutation(len(groups)):
                yield groups[at]


def _mask(lengths: list[int]) -> Tensor:
    return (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None])[:, None].float()


def statistics(spoken: Spoken) -> tuple[Tensor, Tensor]:
    """Return by how much frames are shifted and scaled for the network."""
    some = np.asarray(spoken.frames[:: max(1, len(spoken.frames) // 200000)], np.float32)
    voiced = some[:, VOICING] > 0
    mean, spread = some.mean(0), some.std(0)
    mean[PITCH], spread[PITCH] = some[voiced, PITCH].mean(), some[voiced, PITCH].std()
    mean[VOICING], spread[VOICING] = 0, 1
    # Equal errors of two cepstra are equally loud, but fine shape matters for being understood: half-way between both.
    spread[CEPSTRA] = np.sqrt(spread[CEPSTRA] * spread[CEPSTRA][1:].mean())
    return torch.from_numpy(mean), torch.from_numpy(spread)
