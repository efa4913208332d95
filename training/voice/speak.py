"""Tokens to sound with the exported graphs, as the package does it: numpy and ONNX Runtime only.

    voice = Voice(FOLDER, "")            # or ".int8"
    sound, frames = voice.say(ids, places)

    python speak.py FOLDER "HH AH L OW , W ER L D ." out.wav

For scoring and for listening; the package has its own engine. Knows no spelling.
"""

from __future__ import annotations

import sys
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from frames import steps
from head import RATE, WIDTH, Head
from phones import MARKS, Tokens, spots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Voice:
    """Both graphs and the head."""

    def __init__(self, folder: Path | str, variant: str = "") -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._encoder, self._decoder = (
            onnxruntime.InferenceSession(Path(folder) / f"{name}{variant}.onnx", options, ["CPUExecutionProvider"])
            for name in ("encoder", "decoder")
        )

    def frames(
        self, ids: Sequence[int], places: Sequence[int], durations: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return frames [n, 32]; `durations` [tokens, 3] in frames of 5 ms, those of the network where left out."""
        context, lengths = self._encoder.run(["context", "durations"], _given(ids, places))
        lengths = np.maximum(lengths[0].T, 0.6) if durations is None else durations
        which, where = steps(lengths)
        made = self._decoder.run(["frames"], {"context": context[:, :, which], "where": where[None]})[0]
        return made[0].reshape(2, WIDTH, -1).transpose(2, 0, 1).reshape(-1, WIDTH)

    def lengths(self, ids: Sequence[int], places: Sequence[int]) -> NDArray[np.float32]:
        """Return the network's own durations [tokens, 3] in frames of 5 ms."""
        return np.maximum(self._encoder.run(["durations"], _given(ids, places))[0][0].T, 0.6)

    def say(self, ids: Sequence[int], places: Sequence[int], seed: int = 0) -> NDArray[np.float32]:
        """Return samples at 16 kHz."""
        head = Head(seed)
        return np.concatenate([head.feed(self.frames(ids, places)), head.flush()])


def _given(ids: Sequence[int], places: Sequence[int]) -> dict[str, NDArray[np.generic]]:
    return {"ids": np.array([ids]), "places": np.array([places]), "spots": spots(ids)[None]}


def main(folder: str, phones: str, out: str) -> None:
    """Say words in phones; ` | ` parts words, marks are pauses."""
    tokens, word = Tokens(), []
    for symbol in [*phones.split(), "|"]:
        if symbol in (*MARKS, "|"):
            if word:
                tokens.word(word)
            word = []
            if symbol in MARKS:
                tokens.pause(symbol)
        else:
            word.append(symbol)
    sound = Voice(folder).say(tokens.ids, tokens.places)
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
