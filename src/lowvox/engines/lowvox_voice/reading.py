"""An English sentence to the sounds that lowvox-voice speaks: phones, marks where it pauses, spaces between words.

A word is said as the lexicon has it first, else by what it is made of, else letter by letter, else by the network for
spelling. Phones between `[[` and `]]`, as CMUdict writes them, are taken as they are. Numbers are words already: that
is the business of `text.aloud`. Knows no graph but the one for spelling.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from lowvox.engines.lowvox_voice.g2p import NAMES, spelled
from lowvox.engines.lowvox_voice.tokens import PHONES, SPACE, VOWELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lowvox.engines.lowvox_voice.g2p import Speller
    from lowvox.engines.sorted_words import SortedWords

# Words that the voice's teacher says otherwise than the lexicon does first.
_WEAK = {
    word: phones.split()
    for word, phones in {
        "and": "AE N D", "to": "T AH", "here": "HH IH R", "hear": "HH IH R", "hearing": "HH IH R IH NG",
        "ear": "IH R", "poor": "P UH R", "even": "IY V AH N", "live": "L IH V", "wind": "W IH N D",
        "tears": "T IH R Z", "ere": "IH R", "missus": "M IH S AH S", "blessed": "B L EH S IH D",
    }.items()
}  # fmt: skip
_PIECE = re.compile(r"\[\[(.{0,400}?)\]\]|[A-Za-z']+", re.DOTALL)
_PAUSES = re.compile(r"[–—()\[\]{}]|--|\s-\s")
# What a name like "PocketSphinx" or "XMLFile" is made of.
_CAPITALS = re.compile(r"[A-Z]?[a-z']+|[A-Z']+(?![a-z])")
_STRESS = str.maketrans("", "", "012")
# What a letter or mark becomes that is not made of a plain one and an accent.
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l",
     "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "。": ".", "、": ","}
)  # fmt: skip
_HISSING, _VOICELESS = frozenset(("S", "Z", "SH", "ZH", "CH", "JH")), frozenset(("P", "T", "K", "F", "TH"))
_SPELLED = 4  # letters of a small word without vowels that is spelled; longer ones are noises


class _Piece(NamedTuple):
    """A word, or phones that were given, and what stands behind it."""

    word: str
    phones: list[str] | None
    behind: str


class Reader:
    """Sentences to sounds; without a lexicon every word is said by the network. May be used by several threads."""

    def __init__(self, lexicon: SortedWords | None, speller: Speller) -> None:
        self._lexicon, self._speller = lexicon, speller

    def sounds(self, text: str) -> list[str]:
        """Return the sounds of a sentence, which end in its mark; none of a text without Latin letters."""
        pieces = list(_pieces(text))
        said = [self._said(pieces, at) for at in range(len(pieces))]
        found: list[str] = []
        for at, piece in enumerate(pieces):
            following = said[at + 1][:1] if at + 1 < len(said) else []
            found += ["DH", "IY"] if piece.word.lower() == "the" and VOWELS.issuperset(following or "-") else said[at]
            mark = _mark(piece.behind, last=at + 1 == len(pieces))
            found += [mark, SPACE] if mark else [SPACE]
        return found if any(said) else []

    def _said(self, pieces: Sequence[_Piece], at: int) -> list[str]:
        """Return the phones of a piece."""
        word, phones, _ = pieces[at]
        if phones is not None:
            return phones
        if len(word) == 1 and word.isupper() and not (word in "AI" and _alone(pieces, at)):
            return spelled(word.lower())
        return self._known(word.lower()) or self._guessed(word)

    def _known(self, word: str) -> list[str] | None:
        """Return the phones of a word, or of the one that it is a possessive of; None where the lexicon has neither."""
        if word in _WEAK:
            return _WEAK[word]
        if self._lexicon is None:
            return None
        bare = word.strip("'")
        if found := self._lexicon.phonemes(word) or self._lexicon.phonemes(bare):
            return found
        if bare.endswith("'s") and (found := self._lexicon.phonemes(bare[:-2])):
            return [*found, *_ending(found[-1])]
        return None

    def _guessed(self, word: str) -> list[str]:
        """Return the phones of a word by its parts, its letters' names, or its letters."""
        if len(parts := _CAPITALS.findall(word)) > 1:
            return [phone for part in parts for phone in self._known(part.lower()) or self._guessed(part)]
        small = word.lower()
        if not set("aeiouy") & set(small) and (word.isupper() or _initials(small)):
            return spelled(small)
        return self._speller.phones(small.strip("'"))


def _pieces(text: str) -> Iterator[_Piece]:
    """Yield words and given phones, each with all that stands behind it."""
    plain = _folded(text)
    found = [one for one in _PIECE.finditer(plain) if one[1] is not None or one[0].strip("'")]
    for at, one in enumerate(found):
        behind = plain[one.end() : found[at + 1].start() if at + 1 < len(found) else None]
        given = None if one[1] is None else [name for name in one[1].translate(_STRESS).split() if name in PHONES]
        yield _Piece(one[0] if given is None else "", given, behind)


def _folded(text: str) -> str:
    """Return a text with its letters without accents."""
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(one for one in apart if not unicodedata.combining(one)).translate(_PLAIN)


def _mark(behind: str, *, last: bool) -> str:
    """Return the mark that what stands behind a word means, "" for none; behind the last word there always is one."""
    for mark in "?!.;:,":
        if mark in behind:
            return ";" if mark == ":" else mark
    if last:
        return "."
    return "," if _PAUSES.search(behind) else ""


def _alone(pieces: Sequence[_Piece], at: int) -> bool:
    """Whether no single capital stands beside a word: else it is one of several letters."""
    beside = [pieces[other] for other in (at - 1, at + 1) if 0 <= other < len(pieces)]
    return not any(len(one.word) == 1 and one.word.isupper() for one in beside)


def _initials(word: str) -> bool:
    """Whether a small word without vowels looks like letters and not like a noise."""
    return 1 < len(word) <= _SPELLED and len(set(word)) == len(word) and set(word) <= set(NAMES)


def _ending(last: str) -> list[str]:
    """Return how a possessive's "s" is said behind a phone."""
    return ["IH", "Z"] if last in _HISSING else ["S"] if last in _VOICELESS else ["Z"]
