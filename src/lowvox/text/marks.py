"""Marks and capitals: what a punctuator may add to a word, and how that is written. Never changes a word's letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lowvox.types import Case, Label

DASH = "—"
MARKS = ("", ",", ".", "?", "!", ":", ";", DASH)
CASES: tuple[Case, ...] = ("lower", "capital", "upper", "parts")
ENDS = frozenset(".?!")
# Vietnamese and German set the shorter dash.
_SHORT = frozenset({"de", "vi"})
# What a name of a file, a site or a program has inside; its capitals mean something else, or nothing.
_CODE = re.compile(r"[/\\@_<>{}\[\]=#$%^*|~`:]|\w\.\w")
# A part of a name: not the "s" of "Jean-Paul's".
_PART = re.compile(r"(?:^|(?<=-))[^\W_]+|(?<=['’])[^\W_]{3,}")
_WORDLIKE = re.compile(r"\w")


def takes_mark(word: str) -> bool:
    """Whether a mark may follow: there is something to read in it, and it does not end with a mark of its own."""
    return bool(_WORDLIKE.search(word)) and (word[-1].isalnum() or word[-1] in "'’\")]}»”%°€$£+#")


def write(word: str, label: Label, language: str) -> str:
    """Write one word with what belongs to it: capitals, an inverted mark before it, a mark behind it."""
    text = cased(word, label.case)
    if not takes_mark(word):
        return text
    opens = label.opens if word[0].isalnum() else ""
    behind = f" {'–' if language.partition('-')[0] in _SHORT else DASH}" if label.mark == DASH else label.mark
    return f"{opens}{text}{behind}"


def cased(word: str, case: Case) -> str:
    """Give a word its capitals. One that has some already, or is no word but an address or code, stays as it is."""
    if case == "lower" or word != word.lower() or _CODE.search(word):
        return word
    if case == "upper":
        return _same(word, word.upper())
    if case == "parts":
        return _PART.sub(lambda part: _first(part[0]), word)
    return _first(word)


def _first(word: str) -> str:
    """Write the first letter large."""
    at = next((at for at, char in enumerate(word) if char.isalpha()), None)
    if at is None or any(char.isdigit() for char in word[:at]):
        return word
    return word[:at] + _same(word[at], word[at].upper()) + word[at + 1 :]


def _same(word: str, large: str) -> str:
    """Return the large letters if they can be made small again, letter by letter."""
    return large if len(large) == len(word) and large.lower() == word else word
