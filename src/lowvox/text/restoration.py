"""Punctuation and capitals for text of any length, in windows that overlap: memory does not follow the text.

Words are never changed, moved or lost; what stands between them stays. Knows no model: a stream labels words.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from lowvox.text.marks import ENDS, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lowvox.types import Label, PunctuatorStream

# Words at the edge of a window that are looked at for the sake of their neighbours, and labelled by the next window.
MARGIN = 16
# Lines are labelled together, but no more than this many at once and no more words, the longest line counted for each.
LINES, TOGETHER = 32, 512
LONG = 2**16  # characters from which on a line is not held as a whole
_WORD = re.compile(r"\S+")
_WHOLE = re.compile(r"(\s*)(\S+)(?=\s)")


def punctuate(text: str, stream: PunctuatorStream, language: str) -> str:
    """Return the text with marks and capitals put in."""
    return next(lines([text], stream, language))


def lines(texts: Iterable[str], stream: PunctuatorStream, language: str) -> Iterator[str]:
    """Punctuate texts that have nothing to do with each other, one by one; short ones are labelled together."""
    rest = iter(texts)
    while some := list(islice(rest, LINES)):
        for text, labels in zip(some, _labelled([_WORD.findall(text) for text in some], stream), strict=True):
            yield _written(text, labels, language)


def flowing(pieces: Iterable[str], stream: PunctuatorStream, language: str) -> Iterator[str]:
    """Punctuate text that comes in pieces, cut anywhere; each line is a text of its own, and may be of any length.

    What is whole is given away before the next piece is asked for.
    """
    rest, long = "", None
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        if long and whole:
            yield from long.feed(whole.pop(0))
            yield from long.end()
            yield "\n"
            long = None
        yield from (line + "\n" for line in lines(whole, stream, language))
        if len(rest) > LONG or (long and rest):
            long = long or _Long(stream, language)
            yield from long.feed(rest)
            rest = ""
    if long:
        yield from long.end()
    elif rest:
        yield punctuate(rest, stream, language)


def labels(
    words: Sequence[str],
    stream: PunctuatorStream,
    pauses: Sequence[float] | None = None,
    *,
    begins: bool = True,
    ends: bool = True,
) -> list[Label]:
    """Label words, as many as there are; see `PunctuatorStream.label`."""
    window, at = stream.window, 0
    found: list[Label] = []
    while True:
        last = at + window >= len(words)
        here = slice(at, at + window)
        silences = None if pauses is None else [pauses[here]]
        (new,) = stream.label([words[here]], silences, begins=begins and at == 0, ends=ends and last)
        found += new[len(found) - at :] if last else new[len(found) - at : window - MARGIN]
        if last:
            return found
        at = len(found) - MARGIN


def joined(labels: Iterable[Label], before: Label | None = None) -> Iterator[Label]:
    """Make capitals agree with marks: a word behind the end of a sentence has one."""
    for label in labels:
        ended = before is not None and before.mark in ENDS
        before = replace(label, case="capital") if ended and label.case == "lower" else label
        yield before


class _Long:
    """A line that comes in pieces: a window's worth of words is held, no more."""

    def __init__(self, stream: PunctuatorStream, language: str) -> None:
        self._stream = stream
        self._language = language
        self._rest = ""  # the word that may go on
        self._said: list[str] = []  # words that are written, for the sake of those that follow
        self._waiting: list[tuple[str, str]] = []  # white space, word
        self._begins = True
        self._before: Label | None = None

    def feed(self, text: str) -> Iterator[str]:
        """Take more of the line and write what is far enough from its end."""
        text = self._rest + text
        at = 0
        for found in _WHOLE.finditer(text):
            self._waiting.append((found[1], found[2]))
            at = found.end()
            if len(self._said) + len(self._waiting) == self._stream.window:
                yield self._write(len(self._waiting) - MARGIN, ends=False)
        self._rest = text[at:]

    def end(self) -> Iterator[str]:
        """Write the rest."""
        word = self._rest.strip()
        space, _, behind = self._rest.partition(word) if word else (self._rest, "", "")
        if word:
            self._waiting.append((space, word))
        yield self._write(len(self._waiting), ends=True) + (behind if word else space)

    def _write(self, count: int, *, ends: bool) -> str:
        words = [*self._said, *(word for _, word in self._waiting)]
        found = labels(words, self._stream, begins=self._begins, ends=ends)[len(self._said) :]
        done, self._waiting = self._waiting[:count], self._waiting[count:]
        written = []
        for (space, word), label in zip(done, joined(found[:count], self._before), strict=True):
            written.append(space + write(word, label, self._language))
            self._before = label
        self._said, self._begins = words[: len(words) - len(self._waiting)][-MARGIN:], False
        return "".join(written)


def _labelled(texts: list[list[str]], stream: PunctuatorStream) -> list[list[Label]]:
    """Label each text; those that fit one window are put together, of like length for the sake of speed."""
    found: dict[int, list[Label]] = {}
    together: list[int] = []

    def label_them() -> None:
        found.update(zip(together, stream.label([texts[at] for at in together]), strict=True))
        together.clear()

    for at in sorted(range(len(texts)), key=lambda at: len(texts[at])):
        size = len(texts[at])
        if not 0 < size <= stream.window:
            found[at] = labels(texts[at], stream) if size else []
            continue
        if (len(together) + 1) * size > TOGETHER and together:
            label_them()
        together.append(at)
    if together:
        label_them()
    return [found[at] for at in range(len(texts))]


def _written(text: str, labels: Sequence[Label], language: str) -> str:
    """Write the labels into the text; white space stays as it is."""
    chosen = joined(labels)
    return _WORD.sub(lambda word: write(word[0], next(chosen), language), text)
