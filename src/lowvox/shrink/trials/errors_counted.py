"""How many words or letters a recogniser got wrong: the fewest that must be put in, left out or exchanged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_WORD = re.compile(r"[^\w' ]+|_")


def errors(truth: Sequence[str], found: Sequence[str]) -> int:
    """Return the edit distance of two lists of words, or two strings of letters."""
    row = list(range(len(found) + 1))
    for number, wanted in enumerate(truth, 1):
        corner, row[0] = row[0], number
        for at, got in enumerate(found, 1):
            corner, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, corner + (wanted != got))
    return row[-1]


def words(text: str) -> list[str]:
    """Return small words without marks, as a recogniser writes them; an apostrophe inside a word stays."""
    plain = _NO_WORD.sub(" ", text.lower().replace("’", "'"))
    return [word for raw in plain.split() if (word := raw.strip("'"))]
