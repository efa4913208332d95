"""Whole numbers to words, by the rules of Unicode's CLDR (the package unicode-rbnf).

The package is imported when the first number is read: it takes megabytes. Knows no text around a number.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

LONGEST = 15  # digits; longer ones are read digit by digit


class Speller:
    """The words of numbers in one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def cardinal(self, number: int, form: str = "") -> str:
        """Return a number in words, such as `form` "masculine-genitive"; the plain one for counting by default."""
        return _said(self._language, number, f"spellout-cardinal-{form}" if form else "spellout-numbering")

    def ordinal(self, number: int, form: str = "") -> str:
        """Return its ordinal, such as `form` "feminine"."""
        return _said(self._language, number, f"spellout-ordinal-{form}" if form else "spellout-ordinal")

    def year(self, number: int) -> str:
        """Return a number as it is said as a year."""
        return _said(self._language, number, "spellout-numbering-year")

    def digits(self, number: str) -> str:
        """Return its digits one by one."""
        return " ".join(self.cardinal(int(digit)) for digit in number if digit.isdecimal())


@lru_cache(1024)
def _said(language: str, number: int, rules: str) -> str:
    return _engine(language).format_number(number, ruleset_names=[rules]).text.replace("\u00ad", "")


@lru_cache
def _engine(language: str) -> RbnfEngine:
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language(language)
