"""The dictionary of a vosk-tts voice, 100 MB of words with how likely each is said so, and its phonemes.

How it is sorted and searched is in `sorted_words`. Knows neither text nor what a phoneme is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowvox.engines.sorted_words import Line, SortedWords

if TYPE_CHECKING:
    from pathlib import Path


class Dictionary(SortedWords):
    """Words to phonemes; opening it for the first time takes a minute at most, and 20 MB."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _parsed, "copy or pull the voice again")


def _parsed(line: str) -> Line:
    word, likely, phonemes = line.split(maxsplit=2)
    unlikely = -float(likely)
    if not unlikely < 0:
        raise ValueError
    return Line(word.encode(), unlikely, " ".join(phonemes.split()).encode())
