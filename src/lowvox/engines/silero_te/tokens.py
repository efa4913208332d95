"""How Silero's text enhancement cuts words: letters are escaped, then the longest known piece is taken again and again.

The rules are those of BERT's tokenizer as far as the export found them to hold for the file that was converted. A word
always gives at least one piece, whatever is in it. Knows no network.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lowvox.engines.silero_te.layout import Rules

CONTINUED = "##"  # begins a piece that does not begin its word
_STRANGE = "&"  # stands for every letter that the vocabulary does not have
_REMEMBERED = 4096  # words whose pieces are kept


class Vocabulary:
    """Pieces to ids, searched in the sorted lines of a file: 55,000 take 2 MB, where a dict takes 7.

    A line is the escaped piece, a space and its id. DamagedError for a text that is not of such lines.
    """

    def __init__(self, text: bytes) -> None:
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.int32)
        if not text.endswith(b"\n") or not text.isascii():
            raise DamagedError("A list of word pieces is damaged; convert or copy the model again.")
        self._text = text
        self._starts = np.concatenate([np.zeros(1, np.int32), ends[:-1] + 1])
        self._lines = range(len(self._starts))

    def __len__(self) -> int:
        return len(self._starts)

    def get(self, piece: str) -> int | None:
        """Return the id of an escaped piece, None where there is no such piece."""
        wanted = piece.encode() + b" "
        at = bisect_left(self._lines, wanted, key=self._line)
        line = self._line(at) if at < len(self._lines) else b""
        number = line.removeprefix(wanted)
        return int(number) if number != line and number.isdigit() else None

    def _line(self, at: int) -> bytes:
        begin = int(self._starts[at])
        return self._text[begin : self._text.index(b"\n", begin)]


def listed(ids: Mapping[str, int]) -> bytes:
    """Return the text of a vocabulary, escaped pieces to ids."""
    return b"".join(sorted(f"{piece} {number}\n".encode() for piece, number in ids.items()))


class Tokenizer:
    """Words to the ids of their pieces."""

    def __init__(self, vocabulary: Vocabulary, rules: Rules) -> None:
        self._vocabulary = vocabulary
        self._rules = rules
        self._letters = frozenset(rules.letters)
        self._alone = frozenset(escaped(rules.alone, self._letters))
        self._known: dict[str, tuple[int, ...]] = {}

    def pieces(self, word: str) -> tuple[int, ...]:
        """Return the ids of a word's pieces, at least one."""
        found = self._known.get(word)
        if found is None:
            cut = [number for run in self._runs(word) for number in self._cut(run)]
            found = tuple(cut) or (self._rules.unknown,)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[word] = found
        return found

    def _runs(self, word: str) -> Iterator[list[str]]:
        """Yield the escaped letters of what lies between letters that stand alone, and those."""
        run: list[str] = []
        for letter in escaped(word, self._letters):
            if letter in self._alone:
                if run:
                    yield run
                yield [letter]
                run = []
            else:
                run.append(letter)
        if run:
            yield run

    def _cut(self, run: list[str]) -> list[int]:
        """Return the ids of the longest pieces from left to right; all of it is unknown where there is none."""
        found: list[int] = []
        begin = 0
        while begin < len(run) <= self._rules.longest:
            for end in range(min(len(run), begin + self._rules.widest), begin, -1):
                number = self._vocabulary.get((CONTINUED if begin else "") + "".join(run[begin:end]))
                if number is not None:
                    break
            else:
                break
            found.append(number)
            begin = end
        return found if begin == len(run) else [self._rules.unknown]


def escaped(text: str, letters: frozenset[str]) -> list[str]:
    """Write each letter in ASCII: those of `letters` as `{code point}`, all else beyond it as one strange letter.

    Braces, white space and control characters count as strange: the escape has a use of its own for the first, and none
    of them is in a word that is spoken.
    """
    return [
        letter
        if "!" <= letter <= "~" and letter not in "{}"
        else f"{{{ord(letter)}}}"
        if letter in letters
        else _STRANGE
        for letter in text
    ]
