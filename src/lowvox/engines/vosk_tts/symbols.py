"""A sentence to the numbers that a vosk-tts voice reads, in one stream of symbols or in five.

In one stream marks are symbols like phonemes. In five, each phoneme or gap has its number, the mark that stands there,
whether it is quoted, the next mark to come and the next end of a sentence. What a voice has no number for is left out.
Knows neither graphs nor dictionaries; what says a word is handed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lowvox.engines.vosk_tts.config import BEGIN, END

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # A lower-case word to its phonemes.
    Said = Callable[[str], Sequence[str]]
    Ids = Mapping[str, tuple[int, ...]]

BLANK, GAP = "_", " "
_BLANK_ID = 0
_SINGLE = re.compile(r'([,.?!;:"() ])')
_MULTI = re.compile(r'(\.\.\.|- |[ ,.?!;:"()])')
_MULTI_PAUSES = re.compile(r'(\.\.\.|- |[ ,.?!;:"()_])')
_ENDS = ("...", ".", "!", "?", "-")  # where several stand together, the first of these counts
_PAUSE = 20.0  # frames more, for a pause that is written as "_"
# A mark that stands for one that the voices know; without this a quoted word would not be in the dictionary.
_WRITTEN = str.maketrans({"—": "-", "–": "-", "…": "...", **dict.fromkeys("«»„“”", '"')})
_STRANGE_SPACE = re.compile(r"[^\S ]")


@dataclass(frozen=True, slots=True)
class Symbols:
    """What is spoken; of equal length, empty where there is nothing to say.

    `ids` has one number for each symbol, or five. `words` says which of the sentence's words it belongs to: 0 is its
    beginning, words count from 1, -1 is its end. `longer` is by how many frames it is longer than the voice makes it.
    """

    ids: list[tuple[int, ...]] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    longer: list[float] = field(default_factory=list)


class _Symbol(NamedTuple):
    sound: str
    marks: tuple[str, ...]
    quoted: bool
    word: int


def plain(text: str) -> str:
    """Return a sentence as symbols are made of it: small, with the marks that these voices know."""
    return _STRANGE_SPACE.sub(" ", text.strip().translate(_WRITTEN)).lower()


def single(text: str, ids: Ids, said: Said, *, blanks: bool = True) -> Symbols:
    """Return the symbols of a plain sentence in one stream, with blanks between them."""
    found: list[tuple[str, int]] = [(BEGIN, 0)]
    word, speaks = 1, False
    for item in filter(None, _SINGLE.split(text)):
        if item == "-" or _SINGLE.fullmatch(item):
            found.append((item, word))
        else:
            sounds = [sound for sound in said(item) if sound in ids]
            found += [(sound, word) for sound in sounds]
            speaks |= bool(sounds)
        word += item != GAP
    return _in_line([*found, (END, -1)], ids, blanks) if speaks else Symbols()


def _in_line(sounds: Sequence[tuple[str, int]], ids: Ids, blanks: bool) -> Symbols:
    """Return the symbols of one stream; a blank belongs to the word of what follows it."""
    numbered: list[tuple[int, int]] = []
    for sound, word in sounds:
        if blanks and numbered and sound in ids:
            numbered.append((_BLANK_ID, word))
        numbered += [(number, word) for number in ids.get(sound, ())]
    return Symbols([(number,) for number, _ in numbered], [word for _, word in numbered], [0.0] * len(numbered))


def multi(text: str, ids: Ids, said: Said, version: int) -> Symbols:
    """Return the symbols of a plain sentence in five streams.

    From `version` 2 on a phoneme is another one where a word begins or ends with it, from 3 on "_" is a pause.
    """
    symbols = [symbol for symbol in _symbols(text, said, version) if symbol.sound in ids]
    if all(symbol.sound in (BEGIN, GAP, END) for symbol in symbols):
        return Symbols()
    nothing, gap = ids.get(BLANK, (_BLANK_ID,))[0], ids.get(GAP, (_BLANK_ID,))[0]
    streams: list[tuple[int, ...]] = []
    mark = end = gap
    for symbol in reversed(symbols):
        known = [ids[one][0] for one in symbol.marks if one in ids]
        mark = known[0] if known else mark
        end = next((ids[one][0] for one in _ENDS if one in symbol.marks and one in ids), end)
        streams.append((ids[symbol.sound][0], known[0] if known else nothing, int(symbol.quoted), mark, end))
    longer = [_PAUSE if BLANK in symbol.marks else 0.0 for symbol in symbols]
    return Symbols(streams[::-1], [symbol.word for symbol in symbols], longer)


def _symbols(text: str, said: Said, version: int) -> list[_Symbol]:
    """Return phonemes and gaps; a gap has the marks that stand between it and the word before."""
    found = [_Symbol(BEGIN, (), False, 0)]
    marks: list[str] = []
    quoted, word = False, 1
    split = _MULTI_PAUSES if version >= 3 else _MULTI
    for item in filter(None, split.split(text.replace(" -", "- "))):
        if item == '"':
            quoted = not quoted
        elif item == GAP:
            found.append(_Symbol(GAP, tuple(marks), quoted, word))
            marks = []
        elif item == "-" or split.fullmatch(item):
            marks.append(item.rstrip())
        else:
            sounds = said(item)
            found += [_Symbol(sound, (), quoted, word) for sound in (_placed(sounds) if version >= 2 else sounds)]
            marks = []
            word += 1
    return [*found, _Symbol(GAP, tuple(marks), quoted, word), _Symbol(END, (), False, word)]


def _placed(sounds: Sequence[str]) -> list[str]:
    """Return phonemes with their place in the word: single, beginning, inside or end."""
    if len(sounds) == 1:
        return [f"{sounds[0]}_S"]
    last = len(sounds) - 1
    return [f"{sound}_{'B' if at == 0 else 'E' if at == last else 'I'}" for at, sound in enumerate(sounds)]
