"""Printed text to small words with the marks and capitals that were theirs, and how many of them were found again.

The full stop of an abbreviation counts as the end of a sentence: choose text that has few. Knows no model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.marks import CASES, cased
from lowvox.types import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lowvox.types import Case

# The marks whose F1 counts, each as much as capitals do.
COUNTED = (",", ".", "?")
_PIECE = re.compile(r"([^\w]*)(.*?)([^\w]*)$", re.DOTALL)
# The stronger stands where there are several.
_MARKS = "!?.:;,"
_WORDS = 40


def paragraphs(texts: Iterable[str]) -> Iterator[list[tuple[str, Label]]]:
    """Join texts to paragraphs of about 40 words, each word small and without marks, with its label."""
    held: list[tuple[str, Label]] = []
    for text in texts:
        held += _words(text)
        if len(held) >= _WORDS:
            yield held
            held = []
    if held:
        yield held


def counts(truth: Sequence[Label], found: Sequence[Label]) -> list[int]:
    """Return for each counted mark, and for capitals, how many were found rightly, were found, and are there."""
    some: list[int] = []
    for mark in COUNTED:
        there, got = [label.mark == mark for label in truth], [label.mark == mark for label in found]
        some += [sum(map(min, there, got)), sum(got), sum(there)]
    cases = [(label.case, other.case) for label, other in zip(truth, found, strict=True)]
    some.append(sum(wanted == case != "lower" for wanted, case in cases))
    return [*some, sum(case != "lower" for _, case in cases), sum(wanted != "lower" for wanted, _ in cases)]


def _words(text: str) -> Iterator[tuple[str, Label]]:
    for raw in text.split():
        piece = _PIECE.match(raw)
        assert piece
        core = piece[2].replace("’", "'")
        if core:
            small = core.lower()
            mark = next((mark for mark in _MARKS if mark in piece[3]), "")
            case: Case = next((case for case in CASES if cased(small, case) == core), "capital")
            yield small, Label(mark, case)
