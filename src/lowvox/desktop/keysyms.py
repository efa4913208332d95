"""X11's key symbols as characters and back, and which key of a layout gives which character.

Pure tables: knows no display.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A key code, and 1 where Shift is held.
Key = tuple[int, int]

_NAMED = {0xFF0D: "\n", 0xFF09: "\t", 0x20AC: "€"}
# Symbols older than Unicode: the upper byte names a character set, the lower is a character of it.
_CYRILLIC = 0x06
_SETS = {
    0x00: "latin-1",
    0x01: "iso8859-2",
    0x02: "iso8859-3",
    0x03: "iso8859-4",
    _CYRILLIC: "koi8-u",
    0x13: "iso8859-15",
}
_UNICODE = 0x01000000


def symbol(character: str) -> int:
    """Return the symbol of a printable character."""
    code = ord(character)
    return code if code < 0x100 else _UNICODE | code


def character(found: int) -> str:
    """Return the character of a symbol; an empty string where it is none, such as F1 or a dead accent."""
    if found in _NAMED:
        return _NAMED[found]
    if found & 0xFF000000 == _UNICODE:
        return chr(found - _UNICODE) if found - _UNICODE < 0x110000 else ""
    upper, lower = divmod(found, 0x100)
    if upper not in _SETS or lower & 0x7F < 0x20 or lower == 0x7F:
        return ""
    given = bytes([lower]).decode(_SETS[upper], "ignore")
    # Where KOI8 has signs, X has Serbian and Macedonian letters.
    return given if upper != _CYRILLIC or given.isalpha() else ""


def layout(rows: Mapping[int, Sequence[int]], group: int) -> dict[str, Key]:
    """Return the key of each character that can be typed without more than Shift.

    `rows` hold the symbols of each key code, two for each of the first two groups, as the core protocol shows them. Of
    a third or fourth group nothing is known but the keys that no layout moves.
    """
    column = 2 * group if group < 2 else 0
    found: dict[str, Key] = {}
    for code, row in rows.items():
        for level, value in enumerate(row[column : column + 2]):
            given = character(value)
            if given and (group < 2 or given in "\n\t "):
                found.setdefault(given, (code, level))
    return found
