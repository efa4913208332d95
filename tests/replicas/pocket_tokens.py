"""Tokenizers for stand-ins of Pocket TTS: a small vocabulary as a SentencePiece file and as a `tokenizer.json`.

The message is written by hand, as the format says: what reads it shares no code with what writes it.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SPACE = "\u2581"
NORMAL, UNKNOWN, CONTROL, DEFINED, UNUSED, BYTE = range(1, 7)
Piece = tuple[str, float, int]

_WORDS = (
    ".",
    ",",
    "!",
    "?",
    "...",
    ";",
    ":",
    SPACE,
    f"{SPACE}the",
    f"{SPACE}a",
    "ing",
    "th",
    f"{SPACE}fox",
    "ow",
    "er",
)


def pieces(size: int = 300, *, spells: bool = True) -> list[Piece]:
    """Return a vocabulary of so many pieces: marks, words, letters, and all bytes where it `spells`."""
    found: list[Piece] = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    if spells:
        found += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = [*_WORDS, *letters]
    texts += [letter + other for letter in letters for other in "aeiou"]
    found += [(text, -2.0 - 0.125 * at / len(text), NORMAL) for at, text in enumerate(texts)]
    return found[:size]


def model(
    vocabulary: Sequence[Piece], *, kind: int = 1, spells: bool = True, told: Mapping[int, int | bytes] | None = None
) -> bytes:
    """Write a SentencePiece file; `kind` is 1 for unigram and 2 for BPE, `told` what it says of normalising."""
    out = b"".join(
        _field(1, _field(1, text.encode()) + _field(2, struct.pack("<f", score), 5) + _field(3, what))
        for text, score, what in vocabulary
    )
    return out + _field(2, _field(3, kind) + _field(35, int(spells))) + _field(3, _fields(told or {}))


def described(vocabulary: Sequence[Piece], *, spells: bool = True, **other: Any) -> bytes:
    """Write a `tokenizer.json` as SentencePiece models are converted; `other` takes the place of parts of it."""
    told: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(at, text) for at, (text, _, what) in enumerate(vocabulary) if what == CONTROL],
        "normalizer": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        "pre_tokenizer": {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": False},
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "Unigram",
            "unk_id": 0,
            "byte_fallback": spells,
            "vocab": [[text, score if what == NORMAL else -9.0] for text, score, what in vocabulary],
        },
    }
    return json.dumps({**told, **other}).encode()


def written(folder: Path, *, size: int = 300, kind: str = "sentencepiece") -> Path:
    """Write a tokenizer into a folder."""
    name, data = {
        "sentencepiece": ("tokenizer.model", model(pieces(size))),
        "tokenizers": ("tokenizer.json", described(pieces(size))),
    }[kind]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def _added(at: int, text: str) -> dict[str, Any]:
    conditions = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": at, "content": text, "special": True, **conditions}


def _fields(told: Mapping[int, int | bytes]) -> bytes:
    return b"".join(_field(number, value) for number, value in told.items())


def _field(number: int, value: int | bytes, wire: int = 2) -> bytes:
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    length = _number(len(value)) if wire == 2 else b""
    return _number(number << 3 | wire) + length + value


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
