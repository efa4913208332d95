"""Vietnamese: days and months with a stroke, hours with h, ordinals with thứ. It has no genders and no plural."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.dates import possible
from lowvox.text.aloud.grammar import NOWHERE, Grammar
from lowvox.text.aloud.place import Place, any_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.place import Rule

_BEFORE_DAY = "ngày|sáng|trưa|chiều|tối|đêm|hôm|dịp|từ|đến|tới|trước|sau|mùng|lễ|và|hết|qua|nay|mai|thứ [2-7],|nhật,"
_EACH = "kg|g|tháng|năm|ngày|giờ|người|m²|m2|tấn|lít|l|lần|chiếc|cái|suất|đêm|tuần|phút|giây|km|ha|con|hộ"


class Vietnamese(Grammar):
    """Vietnamese."""

    code = "vi"

    def rules(self) -> Sequence[Rule]:
        """Return days, months, weekdays, ordinals, and what comes with a stroke."""
        return (
            (re.compile(rf"(?i)(?<!\w)({_BEFORE_DAY})\s(\d{{1,2}})[/.](\d{{1,2}})(?![\d/%]|[.,]\d)"), self._day),
            (re.compile(r"(?i)(?<!\w)(tháng)\s(\d{1,2})[/-](\d{4})(?!\d)"), self._month_year),
            (re.compile(r"(?i)(?<!\w)(quý)\s([1-4])/(\d{4})(?!\d)"), self._quarter),
            (re.compile(r"(?i)(?<!\w)(tháng)\s0?(4)(?![\d/]|[.,]\d)"), lambda found: f"{found[1]} tư"),
            (re.compile(r"(?i)(?<!\w)(lần thứ|thứ|hạng|đệ)\s(\d{1,3})(?![\d/]|[.,]\d)"), self._ordinal),
            (
                re.compile(r"(?<![\w.,])(\d)m(\d{1,2})(?!\w)"),
                lambda found: f"{self.plain(found[1])} mét {self.plain(found[2])}",
            ),
            (re.compile(rf"(?<=[\w%₫€$])\s?/\s?({_EACH})(?!\w)"), self._each),
        )

    def times(self) -> Sequence[Rule]:
        """Return hours with h or g, with minutes behind it or none."""
        hour = r"(?<![\w:.,/])(\d{1,2})\s?[hg](\d{2})?(?:'|’|ph|p)?(?!\w)"
        between = r"(?<=\d[hg])\s?[-–]\s?(?=\d{1,2}[hg])|(?<=\d[hg]\d\d)\s?[-–]\s?(?=\d{1,2}[hg])"
        return ((re.compile(between), lambda _: " đến "), (re.compile(hour), self._hours))

    def whole(self, number: int, gender: str = "", place: Place = NOWHERE) -> str:
        """Return a number; CLDR leaves out the empty hundreds of millions."""
        if number < 1_000_000:
            return super().whole(number, gender, place)
        million = number % 1_000_000_000 // 1_000_000
        parts = (
            (number // 1_000_000_000, "tỷ"),
            (million, "triệu"),
            (number % 1_000_000 // 1000, "nghìn"),
            (number % 1000, ""),
        )
        said: list[str] = []
        for part, unit in parts:
            if part:
                said += ["không trăm"] * (bool(said) and part < 100) + ["lẻ"] * (bool(said) and part < 10)
                said += [self.whole(part), unit]
        return " ".join(filter(None, said))

    def behind(self, fraction: str) -> str:
        """Return the digits behind the comma, two of them as one number."""
        return self.plain(fraction) if len(fraction) == 2 else super().behind(fraction)

    def money(self, whole: str, part: str) -> str:
        """Return a price of two parts."""
        return f"{whole} {part}"

    def ratio(self, first: str, second: str, place: Place) -> str:
        """Return a ratio; a score has no word between."""
        if place.last in self.tables.lists["scores"]:
            return f"{self.plain(first)} {self.plain(second)}"
        return super().ratio(first, second, place)

    def roman(self, number: int, place: Place, written: str) -> str:
        """Return the number of a century, chapter, congress or king."""
        if place.last == "thứ":
            return "nhất" if number == 1 else self.whole(number)
        if place.last in self.tables.lists["numbered"]:
            return self.whole(number)
        if place.last in self.tables.lists["regal"] and (len(written) > 1 or place.ends()):
            return "đệ nhất" if number == 1 else "đệ nhị" if number == 2 else self.whole(number)
        return ""

    def share(self, part: int, of: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a fraction: ba phần tư."""
        return f"{self.whole(part)} phần {'tư' if of == 4 else self.whole(of)}"

    def mixed(self, whole: int, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a whole number with a fraction."""
        return f"{self.whole(whole)} {self.share(part, of, place)}"

    def date(self, day: int, month: int, year: int | None, place: Place = NOWHERE) -> str:
        """Return a date: ngày ba tháng năm năm hai nghìn không trăm hai mươi."""
        said = f"{self.whole(day)} {self.tables.months[month - 1]}"
        if year:
            said += f" năm {self.year(year)}"
            return said if place.last in ("ngày", "mùng", "hôm") else f"ngày {said}"
        return said

    def clock(self, hour: int, minute: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a time: năm giờ ba mươi."""
        said = f"{self.whole(hour)} giờ"
        if not minute:
            return said
        return f"{said} {'không ' if minute < 10 else ''}{self.whole(minute)}"

    def span(self, hours: int, minutes: int, seconds: int) -> str:
        """Return a length of time."""
        return f"{self.whole(hours)} giờ {self.whole(minutes)} phút {self.whole(seconds)} giây"

    def _day(self, found: re.Match[str]) -> str:
        day, month = int(found[2]), int(found[3])
        return f"{found[1]} {self.date(day, month, None)}" if possible(day, month) else found[0]

    def _month_year(self, found: re.Match[str]) -> str:
        month = int(found[2])
        if not 1 <= month <= 12:
            return found[0]
        return f"{self.tables.months[month - 1]} năm {self.year(int(found[3]))}"

    def _quarter(self, found: re.Match[str]) -> str:
        return f"{found[1]} {self.whole(int(found[2]))} năm {self.year(int(found[3]))}"

    def _ordinal(self, found: re.Match[str]) -> str:
        """Say which one; weekdays and the first and fourth have words of their own."""
        number, before = int(found[2]), found[1].lower()
        if number == 1:
            return f"{found[1]} nhất"
        return f"{found[1]} {'tư' if number == 4 and before != 'hạng' else self.whole(number)}"

    def _each(self, found: re.Match[str]) -> str:
        """Say how much for one of something, where a price or a share stands before it."""
        place = Place.of(found)
        if not re.search(
            rf"\d\s?(?:%|{any_of(self.tables.currencies)}|(?:nghìn|triệu|tỷ|ngàn)\s\w{{1,6}}|\w{{1,5}})$", place.before
        ):
            return found[0]
        unit = self.tables.units.get(found[1])
        return f" một {unit.forms[0] if unit else found[1]}"

    def _hours(self, found: re.Match[str]) -> str:
        """Say `17h30`; an hour that there is none of stays."""
        hour, minute = int(found[1]), int(found[2] or 0)
        if hour > 24 or minute > 59:
            return found[0]
        said = self.clock(hour, minute)
        return f"{said} phút" if found[0].endswith(("'", "’", "p", "ph")) and minute else said
