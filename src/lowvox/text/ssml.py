"""SSML's basic tags to passages: what is said in one manner, and the silence before it.

`break`, `prosody rate`, `lang`, `p`, `s` and `sub` are carried out, other tags are left out and what they hold is said.
Text that does not begin with `<speak` is one passage as it is. Text of any length passes through in flat memory. Knows
no voice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import TYPE_CHECKING
from xml.parsers import expat

from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ROOT = "<speak"
_DEEP = 64  # tags inside each other
LONGEST_S = 10.0
_BREAKS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
_SLOWEST, _FASTEST = 0.25, 4.0
_TIME = re.compile(r"\+?(\d*\.?\d+)(ms|s)")
_RATE = re.compile(r"([+-]?)(\d*\.?\d+)(%?)")
_PARAGRAPH = "\n\n"  # ends a sentence, see `sentences`


@dataclass(frozen=True, slots=True)
class Manner:
    """How something is said: a factor of the usual speed, and a language where it is another."""

    rate: float = 1.0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """Text in pieces that is said in one manner, after so many seconds of silence.

    `text` has to be read before the next passage is asked for.
    """

    text: Iterator[str]
    manner: Manner = Manner()
    silence: float = 0.0


@dataclass(frozen=True, slots=True)
class _Item:
    text: str
    manner: Manner
    silence: float = 0.0
    number: int = 0  # of the passage


def passages(chunks: Iterable[str]) -> Iterator[Passage]:
    """Yield what a text in pieces holds; UsageError where its SSML is not well-formed or asks for too much."""
    text = iter(chunks)
    begin = ""
    while len(begin.lstrip()) < len(_ROOT) and (chunk := next(text, "")):
        begin += chunk
    if not begin.lstrip().lower().startswith(_ROOT):
        yield Passage(chain([begin], text))
        return
    for _, items in groupby(_Reader().items(chain([begin.lstrip()], text)), lambda item: item.number):
        first = next(items)
        yield Passage((item.text for item in chain([first], items)), first.manner, first.silence)


class _Reader:
    """Reads SSML as it comes."""

    def __init__(self) -> None:
        self._manners = [Manner()]
        self._items: list[_Item] = []
        self._silence = 0.0
        self._number = 0
        self._hidden = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse

    def items(self, chunks: Iterable[str]) -> Iterator[_Item]:
        """Yield text by passage; silence at the end comes with an empty one."""
        for chunk in chunks:
            yield from self._parsed(chunk)
        yield from self._parsed("", end=True)
        if self._silence:
            yield _Item("", self._manners[0], self._silence, self._number + 1)

    def _parsed(self, chunk: str, *, end: bool = False) -> list[_Item]:
        try:
            self._parser.Parse(chunk.encode(errors="replace"), end)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "it cannot be read")
            raise UsageError(
                f"The SSML is not well-formed in line {error.lineno} ({reason}); mend it, or leave the tags out."
            ) from error
        items, self._items = self._items, []
        return items

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._manners) >= _DEEP:
            raise UsageError(f"The SSML has more than {_DEEP} tags inside each other; take some out.")
        manner = self._manners[-1]
        if tag == "prosody" and "rate" in attributes:
            manner = replace(manner, rate=min(max(manner.rate * _rate(attributes["rate"]), _SLOWEST), _FASTEST))
        if tag in ("lang", "speak", "p", "s") and "xml:lang" in attributes and len(self._manners) > 1:
            manner = replace(manner, language=attributes["xml:lang"])
        if tag == "break":
            self._silence = min(self._silence + _seconds(attributes), LONGEST_S)
        if manner != self._manners[-1]:
            self._number += 1
        self._manners.append(manner)
        if tag in ("p", "s"):
            self._text(_PARAGRAPH)
        if tag == "sub" and "alias" in attributes:
            self._text(attributes["alias"])
        self._hidden += tag == "sub"

    def _end(self, tag: str) -> None:
        self._hidden -= tag == "sub"
        if tag in ("p", "s"):
            self._text(_PARAGRAPH)
        if self._manners.pop() != self._manners[-1]:
            self._number += 1

    def _text(self, text: str) -> None:
        if self._hidden or not text:
            return
        if self._silence and text.strip():
            self._number += 1
            self._items.append(_Item(text, self._manners[-1], self._silence, self._number))
            self._silence = 0.0
        else:
            self._items.append(_Item(text, self._manners[-1], 0.0, self._number))

    def _refuse(self, *_: object) -> None:
        raise UsageError("SSML with a document type is not read; take its <!DOCTYPE ...> out.")


def _seconds(attributes: dict[str, str]) -> float:
    """Return how long a break is."""
    if (time := attributes.get("time")) is None:
        strength = attributes.get("strength", "medium")
        if strength not in _BREAKS:
            raise UsageError(f'A <break strength="{strength}"> is not known; there are {", ".join(_BREAKS)}.')
        return _BREAKS[strength]
    if not (found := _TIME.fullmatch(time.strip())):
        raise UsageError(f'A <break time="{time}"> is not understood; write it like time="500ms" or time="1.5s".')
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def _rate(stated: str) -> float:
    """Return the factor that a rate stands for."""
    if (named := _RATES.get(stated.strip())) is not None:
        return named
    if not (found := _RATE.fullmatch(stated.strip())) or not float(found[2]):
        raise UsageError(f'A <prosody rate="{stated}"> is not understood; write it like rate="slow" or rate="80%".')
    value = float(found[2]) / (100 if found[3] else 1)
    if found[1] and found[3]:
        return max(1 + (value if found[1] == "+" else -value), _SLOWEST)
    return value
