"""Russian days and years: their ordinals in the case that prepositions and the word for year ask for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.dates import possible
from lowvox.text.aloud.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.place import Rule
    from lowvox.text.aloud.russian import Russian

_WORD = r"(гг\.?|г\.\s?г\.|г\.|год(?:а|у|ом|е|ы|ов|ах)?\b)"
_YEAR = rf"(?<![\w.,-])(?:(\d{{2,4}})\s?(?:--|[-–—])\s?)?(\d{{1,4}})(?:-?(?:й|го|м))?\s?{_WORD}"
_GRAMS = 1000  # so many, cut short, are grams
_AGE = 200  # so many years are an age and no date


class Calendar:
    """The rules for days and years; the words are the grammar's."""

    def __init__(self, grammar: Russian) -> None:
        self._grammar = grammar
        self._names = grammar.tables.months

    def rules(self) -> Sequence[Rule]:
        """Return the rules, in order."""
        month = self._grammar.month
        year = r"(?:\s(\d{4})(?:\s(?:года|г\.)|(?!\d|\s?г)))?"
        days = r"(?<![\w.,])(?:(\d{1,2})\s?(?:[-–—]|по|до|и)\s?)?(\d{1,2})\s"
        alone = r"(1\d{3}|20\d\d)"
        return (
            (re.compile(days + month + year), self._day_month),
            (re.compile(r"(?<=[а-я])(ый|ой|ий|ом|го|му)\s(вв?)\."), _century),
            (re.compile(rf"(?i)\b(с)\s{alone}(?=\s(?:по|до)\s\d{{4}})"), self._bare_year),
            (re.compile(_YEAR), self._year),
            (re.compile(rf"(?i)\b(в|с|до|от|после|к|по|около)\s{alone}(?=[.,;:!?)]|\s?$)"), self._bare_year),
        )

    def date(self, day: int, month: int, year: int | None, place: Place) -> str:
        """Return a date: третьего мая; a year is said with its word, whether that was written or not."""
        said = f"{self.day(day, place)} {self._names[month - 1]}"
        return f"{said} {self._of_year(year)} года" if year else said

    def day(self, day: int, place: Place) -> str:
        """Return a day of a month, in the case that the word before it asks for."""
        case = {"на": "", "по": "", "к": "-dative", "ко": "-dative"}.get(place.last, "-genitive")
        return self._grammar.ordinal(day, f"neuter{case}")

    def _day_month(self, found: re.Match[str]) -> str:
        """Say `3 мая 2020 года`, or the two days of `с 1 по 5 мая`."""
        place, day = Place.of(found), int(found[2])
        if not (possible(day, self._grammar.month_number(found[3])) and (found[1] is None or 0 < int(found[1]) < 32)):
            return found[0]
        joint = re.search(r"по|до|и", found[0][: found.start(2) - found.start()])
        said = self.day(day, Place(f"{joint[0]} ") if joint and joint[0] == "по" else place)
        if found[1]:
            said = " ".join(filter(None, (self.day(int(found[1]), place), joint[0] if joint else "", said)))
        said += f" {self._names[self._grammar.month_number(found[3]) - 1]}"
        return f"{said} {self._of_year(int(found[4]))} года" if found[4] else said

    def _of_year(self, year: int) -> str:
        return self._grammar.ordinal(year, "masculine-genitive")

    def _year(self, found: re.Match[str]) -> str:
        """Say a year or two before год in any form or cut short; a small number of years is an age."""
        number, word, place = int(found[2]), found[3], Place.of(found)
        era = re.match(r"\s(?:до\s)?н\.?\s?э", place.after)
        if number < (_GRAMS if word == "г." else _AGE) and not era and not found[1]:
            return found[0]
        form, said = self._year_form(word, place)
        first = f"{self._grammar.ordinal(int(found[1]), form)} " if found[1] else ""
        end = "." if word.endswith(".") and not place.after.strip() else ""
        return f"{first}{self._grammar.ordinal(number, form)} {said}{end}"

    def _year_form(self, word: str, place: Place) -> tuple[str, str]:
        """Return the form of a year's ordinal, and its word in full."""
        before = place.last
        if not word.endswith("."):
            case = {"года": "-genitive", "годом": "-ablative", "годе": "-locative"}.get(word, "")
            if word == "году":
                case = "-dative" if before in ("к", "ко", "по", "благодаря") else "-locative"
            return f"masculine{case}", "годы" if word.startswith("гг") else word
        if word.startswith(("гг", "г. г", "г.г")):
            return "masculine", "годы"
        if before in ("в", "во", "о"):
            return "masculine-locative", "году"
        if before in ("к", "ко"):
            return "masculine-dative", "году"
        genitive = before in ("с", "до", "от", "после", "около") or before in self._names
        return ("masculine-genitive", "года") if genitive else ("masculine", "год")

    def _bare_year(self, found: re.Match[str]) -> str:
        """Say a year that has no word behind it, in the case of the preposition."""
        before = found[1].lower()
        case = {"в": "-locative", "к": "-dative", "по": ""}.get(before, "-genitive")
        return f"{found[1]} {self._grammar.ordinal(int(found[2]), f'masculine{case}')}"


def _century(found: re.Match[str]) -> str:
    """Say в. or вв. behind the ordinal of a century."""
    if found[2] == "вв":
        return f"{found[1]} века"
    return f"{found[1]} {({'ом': 'веке', 'го': 'века', 'му': 'веку'}).get(found[1], 'век')}"
