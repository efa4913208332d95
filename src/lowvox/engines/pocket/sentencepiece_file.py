"""A SentencePiece file (`tokenizer.model`): a message of Google's protocol buffers, as far as pieces need it.

Knows nothing of what is done with the pieces.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lowvox.engines.pocket.protobuf import fields
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

NORMAL, UNKNOWN, CONTROL, DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM, BPE = 1, 2


@dataclass(slots=True)
class File:
    """Pieces with their scores and kinds, and how texts are prepared; the defaults are the format's.

    `spells` is whether what is unknown is spelt in bytes, `surface` what stands for it in a text. `prefix` puts a space
    before a text, `squeeze` makes one of several, `escape` writes it as a sign; `suffix` has words end with it.
    """

    pieces: list[str] = field(default_factory=list)
    scores: array[float] = field(default_factory=lambda: array("f"))
    kinds: bytearray = field(default_factory=bytearray)
    model: int = UNIGRAM
    suffix: bool = False
    spells: bool = False
    surface: str = " \u2047 "
    charsmap: bytes = b""
    prefix: bool = True
    squeeze: bool = True
    escape: bool = True
    denormalizes: bool = False

    def of(self, kind: int) -> Iterator[int]:
        """Yield the ids of a kind."""
        return (at for at, found in enumerate(self.kinds) if found == kind)


def read(data: bytes) -> File:
    """Read a file; DamagedError where it is none, or of a kind that is not read."""
    file = File()
    try:
        for number, value in fields(data):
            if isinstance(value, bytes) and number in _PARTS:
                _PARTS[number](value, file)
    except (IndexError, UnicodeDecodeError, struct.error, ValueError) as error:
        raise DamagedError(f"The tokenizer is no SentencePiece model ({error}); export the voice again.") from error
    if UNKNOWN not in file.kinds:
        raise DamagedError("The tokenizer is no SentencePiece model (it has no pieces); export the voice again.")
    if file.model not in (UNIGRAM, BPE) or file.suffix or file.denormalizes:
        raise DamagedError(
            "The tokenizer is a SentencePiece model that is neither unigram nor BPE as trained by default; export the "
            "voice with its tokenizer.json."
        )
    return file


def _piece(data: bytes, file: File) -> None:
    piece, score, kind = "", 0.0, NORMAL
    for number, value in fields(data):
        if isinstance(value, bytes) and number == 1:
            piece = value.decode()
        elif isinstance(value, bytes) and number == 2:
            (score,) = struct.unpack("<f", value)
        elif isinstance(value, int) and number == 3:
            kind = value
    file.pieces.append(piece)
    file.scores.append(score)
    file.kinds.append(kind)


def _trainer(data: bytes, file: File) -> None:
    for number, value in fields(data):
        if isinstance(value, int):
            file.model = value if number == 3 else file.model
            file.suffix = bool(value) if number == 24 else file.suffix
            file.spells = bool(value) if number == 35 else file.spells
        elif number == 44:
            file.surface = value.decode()


def _normalizer(data: bytes, file: File) -> None:
    for number, value in fields(data):
        if number == 2 and isinstance(value, bytes):
            file.charsmap = value
        elif isinstance(value, int):
            file.prefix = bool(value) if number == 3 else file.prefix
            file.squeeze = bool(value) if number == 4 else file.squeeze
            file.escape = bool(value) if number == 5 else file.escape


def _denormalizer(data: bytes, file: File) -> None:
    file.denormalizes = any(number == 2 and value for number, value in fields(data))


_PARTS = {1: _piece, 2: _trainer, 3: _normalizer, 5: _denormalizer}
