"""English words that no lexicon has, by a small network of our own: each letter is said as no phone, one or two.

How it was trained is in `training/g2p`. Knows no text and no lexicon.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from lowvox.engines.lowvox_voice.tokens import PHONES
from lowvox.onnx.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.types import Profile

_LETTERS = {letter: at for at, letter in enumerate("'abcdefghijklmnopqrstuvwxyz")}
_CLASSES = len(PHONES) + 1
# Letters that are read at once: no word has as many, and what would be one takes no more memory than this.
_MOST = 48
NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip


class Speller:
    """Letters to phones. May be used by several threads."""

    def __init__(self, path: Path, profile: Profile, permits: int = 1) -> None:
        self._session = Session(path, profile, permits)

    def phones(self, word: str) -> list[str]:
        """Return the phones of a word of small letters a to z and apostrophes; other characters are not said."""
        letters = [_LETTERS[letter] for letter in _shortened(word) if letter in _LETTERS]
        found: list[str] = []
        for begin in range(0, len(letters), _MOST):
            (odds,) = self._session.run({"letters": np.array([letters[begin : begin + _MOST]], np.int64)})
            chosen = odds.reshape(2, _CLASSES, -1).argmax(1).T.ravel()
            found += [PHONES[at - 1] for at in chosen if at]
        return found

    def close(self) -> None:
        """Let go of the network."""
        self._session.close()


def spelled(word: str) -> list[str]:
    """Return the phones of a word letter by letter."""
    return " ".join(NAMES[letter] for letter in word if letter in NAMES).split()


def _shortened(word: str) -> str:
    """Leave two of a letter that comes more often in a row: "sooo" is "soo"."""
    return "".join("".join(same)[:2] for _, same in groupby(word))
