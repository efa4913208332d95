"""How a Russian word that no dictionary has is said: by rule, with the stress where a `+` before a vowel puts it.

Knows no dictionary and no ids. A letter of another script stays as it is, and is left out where it has no id.
"""

from __future__ import annotations

from itertools import pairwise

_EDGE, _STRESS = "#", "+"
_SOFTENED = dict(zip("бвгдзклмнпрстфх", "bvgdzklmnprstfh", strict=True))
_FIXED = {"ж": "zh", "ц": "c", "ч": "ch", "ш": "sh", "щ": "sch", "й": "j"}
_VOWELS = dict(zip("аяуюоёэеиы", "aauuooeeiy", strict=True))
_SOFTENING = frozenset("яёюиье")
# These begin with a "j" of their own behind an edge, a vowel or a sign that parts them from a consonant.
_IOTATED = frozenset("яюеё")
_PARTING = frozenset(_VOWELS) | frozenset(f"ъь-{_EDGE}")
_SILENT = frozenset(f"ъь-{_EDGE}")


def phonemes(word: str) -> list[str]:
    """Return the phonemes of a lower-case word; a vowel ends in 1 where it is stressed, else in 0."""
    found: list[str] = []
    before = _EDGE
    for (letter, stressed), (after, _) in pairwise([*_stressed(word), (_EDGE, False)]):
        if letter in _IOTATED and before in _PARTING:
            found.append("j")
        found += _said(letter, after, stressed)
        before = letter
    return found


def _stressed(word: str) -> list[tuple[str, bool]]:
    """Return the letters of a word, each with whether a stress mark stands before it."""
    return [(letter, word[at - 1 : at] == _STRESS) for at, letter in enumerate(word) if letter != _STRESS]


def _said(letter: str, after: str, stressed: bool) -> list[str]:
    if letter in _VOWELS:
        return [f"{_VOWELS[letter]}{int(stressed)}"]
    if letter in _SOFTENED:
        return [_SOFTENED[letter] + ("j" if after in _SOFTENING else "")]
    return [] if letter in _SILENT or letter.isspace() else [_FIXED.get(letter, letter)]
