"""What the teacher's program wrote, as the frames that our head understands.

    said = Teacher(PREFIX)             # PREFIX.jsonl, PREFIX.f32, PREFIX.voice.json from teacher.c
    said.frames(0)                     # [n, 32], see head.py; said.sound(0): the teacher's own samples

The teacher sharpens its cepstra as it filters; here that is done once, so that the head need not. Knows
no network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from head import ALPHA, cosines

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BINS = 257
_PITCHES = (60.0, 180.0)  # Hz


def sharpened(cepstra: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Return mel cepstra [n, 25] after the teacher's postfilter, which keeps the energy of each frame."""
    order = cepstra.shape[1]
    filters = cepstra.copy()
    for at in range(order - 2, -1, -1):
        filters[:, at] -= ALPHA * filters[:, at + 1]
    sharp = filters.copy()
    sharp[:, 1] -= beta * ALPHA * cepstra[:, 2]
    sharp[:, 2:] *= 1 + beta
    back = sharp.copy()
    back[:, :-1] += ALPHA * sharp[:, 1:]
    table = cosines(_BINS, order)
    # The ends stand once on the circle, everything between them twice.
    weight = np.r_[1, np.full(_BINS - 2, 2), 1] / (2 * _BINS - 2)
    before, after = (np.exp(2 * (one @ table)) @ weight for one in (cepstra, back))
    back[:, 0] += np.log(before / after) / 2
    return back


class Teacher:
    """The sentences of one run of the teacher's program."""

    def __init__(self, prefix: str | Path) -> None:
        prefix = str(prefix)
        self.rows: list[dict[str, Any]] = [*map(json.loads, Path(prefix + ".jsonl").read_text().splitlines())]
        self._set = json.loads(Path(prefix + ".voice.json").read_text())
        width = self.rows[0]["width"]
        self._frames = np.memmap(prefix + ".f32", np.float32, "r").reshape(-1, width)
        sound = Path(prefix + ".s16")
        self._sound = np.memmap(sound, np.int16, "r") if sound.exists() else None

    def frames(self, at: int) -> NDArray[np.float32]:
        """Return the frames [n, 32] of a sentence."""
        row = self.rows[at]
        raw = np.asarray(self._frames[row["begin"] : row["begin"] + row["frames"]], np.float64)
        cepstra = sharpened(raw[:, 1:26], self._set["beta"])
        cepstra[:, 0] += np.log(self._set["gain"] / 32768)
        voiced = raw[:, 0] > 0
        # The teacher divides by nought in syllables of one frame.
        pitch = np.log(np.clip(np.nan_to_num(np.where(voiced, raw[:, 0], 100.0), nan=100.0), *_PITCHES))
        bands = np.clip(raw[:, 26:31], 0, 1)
        first = np.stack([pitch, np.where(voiced, 1.0, -1.0)], 1)
        return np.concatenate([first, bands, cepstra], 1).astype(np.float32)

    def sound(self, at: int) -> NDArray[np.float32]:
        """Return the samples of a sentence in [-1, 1]."""
        assert self._sound is not None
        row = self.rows[at]
        return self._sound[row["sample"] : row["sample"] + row["samples"]].astype(np.float32) / 32768
