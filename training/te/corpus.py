"""From printed text to what a recogniser would write: small words without marks, each with the label that was its own.

    words = list(labelled(lines, "en"))

A line is a sentence or a paragraph. What belongs to the spelling of a word stays in it: apostrophes, hyphens, the
points of a number. The point of an abbreviation ("Mr.", "z. B.", an initial) is no mark: nobody speaks it and no
recogniser is asked for it. Quotation marks and brackets are dropped. A dash after another mark is no mark of its own.
"""

from __future__ import annotations

import lzma
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lowvox.text.marks import CASES, DASH, cased

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT = Path(__file__).resolve().parents[3] / "shared" / "data" / "text"
# Stronger marks win where several stand together.
# An ellipsis, and the point of an abbreviation, stand for themselves until it is known what follows.
_ABBREVIATED = "abbreviated"
_STRENGTH = {mark: rank for rank, mark in enumerate(("", DASH, _ABBREVIATED, ",", ";", ":", "…", ".", "!", "?"))}
_APART = re.compile(r"[—–―]|--+|\.{2,}|…")
_HYPHEN_ALONE = re.compile(r"(?<=\s)-(?=\s)|^-\s*|(?<=\s)-(?=\w)")
_PIECE = re.compile(r"([^\w]*)(.*?)([^\w]*)$", re.DOTALL)
_ORDINAL = re.compile(r"\d{1,2}$|[IVX]+$")
_ABBREVIATIONS = {
    "en": "mr mrs ms dr st prof rev hon gen col capt lieut lt sgt gov messrs mdme mme jr sr vs etc esq viz",
    "de": "dr hr fr st prof usw bzw etc ca nr bd vgl sog geb gest frl u.s.w",
    "es": "sr sra srta d dª dr dra ud uds vd vds st sto sta gral fr etc excmo ilmo",
    "ru": "г гг св им т д п ст стр др напр и.о",
    "vi": "tp ts ths gs pgs bs ks st mr dr",
}
# "U.S.", "z.B.", "т.е." are heard as letters.
_INITIALS = re.compile(r"(?:[^\W\d]\.){2,}$")


class Labelled(NamedTuple):
    """A word as it is heard, and what print adds to it. `sure` is False where print says nothing about its capital."""

    word: str
    mark: str
    case: str
    opens: bool
    sure: bool


def lines(language: str, part: str) -> list[str]:
    """Read a text of ../shared/data/text; `part` is "train" or "dev"."""
    with lzma.open(TEXT / f"{language}.{part}.txt.xz", "rt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def labelled(text: Iterable[str], language: str) -> Iterator[list[Labelled]]:
    """Give each line as its words with their labels; lines without words, and headings in capitals, are left out."""
    short = frozenset(_ABBREVIATIONS[language].split())
    unmarked = False  # the line before did not end with a mark: the capital that begins this one may be a verse's
    for line in text:
        found = _line(unicodedata.normalize("NFC", line), short, language)
        letters = [char for char in line if char.isalpha()]
        if not found or (len(letters) > 8 and sum(char.isupper() for char in letters) > len(letters) / 2):
            unmarked = True
            continue
        if unmarked:
            found[0] = found[0]._replace(sure=False)
        unmarked = found[-1].mark not in {".", "?", "!"}
        yield found


def _line(line: str, short: frozenset[str], language: str) -> list[Labelled]:
    spaced = _HYPHEN_ALONE.sub(f" {DASH} ", line)
    spaced = _APART.sub(lambda found: f" {found[0]} ", spaced)
    words: list[Labelled] = []
    opens = False
    pieces = [_PIECE.match(raw).groups() for raw in spaced.split()]  # type: ignore[union-attr]
    for before, core, after in pieces:
        opens = opens or "¿" in before + after or "¡" in before + after
        if words and not core:
            words[-1] = words[-1]._replace(mark=max(_mark(before + after), words[-1].mark, key=_strength))
        if not core:
            continue
        mark = _mark(after)
        letters = core.split(".") if _INITIALS.match(core + ".") else [core]
        if (mark == "." and (core.lower() in short or (language == "de" and _ORDINAL.match(core)))) or (
            mark == "." and len(letters[-1]) == 1 and letters[-1].isalpha() and core != "I"
        ):
            mark = _ABBREVIATED
        if words and "¿" not in before and "¡" not in before and _mark(before) == DASH and not words[-1].mark:
            words[-1] = words[-1]._replace(mark=DASH)
        for letter in letters:
            case, sure = _case(letter)
            words.append(Labelled(letter.replace("’", "'").lower(), "", case, opens, sure))
            opens = False
        words[-1] = words[-1]._replace(mark=mark)
    return _points(words)


def _mark(text: str) -> str:
    """Return the strongest mark in what stands around words."""
    if "…" in text or ".." in text:
        text = text.replace(".", "").replace("…", "") + "…"
    marks = (DASH if char in "–―" else char for char in text.replace("--", DASH))
    return max((mark for mark in marks if mark in _STRENGTH), key=_strength, default="")


def _strength(mark: str) -> int:
    return _STRENGTH[mark]


def _points(words: list[Labelled]) -> list[Labelled]:
    """Tell which points end a sentence, now that it is known what follows them.

    Before a small letter one belongs to an abbreviation, and three are a pause. The last one of a line always counts.
    """
    for at, word in enumerate(words):
        last = at + 1 == len(words)
        small = not last and words[at + 1].case == "lower" and words[at + 1].word[0].isalpha()
        if word.mark == "…":
            words[at] = word._replace(mark="," if small else ".")
        elif word.mark == _ABBREVIATED:
            words[at] = word._replace(mark="." if last else "")
        elif word.mark == "." and small:
            words[at] = word._replace(mark="")
    return words


def _case(core: str) -> tuple[str, bool]:
    letters = [char for char in core if char.isalpha()]
    if not letters or core == core.lower():
        return "lower", bool(letters)
    if all(char.isupper() for char in letters):
        return ("upper", True) if len(letters) > 1 else ("capital", core[0].isalpha())
    small = core.replace("’", "'").lower()
    return next(((case, True) for case in CASES if cased(small, case) == core.replace("’", "'")), ("capital", False))
