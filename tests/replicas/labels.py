"""A punctuator that can be foretold: what it says of a word follows from the words next to it.

Whoever asks it in pieces with enough words around must hear the same as who asks it about the whole.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lowvox.types import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

REACH = 3  # words to either side that matter


class Neighbours:
    """Marks by a sum over the words around; a text's end gets a full stop and its beginning a capital."""

    def __init__(self, window: int = 40) -> None:
        self.window = window
        self.asked: list[int] = []

    def label(
        self,
        texts: Sequence[Sequence[str]],
        pauses: Sequence[Sequence[float]] | None = None,
        *,
        begins: bool = True,
        ends: bool = True,
    ) -> list[list[Label]]:
        self.asked.append(max(map(len, texts)) * len(texts))
        assert all(len(text) <= self.window for text in texts)
        return [self._text(text, pauses[at] if pauses else None, begins, ends) for at, text in enumerate(texts)]

    def _text(self, words: Sequence[str], pauses: Sequence[float] | None, begins: bool, ends: bool) -> list[Label]:
        found = [self._word(words[max(0, at - REACH) : at + REACH + 1]) for at in range(len(words))]
        if pauses is not None:
            found = [Label(".") if pause >= 0.4 else label for label, pause in zip(found, pauses, strict=True)]
        if begins and found:
            found[0] = Label(found[0].mark, "capital")
        if ends and found:
            found[-1] = Label(".", found[-1].case)
        return found

    def _word(self, around: Sequence[str]) -> Label:
        total = sum(map(len, around)) + sum(a < b for a, b in pairwise(around))
        return Label(("", "", "", ",", "", ".", "", "?")[total % 8], "capital" if total % 11 == 0 else "lower")

    def reset(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Nothing is held."""


class Foretold(Neighbours):
    """Says what a table says of a word, with how sure it is; the table may be changed between two questions."""

    def __init__(self, marks: dict[str, tuple[str, float]] | None = None) -> None:
        super().__init__()
        self.marks = marks or {}

    def _text(self, words: Sequence[str], pauses: Sequence[float] | None, begins: bool, ends: bool) -> list[Label]:
        table = (self.marks.get(word, ("", 1.0)) for word in words)
        return [Label(mark, "lower", "", sure) for mark, sure in table]
