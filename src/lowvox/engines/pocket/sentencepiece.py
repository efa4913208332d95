"""The tokenizer of a SentencePiece file (`tokenizer.model`): text to ids and back, exactly as that library does it.

The library itself would take 5 MB for what a dictionary of a few thousand pieces does. Reads unigram and BPE models.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING

from lowvox.engines.pocket import sentencepiece_file as pocket_sentencepiece_file
from lowvox.engines.pocket.charsmap import Charsmap
from lowvox.engines.pocket.pieces import Unigram, fused, merged
from lowvox.engines.pocket.sentencepiece_file import BPE, BYTE, CONTROL, DEFINED, NORMAL, UNIGRAM, UNKNOWN, UNUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lowvox.engines.pocket.sentencepiece_file import File

SPACE = "\u2581"
_TINY = struct.unpack("<f", b"\0\0\x80\0")[0]  # where the library begins to look for the highest score


class SentencePiece:
    """A tokenizer read from the bytes of its file; DamagedError where it is none or of a kind that is not read.

    What was read in another way is taken as it is.
    """

    def __init__(self, data: bytes | File) -> None:
        self._file = file = pocket_sentencepiece_file.read(data) if isinstance(data, bytes) else data
        self._pieces, self._kinds = file.pieces, file.kinds
        self._unknown = file.kinds.index(UNKNOWN)
        self._charsmap = Charsmap(file.charsmap) if file.charsmap else None
        self._ids = {self._pieces[at]: at for kind in (NORMAL, DEFINED) for at in file.of(kind)}
        unused = {self._pieces[at]: at for at in file.of(UNUSED)} if file.model == BPE else {}
        self._mergeable = {**self._ids, **unused} if unused else self._ids
        self._bytes = {self._pieces[at]: at for at in file.of(BYTE)}
        self._defined = sorted((self._pieces[at] for at in file.of(DEFINED)), key=len, reverse=True)
        self._unigram = self._weighed() if file.model == UNIGRAM else None

    @property
    def unknown(self) -> int | None:
        """The id of what is unknown."""
        return self._unknown

    def __len__(self) -> int:
        return len(self._pieces)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        prepared = self._prepared(text)
        cut = (
            self._unigram.cut(prepared)
            if self._unigram
            else [(piece, self._ids.get(piece)) for piece in self._merged(prepared)]
        )
        return fused(cut, self._spelt, self._unknown)

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids; one that there is not counts as unknown."""
        text, spelt = "", b""
        begins = True
        for at in ids:
            kind = self._kinds[at] if 0 <= at < len(self._kinds) else UNKNOWN
            if kind == BYTE:
                spelt += bytes([int(self._pieces[at][3:5], 16)])
                continue
            text, spelt = text + _characters(spelt), b""
            if kind == CONTROL:
                continue
            piece = self._file.surface if kind == UNKNOWN else self._pieces[at]
            if begins and not text and kind != UNKNOWN and (self._file.prefix or self._file.squeeze):
                begins = self._file.squeeze or not piece.startswith(SPACE)
                piece = piece.removeprefix(SPACE)
            text += piece.replace(SPACE, " ") if kind != UNKNOWN else piece
        return text + _characters(spelt)

    def _prepared(self, text: str) -> str:
        """Rewrite characters, squeeze white space, and mark where words begin."""
        space = SPACE if self._file.escape else " "
        parts: list[str] = []
        behind_space = self._file.squeeze
        for part in self._normal(text):
            kept = part.lstrip(" ") if behind_space else part
            if kept:
                parts.append(kept)
                behind_space = self._file.squeeze and kept.endswith(" ")
        whole = "".join(parts)
        if not whole and self._file.squeeze:
            return ""
        whole = (space if self._file.prefix and text else "") + whole.replace(" ", space)
        return whole.rstrip(space) if self._file.squeeze else whole

    def _normal(self, text: str) -> Iterator[str]:
        """Yield what stands for each character or rule of a text; what the user defined stays as it is."""
        data, at = text.encode(errors="replace"), 0
        while at < len(data):
            if own := next((piece for piece in self._defined if data.startswith(piece.encode(), at)), ""):
                at += len(own.encode())
                yield own
            elif self._charsmap and (found := self._charsmap.longest(data, at)):
                at += found[1]
                yield found[0].decode(errors="replace")
            else:
                size = _size(data[at])
                yield data[at : at + size].decode()
                at += size

    def _merged(self, text: str) -> Iterator[str]:
        """Cut a text by merging; a piece that is not in use falls back into what it was made of."""
        symbols = list(self._symbols(text))
        frozen = [at for at, symbol in enumerate(symbols) if symbol in self._defined]
        halves: dict[str, tuple[str, str]] = {}

        def rank(left: str, right: str) -> float | None:
            found = self._mergeable.get(left + right)
            if found is None:
                return None
            if self._kinds[found] == UNUSED:
                halves[left + right] = left, right
            return -self._file.scores[found]

        def whole(piece: str) -> Iterator[str]:
            if piece in halves:
                for half in halves[piece]:
                    yield from whole(half)
            else:
                yield piece

        for piece in merged(symbols, rank, frozen):
            yield from whole(piece)

    def _symbols(self, text: str) -> Iterator[str]:
        """Yield the characters of a text, and whole what the user defined."""
        at = 0
        while at < len(text):
            symbol = next((piece for piece in self._defined if text.startswith(piece, at)), text[at])
            yield symbol
            at += len(symbol)

    def _spelt(self, piece: str) -> list[int] | None:
        """Return the bytes of what is unknown, where the model has pieces for bytes."""
        if not self._file.spells:
            return None
        return [self._bytes.get(f"<0x{byte:02X}>", self._unknown) for byte in piece.encode(errors="replace")]

    def _weighed(self) -> Unigram:
        file = self._file
        normal = [file.scores[at] for at in file.of(NORMAL)]
        most = max([_TINY, *normal])
        weights = array("d", file.scores) if self._defined else file.scores
        for at in file.of(DEFINED):  # which are to be found whatever the rest is worth
            weights[at] = len(self._pieces[at].encode()) * most - 0.1
        return Unigram(self._ids, weights, min(normal, default=0.0), "f")


def _characters(spelt: bytes) -> str:
    """Return what bytes spell, with a replacement for every byte of what is no character."""
    text, at = "", 0
    while at < len(spelt):
        size = _size(spelt[at])
        try:
            text += spelt[at : at + size].decode()
        except UnicodeDecodeError:
            text, size = text + "\ufffd", 1
        at += size
    return text


def _size(first: int) -> int:
    """Return how many bytes a character of UTF-8 has, by its first one."""
    return 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
