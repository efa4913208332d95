"""What the network `lowvox-te` sees of a word: rows of one table, found by hashing, so that it needs no vocabulary.

A word is the sum of its rows: two for the whole word (two words that share one row seldom share both), its beginning,
four endings (most grammar of the five languages is there), its language, and the silence behind it where that is known.
Used by the engine and by its training.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Rows: what is special first, then whole words, then beginnings and endings.
PAD, BEGIN, END, NO_ROW = 0, 1, 2, 3
NO_PAUSE, SHORT_PAUSE, LONG_PAUSE = 4, 5, 6
LANGUAGES = ("", "en", "de", "es", "ru", "vi")
LANGUAGE_ROW = 8
_FIRST_WORD = 64
WORDS, AFFIXES = 24576, 8128
ROWS = _FIRST_WORD + WORDS + AFFIXES
WIDTH = 9  # rows a word; the last two are its language and its pause
_DIGITS = re.compile(r"\d")
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")


def rows(
    words: Sequence[str],
    language: str = "",
    pauses: Sequence[float] | None = None,
    *,
    begins: bool = True,
    ends: bool = True,
) -> list[list[int]]:
    """Return the rows of each word, int [n, 9], with the beginning and the end of the text around them where wanted.

    `pauses` are the seconds of silence behind each word, where they are known.
    """
    spoken = LANGUAGE_ROW + (LANGUAGES.index(language) if language in LANGUAGES else 0)
    silences = [NO_ROW] * len(words) if pauses is None else [_pause(silence) for silence in pauses]
    found = [[*features(word), spoken, silence] for word, silence in zip(words, silences, strict=True)]
    edge = [*[NO_ROW] * (WIDTH - 3), spoken, NO_ROW]
    return [*[[BEGIN, *edge]][: int(begins)], *found, *[[END, *edge]][: int(ends)]]


def plain(word: str) -> str:
    """Return a word as the network knows it: small, composed, one kind of apostrophe, no digit but 0."""
    small = unicodedata.normalize("NFC", word).replace("’", "'").lower()
    return _DIGITS.sub("0", _EDGES.sub("", small) or small)


def features(word: str) -> list[int]:
    """Return the rows of the word itself, int [7]."""
    small = plain(word)
    first, second = _hashes(small)
    return [
        _FIRST_WORD + first % WORDS,
        _FIRST_WORD + second % WORDS,
        _affix("<", small[:3]),
        _affix("2", small[-2:]),
        _affix("3", small[-3:]),
        _affix("4", small[-4:]) if len(small) > 3 else NO_ROW,
        _affix("5", small[-5:]) if len(small) > 5 else NO_ROW,
    ]


def _pause(seconds: float) -> int:
    """Speakers stop for a breath at a comma and longer at a full stop (measured on recorded speech)."""
    return LONG_PAUSE if seconds >= 0.4 else SHORT_PAUSE if seconds >= 0.15 else NO_PAUSE


def _affix(kind: str, letters: str) -> int:
    return _FIRST_WORD + WORDS + _hashes(kind + letters)[0] % AFFIXES


def _hashes(text: str) -> tuple[int, int]:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")
