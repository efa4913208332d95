"""What the network reads: phones as CMUdict writes them, pauses by the mark they stand for, and where each stands.

    tokens = Tokens(); tokens.word(["HH", "AH", "L", "OW"]); tokens.pause(","); ...; tokens.end(".")
    tokens.ids, tokens.places          # lists of int;  spots(ids) -> float32 [4, n]

numpy alone: the package has its own copy of these few rules. Knows no spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NAMES = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = tuple(_NAMES.split())
BEGIN = "^"
MARKS = (",", ";", ".", "?", "!")
SYMBOLS = (BEGIN, *MARKS, *PHONES)
IDS = {symbol: at for at, symbol in enumerate(SYMBOLS)}
PAUSES = len(MARKS) + 1
# Words that the teacher says otherwise than CMUdict does first; "the" before a vowel is DH IY.
WEAK = {
    "and": "AE N D", "to": "T AH", "here": "HH IH R", "hear": "HH IH R", "hearing": "HH IH R IH NG", "ear": "IH R",
    "poor": "P UH R", "even": "IY V AH N", "live": "L IH V", "wind": "W IH N D", "tears": "T IH R Z", "ere": "IH R",
    "missus": "M IH S AH S", "blessed": "B L EH S IH D",
}  # fmt: skip
VOWELS = frozenset(phone for phone in PHONES if phone[0] in "AEIOU")
INSIDE, FIRST, LAST, ONLY, PAUSE = range(5)
_FAR = 30


def mark(text: str) -> str:
    """Return the one mark that the punctuation behind a word stands for."""
    found = [one for one in "?!;:." if one in text]
    if "?" in found or "!" in found or "." in found:
        return next(one for one in found if one in "?!.")
    return ";" if found else ","


class Tokens:
    """A sentence that grows word by word; the pause before it is there from the start."""

    def __init__(self) -> None:
        self.ids = [IDS[BEGIN]]
        self.places = [PAUSE]

    def word(self, phones: Sequence[str]) -> None:
        """Add a word."""
        last = len(phones) - 1
        self.ids += [IDS[phone] for phone in phones]
        self.places += [(at == 0) * FIRST + (at == last) * LAST for at in range(last + 1)]

    def pause(self, mark: str) -> None:
        """Add a pause, or the end of the sentence."""
        self.ids.append(IDS[mark])
        self.places.append(PAUSE)


def spots(ids: Sequence[int]) -> NDArray[np.float32]:
    """Return how far each token is from the pause before it and from the one behind, and from both ends: [4, n]."""
    here = np.arange(len(ids))
    pauses = np.flatnonzero(np.asarray(ids) < PAUSES)
    before = pauses[np.searchsorted(pauses, here, "right") - 1]
    behind = pauses[np.searchsorted(pauses, here, "left")]
    far = np.stack([here - before, behind - here, here, here[::-1]])
    return (np.minimum(far, _FAR) / _FAR).astype(np.float32)
