"""Punctuation for words that are still being spoken: a growing partial, then a final that stays.

A partial's words come from the recogniser and are never changed. Only the last TAIL of them may still get other marks
and capitals, and a mark that was shown is taken back only for a better reason than it was put there. Knows no model.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from lowvox.text import spoken
from lowvox.text.marks import write
from lowvox.text.restoration import joined, labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.types import Label, PunctuatorStream

TAIL = 12  # words
CONTEXT = 48  # words of what was said before
# How sure the network must be of a mark that has few words behind it, and to change one that is shown.
_NEW, _CHANGED = 0.6, 0.75
_SETTLED = 3  # words behind a mark after which its likeliest label is taken


class LivePunctuator:
    """One speaker's text, utterance after utterance. Used by one thread."""

    def __init__(self, stream: PunctuatorStream, language: str) -> None:
        self._stream = stream
        self._language = language
        self._said: list[str] = []
        self._pauses: list[float] = []
        self._last: Label | None = None  # of the utterance before
        self._words: list[str] = []
        self._shown: list[Label] = []

    def partial(self, text: str) -> str:
        """Write the words of an utterance so far."""
        words = text.split()
        fresh = self._label(words, None, ends=False) if words else []
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, self._words, strict=False)))
        frozen = max(0, min(kept, len(words) - TAIL))
        calm = [
            _calm(label, self._shown[at] if at < kept else None, len(words) - at - 1)
            for at, label in enumerate(fresh[frozen:], start=frozen)
        ]
        before = self._shown[frozen - 1] if frozen else self._last
        self._words, self._shown = words, self._shown[:frozen] + list(joined(calm, before))
        return self._written(words, self._shown)

    def final(self, words: Sequence[str], pauses: Sequence[float] | None = None, *, ends: bool = False) -> list[str]:
        """Write the words of a whole utterance, each with what belongs to it; `pauses` as in `PunctuatorStream.label`.

        `ends` says that nothing follows: what was dictated is complete.
        """
        if not words:
            self._words, self._shown = [], []
            return []
        found = list(joined(spoken.told(words, self._label(words, pauses, ends=ends)), self._last))
        self._said = [*self._said, *words][-CONTEXT:]
        self._pauses = [*self._pauses, *(pauses or [0.0] * len(words))][-CONTEXT:]
        self._last, self._words, self._shown = found[-1], [], []
        return [write(word, label, self._language) for word, label in zip(words, found, strict=True)]

    def _label(self, words: Sequence[str], pauses: Sequence[float] | None, *, ends: bool) -> list[Label]:
        """Label words after what was said before them."""
        silences = None if pauses is None else [*self._pauses, *pauses]
        begins = len(self._said) < CONTEXT
        return labels([*self._said, *words], self._stream, silences, begins=begins, ends=ends)[len(self._said) :]

    def _written(self, words: Sequence[str], found: Sequence[Label]) -> str:
        return " ".join(write(word, label, self._language) for word, label in zip(words, found, strict=True))


def _calm(label: Label, shown: Label | None, behind: int) -> Label:
    """Choose between what is shown and what is new, for a word with `behind` words after it."""
    if shown is not None and shown.mark and shown.mark != label.mark and label.sure < _CHANGED:
        return replace(shown, case=label.case)
    # Whether a mark follows the last word, the next one tells.
    if behind == 0 or (behind < _SETTLED and label.sure < _NEW):
        return replace(label, mark="", opens="")
    return label
