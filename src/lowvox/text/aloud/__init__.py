"""Written text to spoken words: numbers, dates, money, units, abbreviations, addresses and signs, in five languages.

`spoken_form` is for voices that have no front end of their own; espeak, and Piper through it, read numbers themselves.
What is between `[[` and `]]` passes through: it is phonemes. Rules run in a fixed order, each over what those before it
left; at the end no digit remains. Knows no voice and no lexicon (see `lexicon`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.place import Rule

LANGUAGES = ("en", "de", "es", "ru", "vi")

_ROUNDS = 4
_RAW = re.compile(r"(\[\[(?:(?!\[\[|\]\]).){0,400}\]\])", re.DOTALL)
# Digits of other scripts, small, raised and circled ones; superscripts 2 and 3 and fractions have rules of their own.
_ODD = re.compile(r"(?![0-9])\d|[¹⁰⁴-⁹₀-₉፩-፱᧚①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒Ⅰ-Ⅿ𐩀-𐩃𐹠-𐹨𑁒-𑁚🄀-🄊]")
_NOTHING = re.compile(r"[0-9²³¼½¾⅓⅔⅛⅜⅝⅞&+=≠×÷±≈~≤≥<>*°§%‰©®™№€$£¥₽₫₹¢@µ√∞→/#.:–−·_]|[A-ZА-ЯЁĐ]{2}|\b[A-ZА-ЯЁĐ]\b|\w-\w")


def spoken_form(text: str, language: str) -> str:
    """Return a sentence as it is read aloud, in en, de, es, ru or vi; text in another language comes back as it is.

    No digit is left; letters and ordinary marks stay as they are except in abbreviations and capitals that are spelled.
    """
    if base(language) not in LANGUAGES:
        return text
    parts = _RAW.split(text)
    return "".join(part if at % 2 else _read(part, base(language)) for at, part in enumerate(parts))


def _read(text: str, language: str) -> str:
    """Carry out every rule, where there may be something to read, until nothing changes: mostly once."""
    for _ in range(_ROUNDS):
        before, text = text, _ODD.sub(_plain, text)
        if not _NOTHING.search(text) and not _abbreviates(text, language):
            return text
        for pattern, said in _rules(language):
            text = pattern.sub(said, text)
        if text == before:
            break
    return text


def _abbreviates(text: str, language: str) -> bool:
    """Whether one of the language's abbreviations may be in it."""
    from lowvox.text.aloud.tables import load

    return any(word in text for word in load(language).abbreviations)


def _plain(found: re.Match[str]) -> str:
    """Return the usual digit, or the capitals of a Roman numeral that is one character."""
    digit = unicodedata.digit(found[0], None)
    return (
        unicodedata.normalize("NFKC", found[0])
        if digit is None
        else f" {digit}"
        if not found[0].isdecimal()
        else str(digit)
    )


@lru_cache
def _rules(language: str) -> Sequence[Rule]:
    """Return the rules of a language in the order in which they run."""
    from lowvox.text.aloud import languages

    return languages.rules(language)
