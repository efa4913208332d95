"""What the network of lowvox-voice reads: phones as CMUdict writes them, pauses by their marks, and where each stands.

A sentence comes as sounds: phones, a mark wherever there is a pause, and a space between words. The network learnt from
`training/voice/phones.py`, whose rules these are. Knows no spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_NAMES = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = tuple(_NAMES.split())
MARKS = (",", ";", ".", "?", "!")
VOWELS = frozenset(phone for phone in PHONES if phone[0] in "AEIOU")
SPACE = " "
_BEGIN = "^"
_IDS = {symbol: at for at, symbol in enumerate((_BEGIN, *MARKS, *PHONES))}
COUNT = len(_IDS)
_FIRST, _LAST, _PAUSE = 1, 2, 4  # a word's only phone is both its first and its last
_FAR = 30


def tokens(sounds: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of a sentence's tokens and their places; none of a sentence without a phone.

    It begins with a pause and ends with one; where it has no mark at its end it was cut there, and takes breath.
    """
    ids, places = [_IDS[_BEGIN]], [_PAUSE]
    for word, mark in _words(sounds):
        last = len(word) - 1
        ids += [_IDS[phone] for phone in word]
        places += [(at == 0) * _FIRST + (at == last) * _LAST for at in range(len(word))]
        if mark:
            ids.append(_IDS[mark])
            places.append(_PAUSE)
    if len(ids) == 1:
        return [], []
    if places[-1] != _PAUSE:
        return [*ids, _IDS[","]], [*places, _PAUSE]
    return ids, places


def _words(sounds: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """Yield each word with the mark behind it; a mark that no word stands before is left out."""
    word: list[str] = []
    for at, sound in enumerate([*sounds, SPACE]):
        if sound in PHONES:
            word.append(sound)
        elif word:
            following = sounds[at] if at < len(sounds) else ""
            yield word, following if following in MARKS else ""
            word = []


def spots(ids: Sequence[int]) -> NDArray[np.float32]:
    """Return how far each token is from the pause before it and from the one behind, and from both ends: [4, n]."""
    here = np.arange(len(ids))
    pauses = np.flatnonzero(np.asarray(ids) <= len(MARKS))
    before = pauses[np.searchsorted(pauses, here, "right") - 1]
    behind = pauses[np.searchsorted(pauses, here, "left")]
    far = np.stack([here - before, behind - here, here, here[::-1]])
    return (np.minimum(far, _FAR) / _FAR).astype(np.float32)
