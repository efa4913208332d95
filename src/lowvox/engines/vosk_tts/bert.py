"""What the words of a sentence mean, for the vosk-tts voices that read it: one vector for each word, by a BERT.

Words are cut as BERT's own tokenizer does, letters small; accents are taken off where the vocabulary knows none. Knows
neither phonemes nor voices.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lowvox.engines.vits import APART
from lowvox.errors import DamagedError, NotFoundError
from lowvox.onnx.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.types import Profile

WIDTH = 768
_MARKS = frozenset('-,.?!;:"')
_CONTINUED = "##"
_MOST = 510  # pieces that are read together, without the beginning and the end
_LONGEST = 100  # letters of a word; more is unknown, as in BERT's own tokenizer
_SYMBOLS = frozenset("$+<=>^`|~")  # what BERT counts as punctuation and Unicode does not
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))


class Piece(NamedTuple):
    """A part of a word and its number."""

    text: str
    number: int


class Vocabulary:
    """Pieces to the numbers of their lines, searched in the text of the file itself."""

    def __init__(self, text: bytes) -> None:
        """Take the text of a vocabulary, a piece a line; DamagedError where it is none."""
        self._text = text if text.endswith(b"\n") else text + b"\n"
        ends = np.flatnonzero(np.frombuffer(self._text, np.uint8) == ord("\n")).astype(np.int32)
        self._starts = np.concatenate([np.zeros(1, np.int32), ends[:-1] + 1])
        lines = [line.rstrip() for line in self._text.split(b"\n")[:-1]]
        self._order = np.array(sorted(range(len(lines)), key=lines.__getitem__), np.int32)
        self._places = range(len(lines))
        self._accents = "й".encode() in text
        self.begin, self.end, self.unknown = (self._special(name) for name in ("[CLS]", "[SEP]", "[UNK]"))

    def get(self, piece: str) -> int | None:
        """Return the number of a piece, None where there is no such piece."""
        wanted = piece.encode(errors="surrogatepass")
        at = bisect_right(self._places, wanted, key=self._line) - 1
        return int(self._order[at]) if at >= 0 and self._line(at) == wanted else None

    def pieces(self, text: str) -> Iterator[Piece]:
        """Yield the pieces of a text."""
        for word in _words(text.lower() if self._accents else _bare(text.lower())):
            yield from self._cut(word)

    def _cut(self, word: str) -> list[Piece]:
        """Return the longest pieces from left to right; all of a word is unknown where there is none."""
        found: list[Piece] = []
        begin = 0
        while begin < len(word) <= _LONGEST:
            for end in range(len(word), begin, -1):
                piece = (_CONTINUED if begin else "") + word[begin:end]
                number = self.get(piece)
                if number is not None:
                    found.append(Piece(piece, number))
                    break
            else:
                break
            begin = end
        return found if begin == len(word) else [Piece("[UNK]", self.unknown)]

    def _line(self, at: int) -> bytes:
        begin = int(self._starts[self._order[at]])
        return self._text[begin : self._text.index(b"\n", begin)].rstrip()

    def _special(self, name: str) -> int:
        number = self.get(name)
        if number is None:
            raise DamagedError(f"The vocabulary of the voice's BERT has no {name}; copy or pull the voice again.")
        return number


class Bert:
    """A loaded BERT; may be used by several threads, of which `permits` work at once."""

    def __init__(self, model: Path, vocabulary: Path, profile: Profile, permits: int = 1) -> None:
        try:
            self._vocabulary = Vocabulary(vocabulary.read_bytes())
        except OSError as error:
            raise NotFoundError(f"There is no {vocabulary}; copy or pull the voice again.") from error
        self._model, self._permits = model, permits
        # Apart, nothing that is not at work is loaded.
        self._profile = replace(profile, name="default") if profile.name == APART else profile
        self._session = None if profile.name == APART else self._open()

    def vectors(self, text: str, *, marks: bool) -> NDArray[np.float32]:
        """Return a vector for the beginning, each word (and each mark, if `marks`) and the end: float32 [n, 768]."""
        pieces = list(self._vocabulary.pieces(text.replace("+", "").replace("_", "")))
        with self._at_work() as session:
            parts = [self._run(session, pieces[at : at + _MOST]) for at in range(0, len(pieces) or 1, _MOST)]
        rows = np.concatenate([parts[0][:1], *(part[1:-1] for part in parts), parts[-1][-1:]])
        words = [at for at, piece in enumerate(pieces, 1) if piece.text[0] != "#" and (marks or not _is_mark(piece))]
        return rows[[0, *words, len(rows) - 1]]

    def close(self) -> None:
        """Unload it; may be called twice."""
        if self._session:
            self._session.close()

    @contextmanager
    def _at_work(self) -> Iterator[Session]:
        session = self._session or self._open()
        try:
            yield session
        finally:
            if session is not self._session:
                session.close()

    def _run(self, session: Session, pieces: Sequence[Piece]) -> NDArray[np.float32]:
        """Return a vector for each piece, between those of the beginning and the end."""
        known = self._vocabulary
        ids = np.array([[known.begin, *(piece.number for piece in pieces), known.end]], np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        made = session.run({name: array for name, array in feeds.items() if name in session.inputs})[0]
        rows = made.reshape(-1, made.shape[-1])
        if rows.shape != (ids.size, WIDTH):
            raise DamagedError(f"{self._model} is not the BERT of a vosk-tts voice; copy or pull the voice again.")
        return rows

    def _open(self) -> Session:
        return Session(self._model, self._profile, self._permits)


def _is_mark(piece: Piece) -> bool:
    return piece.text[0] in _MARKS


def _bare(text: str) -> str:
    """Take the accents off letters, as a BERT does that was trained on small letters alone."""
    return "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one) != "Mn")


def _words(text: str) -> list[str]:
    """Cut a text at white space and around each mark and ideograph; what is no letter or mark at all is left out."""
    spaced = []
    for letter in text:
        kind = unicodedata.category(letter)
        if letter.isspace():
            spaced.append(" ")
        elif kind[0] == "P" or letter in _SYMBOLS or _is_ideograph(letter):
            spaced.append(f" {letter} ")
        elif kind[0] != "C" and letter != "\ufffd":
            spaced.append(letter)
    return "".join(spaced).split()


def _is_ideograph(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _IDEOGRAPHS)
