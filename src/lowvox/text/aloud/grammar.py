"""What every language's grammar has: how numbers join with what they count. A language overrides what differs.

Knows no pattern of what is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lowvox.text.aloud.place import Place, any_of
from lowvox.text.aloud.speller import LONGEST, Speller
from lowvox.text.aloud.tables import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.numerals import Numeral
    from lowvox.text.aloud.place import Rule
    from lowvox.text.aloud.tables import Noun

NOWHERE = Place()


class Grammar:
    """How one language says numbers, and what goes with them."""

    code: ClassVar[str]

    def __init__(self) -> None:
        self.tables = load(self.code)
        self.words = self.tables.words
        self.speller = Speller(self.code)
        self.months = {name: at for at, name in enumerate(self.tables.months, 1)} | self.tables.months_short
        # A full stop belongs only to a month that is cut short.
        self.month = rf"((?:{any_of(self.tables.months)})(?!\w)|(?:{any_of(self.tables.months_short)})(?!\w)\.?)"

    def rules(self) -> Sequence[Rule]:
        """Return what only this language has: ordinals, years and the like."""
        return ()

    def times(self) -> Sequence[Rule]:
        """Return this language's ways to write a time of day, other than with a colon alone."""
        return ()

    def whole(self, number: int, gender: str = "", place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a whole number; `gender` is that of what it counts, where that is known."""
        return self.speller.cardinal(number)

    def plain(self, digits: str, gender: str = "", place: Place = NOWHERE) -> str:
        """Return a whole number as it is written: digit by digit where it begins with 0 or is very long."""
        if len(digits) > LONGEST or (digits.startswith("0") and len(digits) > 1):
            return self.speller.digits(digits)
        return self.whole(int(digits), gender, place)

    def number(self, numeral: Numeral, gender: str = "", place: Place = NOWHERE) -> str:
        """Return a number, with what is behind its decimal mark."""
        if not numeral.fraction:
            return self.plain(numeral.written, gender, place)
        return f"{self.plain(numeral.written)} {self.words['point']} {self.behind(numeral.fraction)}"

    def bare(self, numeral: Numeral, place: Place) -> str:
        """Return a number that has no unit: what follows may be its noun, or it may be a year."""
        return self.number(numeral, "", place)

    def roman(self, number: int, place: Place, written: str) -> str:  # noqa: ARG002
        """Return what a Roman numeral is there, "" where it may be none."""
        return ""

    def behind(self, fraction: str) -> str:
        """Return the digits behind a decimal mark."""
        return self.speller.digits(fraction)

    def form(self, noun: Noun, numeral: Numeral, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return the form of a noun behind a number."""
        return noun.forms[0] if numeral.one else noun.forms[-1]

    def counted(self, numeral: Numeral, noun: Noun, place: Place = NOWHERE) -> str:
        """Return a number with what it counts."""
        return f"{self.number(numeral, noun.gender, place)} {self.form(noun, numeral, place)}"

    def scaled(self, numeral: Numeral, scale: Noun, noun: Noun | None, place: Place = NOWHERE) -> str:
        """Return a number of thousands or millions, of something where there is a noun."""
        return " ".join(filter(None, (self.counted(numeral, scale, place), noun.forms[-1] if noun else "")))

    def money(self, whole: str, part: str) -> str:
        """Return a price of two parts, such as euros and cents."""
        return f"{whole} {self.words['and']} {part}"

    def ratio(self, first: str, second: str, place: Place) -> str:  # noqa: ARG002
        """Return what is written with a colon, or a score with a dash; both numbers are digits."""
        return f"{self.plain(first)} {self.words['ratio']} {self.plain(second)}"

    def year(self, number: int) -> str:
        """Return a year."""
        return self.speller.year(number)

    def share(self, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a fraction."""
        raise NotImplementedError

    def mixed(self, whole: int, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a whole number with a fraction."""
        return f"{self.whole(whole)} {self.words['and']} {self.share(part, of, place)}"

    def date(self, day: int, month: int, year: int | None, place: Place = NOWHERE) -> str:
        """Return a date that was written in numbers; month is from 1 to 12."""
        raise NotImplementedError

    def clock(self, hour: int, minute: int, place: Place = NOWHERE) -> str:
        """Return a time of day."""
        raise NotImplementedError

    def hour(self, hour: int) -> str:
        """Return the number of an hour."""
        return self.whole(hour)

    def span(self, hours: int, minutes: int, seconds: int) -> str:
        """Return hours, minutes and seconds that were written with colons."""
        return " ".join(map(self.whole, (hours, minutes, seconds)))

    def month_number(self, written: str) -> int:
        """Return which month a text that matches `month` is, from 1."""
        return self.months[written.rstrip(".")]

    def letter(self, letter: str) -> str:
        """Return the name of a letter."""
        return self.tables.letters.get(letter.upper(), letter.upper())
