"""English words and their phones: the CMUdict that comes in the PocketSphinx package, searched on disk.

It is sorted when it is first needed; nothing of it is in lowvox. PocketSphinx itself is not loaded. Knows no text.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from lowvox.engines.sorted_words import Line, SortedWords

_PLACE = Path("model", "en-us", "cmudict-en-us.dict")
_CHUNK = 2**18  # bytes that are sorted at once
_REMEDY = "run `pip install --force-reinstall pocketsphinx`"
_LINE = re.compile(r"([^\s()]+)(?:\((\d+)\))?\s+([A-Z][A-Z ]*?)\s*")


def lexicon() -> SortedWords | None:
    """Open the lexicon; None where PocketSphinx is not installed. See `SortedWords` for what it raises."""
    found = find_spec("pocketsphinx")
    if found is None or not found.submodule_search_locations:
        return None
    return SortedWords(Path(found.submodule_search_locations[0]) / _PLACE, parsed, _REMEDY, _CHUNK)


def parsed(line: str) -> Line:
    """Read a line of CMUdict, in which `word(2)` is a word's second pronunciation; ValueError where it is none."""
    matched = _LINE.fullmatch(line)
    if not matched:
        raise ValueError(f"{line[:40]!r} is no line of CMUdict.")
    word, number, phones = matched.groups()
    return Line(word.encode(), float(number or 1), " ".join(phones.split()).encode())
