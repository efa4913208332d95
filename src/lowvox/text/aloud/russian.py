"""Russian: numbers in the case and gender of what they count. Both are guessed from the words around.

Knows no dictionary: a preposition and the ending of the noun behind a number tell enough for most sentences.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.grammar import NOWHERE, Grammar
from lowvox.text.aloud.place import Place
from lowvox.text.aloud.russian_calendar import Calendar
from lowvox.text.aloud.russian_cases import case_of, gender_of, plural, shift, suffix
from lowvox.text.aloud.russian_romans import ordinal_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.numerals import Numeral
    from lowvox.text.aloud.place import Rule
    from lowvox.text.aloud.tables import Noun

_HOUR_CASES = dict.fromkeys(("с", "до", "от", "после", "около"), "genitive") | {"к": "dative"}
_PARTS = {1: "десят", 2: "сот", 3: "тысячн", 4: "десятитысячн", 5: "стотысячн", 6: "миллионн"}
_KINDS = "летн|процентн|этажн|метров|часов|дневн|кратн|миллионн|комнатн|местн"
_COMPOUND = rf"(?<!\w)(\d{{1,4}})-?(лети[еяюй]\w?|(?:{_KINDS})\w{{1,3}})\b"
_OWNER = "ого|его|а|я|ы|и|ой|ей"
_WHERE = "этаже|классе|курсе|ряду|месте|веке|туре|раунде|сезоне|канале|подъезде|томе|акте"
_ENDINGS = "ого|его|ому|ему|ыми|ими|ый|ий|ой|ая|яя|ое|ые|ие|ым|им|ых|их|ом|ем|ую|юю|го|му|ми|й|я|е|м|ю|х"


class Russian(Grammar):
    """Russian."""

    code = "ru"

    def __init__(self) -> None:
        super().__init__()
        self._calendar = Calendar(self)

    def rules(self) -> Sequence[Rule]:
        """Return dates with months in words, years, ordinals with endings and numbers inside words."""
        return (
            *self._calendar.rules(),
            (re.compile(rf"(?<!\w)им\.(?=\s(?:[А-ЯЁ]\.\s?){{0,2}}[А-ЯЁ][а-яё]+(?:{_OWNER})\b)"), lambda _: "имени"),
            (re.compile(_COMPOUND), self._compound),
            (re.compile(r"(?<![\w.,])(?:([234])-х|(\d{1,4})-ти)\b"), self._genitive),
            (
                re.compile(
                    rf"(?i)(?<=\b[нв][ао] )(\d{{1,3}})(?= (?:{_WHERE})\b)|(?<=\bв )(\d{{1,3}})(?= (?:{_WHERE})\b)"
                ),
                self._where,
            ),
            (
                re.compile(r"(?<![\w.,])(\d{1,4})\s?%-?(н\w{1,3})\b"),
                lambda found: f"{self._stem(int(found[1]))}процент{found[2]}",
            ),
            (re.compile(rf"(?<![\w.,])(\d{{1,9}})-({_ENDINGS})\b"), self._ordinal),
        )

    def times(self) -> Sequence[Rule]:
        """Return times with a point behind в."""
        return (
            (
                re.compile(r"(?i)(?<=\bв )(\d{1,2})\.([0-5]\d)(?![\w.]|\s(?:раз|м|км|кг|л|т|%))"),
                lambda found: self.clock(int(found[1]), int(found[2])),
            ),
        )

    def whole(self, number: int, gender: str = "", place: Place = NOWHERE, case: str = "") -> str:  # noqa: ARG002
        """Return a number in a gender and a case, which are those of its noun."""
        named = {"f": "feminine", "n": "neuter"}.get(gender, "masculine")
        return _with_dots(self.speller.cardinal(number, f"{named}-{case}" if case else named))

    def ordinal(self, number: int, form: str) -> str:
        """Return an ordinal; a year begins with тысяча, not with одна тысяча. CLDR has no ordinal of 200 to 900."""
        hundreds = number % 1000
        if hundreds > 100 and hundreds % 100 == 0:
            last = self.whole(hundreds // 100, "m", NOWHERE, "genitive") + self.speller.ordinal(100, form)
            return f"{self.whole(number - hundreds)} {last}".removeprefix("одна ") if number > 1000 else last
        said = _with_dots(self.speller.ordinal(number, form)).removeprefix("одна ")
        return re.sub("сороковой$", "сороковом", said) if form in ("masculine-locative", "neuter-locative") else said

    def number(self, numeral: Numeral, gender: str = "", place: Place = NOWHERE) -> str:
        """Return a number in the case that its place asks for; a decimal is wholes and parts."""
        case = case_of(numeral.whole, place)
        if numeral.fraction:
            return self._decimal(numeral, case)
        if len(numeral.written) > 15 or (numeral.written.startswith("0") and len(numeral.written) > 1):
            return self.speller.digits(numeral.written)
        return self.whole(numeral.whole, gender or gender_of(numeral.whole, place, case), place, case)

    def form(self, noun: Noun, numeral: Numeral, place: Place = NOWHERE) -> str:
        """Return the noun as the number before it asks for."""
        if numeral.fraction:
            return noun.forms[1]
        case = case_of(numeral.whole, Place(place.before))
        one = noun.forms[plural(numeral.whole)]
        return shift(noun, numeral.whole, case) if case else one

    def counted(self, numeral: Numeral, noun: Noun, place: Place = NOWHERE) -> str:
        """Return a number with what it counts; what follows the noun says nothing of the number's case."""
        here = Place(place.before)
        if numeral.whole == 1 and numeral.fraction == "5" and not case_of(5, here):
            return f"{'полторы' if noun.gender == 'f' else 'полтора'} {noun.forms[1]}"
        return f"{self.number(numeral, noun.gender, here)} {self.form(noun, numeral, here)}"

    def scaled(self, numeral: Numeral, scale: Noun, noun: Noun | None, place: Place = NOWHERE) -> str:
        """Return thousands or millions, of something."""
        return " ".join(filter(None, (self.counted(numeral, scale, place), noun.forms[2] if noun else "")))

    def money(self, whole: str, part: str) -> str:
        """Return a price of two parts."""
        return f"{whole} {part}"

    def ratio(self, first: str, second: str, place: Place) -> str:
        """Return a ratio; a score has no word between."""
        if place.last in self.tables.lists["scores"]:
            return f"{self.plain(first)} {self.plain(second)}"
        return f"{self.plain(first)} {self.words['ratio']} {self.whole(int(second), 'm', NOWHERE, 'dative')}"

    def roman(self, number: int, place: Place, written: str) -> str:
        """Return the ordinal of a century, ruler, chapter or war."""
        form = ordinal_form(place, len(written), self.tables.lists["numbered"])
        if not form:
            return ""
        said = self.ordinal(number, form)
        return said if place.next in ("век", "века", "веке") else said.capitalize()

    def share(self, part: int, of: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a fraction: две трети."""
        named = {3: ("треть", "трети", "третей"), 4: ("четверть", "четверти", "четвертей")}.get(of)
        if named:
            return f"{self.whole(part, 'f')} {named[plural(part)]}"
        one = part % 10 == 1 and part % 100 != 11
        return f"{self.whole(part, 'f')} {self.ordinal(of, 'feminine' if one else 'plural-genitive')}"

    def mixed(self, whole: int, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a whole number with a fraction: два с половиной."""
        if (part, of) == (1, 2):
            return "полтора" if whole == 1 else f"{self.whole(whole)} с половиной"
        return f"{self.whole(whole)} и {self.share(part, of, place)}"

    def date(self, day: int, month: int, year: int | None, place: Place = NOWHERE) -> str:
        """Return a date: третье мая; a year is said with its word, whether that was written or not."""
        return self._calendar.date(day, month, year, place)

    def clock(self, hour: int, minute: int, place: Place = NOWHERE) -> str:
        """Return a time: девять ноль пять."""
        case = _HOUR_CASES.get(place.last, "")
        if not minute:
            last = {"genitive": "часов", "dative": "часам"}.get(case, ("час", "часа", "часов")[plural(hour)])
            return f"{self.whole(hour, 'm', place, case)} {last}"
        return f"{self.whole(hour, 'm', place, case)} {'ноль ' if minute < 10 else ''}{self.whole(minute)}"

    def span(self, hours: int, minutes: int, seconds: int) -> str:
        """Return a length of time."""
        units = self.tables.units
        return " ".join(
            f"{self.whole(n, units[unit].gender)} {units[unit].forms[plural(n)]}"
            for n, unit in ((hours, "ч"), (minutes, "мин"), (seconds, "сек"))
        )

    def _decimal(self, numeral: Numeral, case: str) -> str:
        """Return wholes and tenths, or the digits one by one where there are many."""
        if len(numeral.fraction) > 6:
            return f"{self.whole(numeral.whole)} {self.words['point']} {self.speller.digits(numeral.fraction)}"
        genitive = "genitive" if case == "genitive" else ""
        whole = f"{self.whole(numeral.whole, 'f', NOWHERE, genitive)} {_parts('цел', numeral.whole, genitive)}"
        part = int(numeral.fraction)
        said = f"{self.whole(part, 'f', NOWHERE, genitive)} {_parts(_PARTS[len(numeral.fraction)], part, genitive)}"
        return f"{whole} {said}"

    def _ordinal(self, found: re.Match[str]) -> str:
        """Say `5-го` in the gender and case that its ending and its noun tell."""
        return self.ordinal(int(found[1]), suffix(found[2], Place.of(found), int(found[1])))

    def _genitive(self, found: re.Match[str]) -> str:
        return self.whole(int(found[1] or found[2]), "m", NOWHERE, "genitive")

    def _where(self, found: re.Match[str]) -> str:
        """Say which floor or class: behind a cardinal number these would be plural."""
        return self.ordinal(int(found[1] or found[2]), "masculine-locative")

    def _stem(self, number: int) -> str:
        """Return a number as the beginning of a word: пяти, сорока, сто."""
        if number in (90, 100):
            return self.whole(number)
        if number == 1:
            return "одно"
        return self.whole(number, "m", NOWHERE, "genitive").replace(" ", "")

    def _compound(self, found: re.Match[str]) -> str:
        return self._stem(int(found[1])) + found[2]


def _with_dots(said: str) -> str:
    """Put the dots on ё, which CLDR leaves out, and mend two of its forms."""
    said = re.sub(r"восемьдесят(?=[ыо])", "восьмидесят", said)
    said = re.sub(r"двадцать(?= одном$)", "двадцати", said)
    return re.sub(r"(?<=тр|ыр)е(?=х|м(?!я))|(?<=четв)е(?=рт)", "ё", said)


def _parts(stem: str, number: int, case: str) -> str:
    """Return tenths or wholes behind their number: десятая, десятых."""
    if number % 10 == 1 and number % 100 != 11:
        return stem + ("ой" if case else "ая")
    return f"{stem}ых"
