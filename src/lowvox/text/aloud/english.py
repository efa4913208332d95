"""English: ordinals, years, decades, dates, feet and inches, streets and saints. In numbers the month comes first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.dates import possible
from lowvox.text.aloud.grammar import NOWHERE, Grammar
from lowvox.text.aloud.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.numerals import Numeral
    from lowvox.text.aloud.place import Rule

_MADE_OF = "bill|note|coin|fine|prize|ticket|budget|deal|loan|gift|reward|check|donation|discount|bonus"
_SHARES = {2: ("half", "halves"), 4: ("quarter", "quarters")}


class English(Grammar):
    """English."""

    code = "en"

    def rules(self) -> Sequence[Rule]:
        """Return ordinals, decades, dates with months in words, and what depends on the words around."""
        month = self.month
        return (
            (
                re.compile(
                    rf"(?<!\w){month}\s(\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(\d{{1,2}}))?(?:(,?)\s(\d{{4}}))?(?![\w:]|[.,]\d)"
                ),
                self._month_day,
            ),
            (
                re.compile(
                    rf"(?<![\w.,])(the\s)?(\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?{month}(?:,?\s(\d{{4}}))?(?![\w:])"
                ),
                self._day_month,
            ),
            (
                re.compile(rf"(?<!\w){month}\s(\d{{4}})(?!\w)"),
                lambda found: f"{self._month(found[1])} {self.year(int(found[2]))}",
            ),
            (re.compile(r"(?i)\b(on|by|until|since|from|before|after|to)\s(\d{1,2})/(\d{1,2})(?![\d/])"), self._short),
            (
                re.compile(r"(?i)(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b"),
                lambda found: self._ordinal(found[1]),
            ),
            (re.compile(r"(?<![\w.,])['’]?(\d0|\d{3}0)['’]?s\b"), lambda found: self._decade(int(found[1]))),
            (re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d{3,9})s\b"), self._several),
            (re.compile(r"(?<![\w/.,])9/11(?![\w/]|[.,]\d)"), lambda _: "nine eleven"),
            (re.compile(r"(?<!\w)['’](\d\d)(?![\w'’])"), lambda found: self.plain(found[1])),
            (
                re.compile(r"(\d+)\s?['’′]\s?(\d{1,2})(?:\"|”|″|'')"),
                lambda found: f"{self.whole(int(found[1]))} foot {self.whole(int(found[2]))}",
            ),
            (re.compile(rf"\$(\d{{1,9}})\s(?={_MADE_OF})"), lambda found: f"{self.whole(int(found[1]))} dollar "),
            (re.compile(r"\bSt\.(?=\s?)"), self._saint),
            (re.compile(r"(?<=[A-Z][a-z]\s)Dr\.|(?<=[a-z]\s)Dr\.(?=\s?$|\s[a-z])"), self._drive),
            (re.compile(r"\b(Act|Scene|page|chapter|part)\s([ivx]{1,4})\b"), self._small_roman),
        )

    def bare(self, numeral: Numeral, place: Place) -> str:
        """Return a number; four digits are a year unless they count what follows."""
        alone = len(numeral.written) == 4 and not (numeral.fraction or numeral.grouped) and 1000 <= numeral.whole < 2100
        if alone and (
            place.last in self.tables.lists["before_year"] or (numeral.whole > 1099 and not self._counts(place))
        ):
            return self.year(numeral.whole)
        return super().bare(numeral, place)

    def year(self, number: int) -> str:
        """Return a year: nineteen oh five."""
        return super().year(number).replace("-", " ") if number < 2000 else super().year(number)

    def roman(self, number: int, place: Place, written: str) -> str:
        """Return the ordinal behind a ruler's name, the number behind what is numbered."""
        if place.last in self.tables.lists["numbered"]:
            return self.whole(number).capitalize()
        if place.last in self.tables.lists["regal"] and (len(written) > 1 or place.ends() or place.next == "of"):
            return f"the {self.speller.ordinal(number).capitalize()}"
        named = re.search(r"[A-Z][a-z]+\s$", place.before)
        return self.whole(number) if named and len(written) > 1 and number < 50 else ""

    def share(self, part: int, of: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a fraction: three quarters."""
        one, many = _SHARES.get(of) or (self.speller.ordinal(of), f"{self.speller.ordinal(of)}s")
        return f"{self.whole(part)} {one if part == 1 else many}"

    def mixed(self, whole: int, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a whole number with a fraction: two and a half."""
        said = "a half" if (part, of) == (1, 2) else self.share(part, of, place)
        return f"{self.whole(whole)} and {said}"

    def date(self, day: int, month: int, year: int | None, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a date: May third, twenty twenty."""
        said = f"{self.tables.months[month - 1]} {self.speller.ordinal(day)}"
        return f"{said}, {self.year(year)}" if year else said

    def clock(self, hour: int, minute: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a time: nine oh five."""
        if not minute:
            return f"{self.whole(hour)} o'clock"
        return f"{self.whole(hour)} {'oh ' if minute < 10 else ''}{self.whole(minute)}"

    def ratio(self, first: str, second: str, place: Place) -> str:
        """Return a ratio; a screen is sixteen by nine."""
        word = "by" if place.next in ("screen", "aspect", "display", "format", "video") else self.words["ratio"]
        return f"{self.plain(first)} {word} {self.plain(second)}"

    def _ordinal(self, written: str) -> str:
        number = int(written.replace(",", ""))
        said = self.speller.ordinal(number)
        return said.removeprefix("one ") if number == 100 else said

    def _decade(self, number: int) -> str:
        said = self.year(number) if number > 99 else self.whole(number)
        return said[:-1] + "ies" if said.endswith("y") else f"{said}s"

    def _several(self, found: re.Match[str]) -> str:
        """Say `1,000s` or `747s`."""
        said = self.whole(int(found[1].replace(",", ""))).removeprefix("one ")
        return said[:-1] + "ies" if said.endswith("y") else f"{said}s"

    def _month(self, name: str) -> str:
        return self.tables.months[self.month_number(name) - 1]

    def _month_day(self, found: re.Match[str]) -> str:
        """Say `May 3, 2020` or `May 3-5`."""
        said = f"{self._month(found[1])} {self._ordinal(found[2])}"
        if found[3]:
            said += f" to {self._ordinal(found[3])}"
        return f"{said}, {self.year(int(found[5]))}" if found[5] else said

    def _day_month(self, found: re.Match[str]) -> str:
        """Say `3 May 2020` as a day of a month."""
        if not 1 <= int(found[2]) <= 31:
            return found[0]
        said = f"the {self._ordinal(found[2])} of {self._month(found[3])}"
        return f"{said} {self.year(int(found[4]))}" if found[4] else said

    def _short(self, found: re.Match[str]) -> str:
        """Say `on 6/30`, where there is such a day and it is no fraction."""
        month, day = int(found[2]), int(found[3])
        return f"{found[1]} {self.date(day, month, None)}" if possible(day, month) and day > 12 else found[0]

    def _saint(self, found: re.Match[str]) -> str:
        """Tell a saint from a street by the words around."""
        place = Place.of(found)
        street = re.search(r"(?:[A-Z][a-z]+|\d(?:st|nd|rd|th)|[a-z](?:st|nd|rd|th))\s$", place.before)
        if re.match(r"\s[A-Z]", place.after) and not street:
            return "Saint"
        return "Street" + "." * (not place.after.strip())

    def _drive(self, found: re.Match[str]) -> str:
        """Tell a drive from a doctor: a drive has a name before it and none behind."""
        place = Place.of(found)
        if re.match(r"\s[A-Z]", place.after):
            return found[0]
        return "Drive" + "." * (found.end() < len(found.string) and not place.after.strip())

    def _small_roman(self, found: re.Match[str]) -> str:
        from lowvox.text.aloud.romans import value

        return f"{found[1]} {self.whole(value(found[2].upper())).capitalize()}"

    def _counts(self, place: Place) -> bool:
        """Whether a number counts the word behind it."""
        noun = place.next
        many = noun in self.tables.lists["many"] or (noun.endswith("s") and noun not in ("was", "is", "has"))
        return noun.islower() and many
