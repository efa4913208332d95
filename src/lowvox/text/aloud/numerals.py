"""Numbers as they are written: grouped by comma, point, space or apostrophe, with a decimal mark. Knows no words."""

from __future__ import annotations

import re
from dataclasses import dataclass

SPACE = r"[ \u00a0\u202f\u2009]"
_NARROW = r"[\u00a0\u202f\u2009]"


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number: its whole part, the digits behind its decimal mark, and how the whole was written.

    `grouped` says that something parted its thousands: then it is no year.
    """

    whole: int
    fraction: str
    written: str
    grouped: bool = False

    @property
    def one(self) -> bool:
        """Whether it is exactly one."""
        return self.whole == 1 and not self.fraction


def pattern(decimal: str) -> str:
    """Return the pattern of a number whose decimal mark is this; it begins behind no digit."""
    group = re.escape("," if decimal == "." else ".")
    mark = re.escape(decimal)
    tail = rf"(?:{mark}\d+)?"
    spaced = rf"(?:{_NARROW}\d{{3}})+" if decimal == "." else rf"(?:{SPACE}\d{{3}})+"
    return (
        rf"(?<!\d)(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d){tail}"
        rf"|[1-9]\d{{0,2}}{spaced}(?!\d){tail}"
        rf"|[1-9]\d{{0,2}}(?:{SPACE}\d{{3}}){{2,}}(?!\d){tail}"
        rf"|\d{{1,3}}(?:{mark}\d{{3}}){{2,}}(?!\d)"
        rf"|\d{{1,3}}(?:['’]\d{{3}})+(?!\d){tail}"
        rf"|\d+{tail}"
        rf"|(?<![\w.,])[.]\d+)"
    )


def read(written: str, decimal: str) -> Numeral:
    """Return what a number that matches `pattern` is."""
    if written.count(decimal) > 1:  # groups in another country's manner
        written = written.replace(decimal, " ")
    if written.startswith("."):
        return Numeral(0, written[1:], "0")
    whole, _, fraction = written.partition(decimal)
    digits = re.sub(r"\D", "", whole)
    return Numeral(int(digits) if len(digits) < 400 else 0, fraction, digits, digits != whole)
