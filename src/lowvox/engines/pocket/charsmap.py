"""The rewriting of characters before words are cut into pieces: a table compiled by SentencePiece ("precompiled").

A table is a double-array trie of 32-bit units, which leads from the bytes of what is rewritten to where what stands for
it begins. It is read where it lies and never unpacked. Knows no pieces.
"""

from __future__ import annotations

import struct
import unicodedata

from lowvox.errors import DamagedError

_MOST_BYTES = 6  # of a character with its accents that the newer format looks up in one go; longer ones go one by one
_JOINERS = frozenset("\u200c\u200d")


class Charsmap:
    """A compiled table of bytes to bytes; DamagedError where it is none."""

    def __init__(self, blob: bytes) -> None:
        size = struct.unpack_from("<I", blob)[0] if len(blob) >= 4 else 0
        if size < 4 or size % 4 or 4 + size > len(blob):
            raise DamagedError("The tokenizer's table of characters is damaged; copy or export the voice again.")
        self._units = struct.Struct("<I")
        self._blob, self._trie, self._end = blob, 4, 4 + size

    def longest(self, data: bytes, at: int) -> tuple[bytes, int] | None:
        """Return what stands for the longest rule that matches there, and its length; None where none does."""
        found = self._matches(data, at)
        return (self._text(found[-1][1]), found[-1][0]) if found else None

    def rewritten(self, text: str) -> str:
        """Rewrite a text as the package `tokenizers` does: character by character, each with its accents."""
        return "".join(map(self._grapheme, _graphemes(text)))

    def _grapheme(self, grapheme: str) -> str:
        data = grapheme.encode(errors="replace")
        if len(data) < _MOST_BYTES and (found := self._matches(data, 0)):
            return self._text(found[0][1]).decode(errors="replace")
        return "".join(map(self._character, grapheme))

    def _character(self, character: str) -> str:
        found = self._matches(character.encode(errors="replace"), 0)
        return self._text(found[0][1]).decode(errors="replace") if found else character

    def _matches(self, data: bytes, at: int) -> list[tuple[int, int]]:
        """Return the rules whose bytes begin there, shortest first: how long each is and where what it gives begins."""
        found = []
        unit = self._unit(0)
        node = _offset(unit)
        for end in range(at, len(data)):
            node ^= data[end]
            unit = self._unit(node)
            if unit & 0x800000FF != data[end]:
                break
            node ^= _offset(unit)
            if unit >> 8 & 1:
                found.append((end + 1 - at, self._unit(node) & 0x7FFFFFFF))
        return found

    def _unit(self, node: int) -> int:
        at = self._trie + 4 * node
        if at + 4 > self._end:
            return 0x80000000  # which is nobody's label
        unit: int = self._units.unpack_from(self._blob, at)[0]
        return unit

    def _text(self, at: int) -> bytes:
        begin = self._end + at
        end = self._blob.find(b"\0", begin)
        return self._blob[begin : len(self._blob) if end < 0 else end]


def _offset(unit: int) -> int:
    return unit >> 10 << ((unit & 0x200) >> 6)


def _graphemes(text: str) -> list[str]:
    """Cut a text into characters with the accents behind them, as far as those few bytes reach that are looked up."""
    found: list[str] = []
    for character in text:
        extends = unicodedata.category(character)[0] == "M" or character in _JOINERS
        before = found[-1][-1] if found else "\n"
        alone = unicodedata.category(before) in ("Cc", "Cf", "Zl", "Zp") and before not in _JOINERS
        if (extends and not alone) or (found and found[-1] == "\r" and character == "\n"):
            found[-1] += character
        else:
            found.append(character)
    return found
