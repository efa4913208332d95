"""The `lowvox-te` engine: our own small network for punctuation and capitals, on ONNX Runtime.

How it was made is in `training/te`. It sees words, not letters: a paragraph of 80 words is 82 positions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lowvox.engines import te_words
from lowvox.errors import EngineError
from lowvox.onnx.session import Session
from lowvox.text.marks import CASES, ENDS, MARKS
from lowvox.types import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lowvox.types import Model, Profile

SHIPPED = Path(__file__).with_name("weights")
WINDOW = 126  # words; with the text's begin and end the 128 positions that it was trained on
# From which probability on an inverted mark stands at a word inside a sentence, not at its beginning.
_OPENS = 0.3
_INVERTED = {"?": "¿", "!": "¡"}


class LowvoxTe:
    """Marks and capitals for small words: English, German, Spanish and Russian, or Vietnamese."""

    def load(self, model: Model, profile: Profile) -> LowvoxTeResident:
        """Load the network that comes with lowvox under the model's name."""
        return LowvoxTeResident(Session(model.path or SHIPPED / f"{model.name}.onnx", profile, permits=4))


class LowvoxTeResident:
    """The loaded network."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, language: str = "", **options: object) -> LowvoxTeStream:  # noqa: ARG002
        """Open a stream for one language; without one the words alone must tell."""
        return LowvoxTeStream(self._session, language.partition("-")[0].lower())

    def close(self) -> None:
        """Unload it."""
        self._session.close()


class LowvoxTeStream:
    """One language through the network; it remembers nothing from one text to the next."""

    window = WINDOW

    def __init__(self, session: Session, language: str) -> None:
        self._session: Session | None = session
        self._language = language

    def label(
        self,
        texts: Sequence[Sequence[str]],
        pauses: Sequence[Sequence[float]] | None = None,
        *,
        begins: bool = True,
        ends: bool = True,
    ) -> list[list[Label]]:
        """See `types.PunctuatorStream`."""
        if self._session is None:
            raise EngineError("This stream of lowvox-te is closed; open another.")
        found = [
            te_words.rows(words, self._language, pauses[at] if pauses else None, begins=begins, ends=ends)
            for at, words in enumerate(texts)
        ]
        longest = max(map(len, found), default=0)
        if not longest:
            return [[] for _ in texts]
        rows = np.full((len(found), longest, te_words.WIDTH), te_words.PAD, np.int32)
        for at, row in enumerate(found):
            rows[at, : len(row)] = np.reshape(row, (-1, te_words.WIDTH))
        marks, cases, opens = self._session.run({"rows": rows}, ["marks", "cases", "opens"])
        first = int(begins)
        return [
            self._labels(marks[at, first:][:size], cases[at, first:][:size], opens[at, first:][:size])
            for at, size in enumerate(map(len, texts))
        ]

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Let go of the network."""
        self._session = None

    def _labels(
        self, marks: NDArray[np.float32], cases: NDArray[np.float32], opens: NDArray[np.float32]
    ) -> list[Label]:
        """Turn logits [n, 8], [n, 4] and [n] into labels."""
        chosen = marks.argmax(-1)
        odds = np.exp(marks - marks.max(-1, keepdims=True))
        sure = odds.max(-1) / odds.sum(-1)
        inverted = _inverted([MARKS[mark] for mark in chosen], opens) if self._language == "es" else {}
        return [
            Label(MARKS[mark], CASES[case], inverted.get(at, ""), float(sure[at]))
            for at, (mark, case) in enumerate(zip(chosen, cases.argmax(-1), strict=True))
        ]


def _inverted(marks: Sequence[str], opens: NDArray[np.float32]) -> dict[int, str]:
    """Give each question and exclamation its inverted mark: at its likeliest word, else where its sentence begins."""
    found: dict[int, str] = {}
    begin = 0
    for at, mark in enumerate(marks):
        if mark in _INVERTED:
            likely = begin + int(opens[begin : at + 1].argmax())
            odds = 1 / (1 + np.exp(-opens[likely]))
            found[likely if odds >= _OPENS else begin] = _INVERTED[mark]
        if mark in ENDS:
            begin = at + 1
    return found
