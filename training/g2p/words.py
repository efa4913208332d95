"""The words to learn from: PocketSphinx's CMUdict, and which of them are held out.

    kept, held = split(dictionary(PATH))     # word -> pronunciations, the usual one first

One word in twenty is held out, by a hash of its letters: the same ones whatever the order. Knows no network.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from phones import PHONES

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
_LINE = re.compile(r"([a-z']+)(?:\(\d+\))? ([A-Z ]+)")
_HELD = 20


def dictionary(path: Path) -> dict[str, list[list[str]]]:
    """Return words of at least two letters, one a vowel: the others are spelled, not read."""
    found: dict[str, list[list[str]]] = {}
    for line in path.read_text("utf-8").splitlines():
        matched = _LINE.fullmatch(line.strip())
        if matched and len(matched[1]) > 1 and re.search("[aeiouy]", matched[1]):
            found.setdefault(matched[1], []).append(matched[2].split())
    assert all(phone in PHONES for said in found.values() for one in said for phone in one)
    return found


def split(words: dict[str, list[list[str]]]) -> tuple[dict[str, list[list[str]]], dict[str, list[list[str]]]]:
    """Return the words to learn and those that are held out."""
    parts: tuple[dict[str, list[list[str]]], dict[str, list[list[str]]]] = ({}, {})
    for word, said in words.items():
        parts[crc32(word.encode()) % _HELD == 0][word] = said
    return parts
