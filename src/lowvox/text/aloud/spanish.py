"""Spanish: genders and short forms, ordinals, kings and centuries, the clock. Genders by endings and a short list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.dates import possible
from lowvox.text.aloud.grammar import NOWHERE, Grammar
from lowvox.text.aloud.place import Place, any_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.numerals import Numeral
    from lowvox.text.aloud.place import Rule
    from lowvox.text.aloud.tables import Noun

_FEMININE = re.compile(r"(?:as?|ión|iones|dad|dades|tad|tades|tud|umbre|ez|eces)$")
_ORDINAL = r"(?<![\w.,])(\d{1,4})(?:\.?\s?([ºª])|\.?(er|ra|ro|do|da|to|ta|mo|ma|vo|va|no|na|os|as)\b|\.(°))"
_PLURAL = ("os", "as")


class Spanish(Grammar):
    """Spanish."""

    code = "es"

    def rules(self) -> Sequence[Rule]:
        """Return ordinals, days without a year, and months that are cut short."""
        short = any_of(self.tables.months_short)
        return (
            (re.compile(_ORDINAL), self._ordinal),
            (re.compile(r"(?<!\w)D\.(?=\s[A-ZÁÉÍÓÚÑ][a-záéíóúñ])"), self._don),
            (
                re.compile(rf"(?<=\d de )({short})\.?(?!\w)"),
                lambda found: self.tables.months[self.tables.months_short[found[1]] - 1],
            ),
            (re.compile(r"(?i)\b(del?|el|día|al|desde|hasta)\s(\d{1,2})/(\d{1,2})(?![\d/])"), self._day),
        )

    def times(self) -> Sequence[Rule]:
        """Return times with a point, or with an h behind them."""
        return (
            (
                re.compile(r"(?<![\w:.,])(\d{1,2})[.:]([0-5]\d)\s?h(?:s|rs|oras)?\b\.?"),
                lambda found: self.clock(int(found[1]), int(found[2])),
            ),
        )

    def whole(self, number: int, gender: str = "", place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a number in its noun's gender: un, una, veintiún, doscientas."""
        forms = {"m": "masculine", "f": "feminine"}
        said = self.speller.cardinal(number, forms.get(gender, ""))
        # CLDR has the hundreds of thousands in the masculine alone.
        return re.sub(r"(?<=ient)os(?=.*mil)", "as", said) if gender == "f" and number < 1_000_000 else said

    def bare(self, numeral: Numeral, place: Place) -> str:
        """Return a number in the gender of the word behind it."""
        year = len(numeral.written) == 4 and place.last in self.tables.lists["before_year"]
        return self.number(numeral, "" if year else self._gender(place), place)

    def behind(self, fraction: str) -> str:
        """Return the digits behind the comma, two of them as one number."""
        return self.plain(fraction) if len(fraction) == 2 else super().behind(fraction)

    def scaled(self, numeral: Numeral, scale: Noun, noun: Noun | None, place: Place = NOWHERE) -> str:
        """Return millions, of euros."""
        said = self.counted(numeral, scale, place)
        return (
            f"{said} de {noun.forms[-1]}"
            if noun and scale.gender
            else f"{said} {noun.forms[-1] if noun else ''}".rstrip()
        )

    def counted(self, numeral: Numeral, noun: Noun, place: Place = NOWHERE) -> str:
        """Return a number with what it counts; even millions need a de."""
        if not numeral.fraction and numeral.whole and numeral.whole % 1_000_000 == 0:
            return f"{self.whole(numeral.whole, 'm')} de {noun.forms[-1]}"
        return super().counted(numeral, noun, place)

    def roman(self, number: int, place: Place, written: str) -> str:
        """Return the number of a century or chapter, the ordinal of an early king."""
        if place.last in ("siglo", "siglos", "s") or re.search(r"siglos? [^\d.]{1,12} y $", place.before):
            return self.whole(number)
        if place.last in self.tables.lists["numbered"]:
            return self.whole(number)
        if place.last in self.tables.lists["regal"] and (
            len(written) > 1 or place.ends() or place.next.islower() or written in "VX"
        ):
            feminine = place.last in ("isabel", "catalina", "maría", "margarita")
            return (
                self.speller.ordinal(number, "feminine" if feminine else "masculine")
                if number <= 10
                else self.whole(number)
            )
        if len(written) > 1 and re.search(r"[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{2,}\s$", place.before):
            return self.speller.ordinal(number, "masculine") if number <= 10 else self.whole(number)
        if re.match(r"\s[A-ZÁÉÍÓÚÑ]", place.after) and place.last in ("el", "la", "del", "al", "los", "las"):
            gender = "feminine" if place.last in ("la", "las") else "masculine"
            return self.speller.ordinal(number, gender)
        return ""

    def share(self, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a fraction: medio, dos tercios, siete veinteavos."""
        if of == 2:
            return "media" if self._gender(place) == "f" else "medio"
        if of in (3, 10, 100, 1000) or of < 10:
            one = "tercio" if of == 3 else self.speller.ordinal(of, "masculine")
        else:
            one = f"{self.whole(of).replace(' ', '').removesuffix('e').removesuffix('a').removesuffix('o')}avo"
            one = one.replace("veintavo", "veinteavo")
        return f"{self.whole(part, 'm')} {one}{'s' if part > 1 else ''}"

    def mixed(self, whole: int, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a whole number with a fraction."""
        return f"{self.whole(whole, self._gender(place))} y {self.share(part, of, place)}"

    def date(self, day: int, month: int, year: int | None, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a date: tres de mayo de dos mil veinte."""
        said = f"{self.whole(day)} de {self.tables.months[month - 1]}"
        return f"{said} de {self.year(year)}" if year else said

    def clock(self, hour: int, minute: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a time: la una y media, diecisiete treinta."""
        said = self.hour(hour)
        if minute == 30 and hour <= 12:
            return f"{said} y media"
        if not minute:
            return said
        return f"{said} {'y ' if minute < 10 else ''}{self.whole(minute)}"

    def hour(self, hour: int) -> str:
        """Return an hour, which is feminine."""
        return self.whole(hour, "f")

    def span(self, hours: int, minutes: int, seconds: int) -> str:
        """Return a length of time."""
        parts = ((hours, "hora", "f"), (minutes, "minuto", "m"), (seconds, "segundo", "m"))
        return " ".join(f"{self.whole(n, gender)} {unit}{'s' if n != 1 else ''}" for n, unit, gender in parts)

    def _gender(self, place: Place) -> str:
        """Return the gender of what a number counts, "" where the next word is no noun."""
        noun = place.next
        if not noun.islower() or noun in self.tables.lists["no_noun"] or not re.match(r"\s", place.after):
            return ""
        if noun in self.tables.lists["feminine"]:
            return "f"
        if noun in self.tables.lists["masculine"]:
            return "m"
        return "f" if _FEMININE.search(noun) else "m"

    def _ordinal(self, found: re.Match[str]) -> str:
        """Say `1.º` or `3er`, short before a noun: primer, tercer."""
        ending, place = found[2] or found[3] or "º", Place.of(found)
        feminine = ending == "ª" or ending.endswith("a") or ending == "as"
        if ending in _PLURAL:
            return self.speller.ordinal(int(found[1]), "feminine-plural" if feminine else "masculine-plural")
        if feminine:
            return self.speller.ordinal(int(found[1]), "feminine")
        short = ending == "er" or self._gender(place) == "m"
        return self.speller.ordinal(int(found[1]), "masculine-adjective" if short else "masculine")

    def _don(self, found: re.Match[str]) -> str:
        """Tell don from an initial, which has a name before it."""
        return found[0] if re.search(r"[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+\s$", Place.of(found).before) else "don"

    def _day(self, found: re.Match[str]) -> str:
        day, month = int(found[2]), int(found[3])
        return f"{found[1]} {self.date(day, month, None)}" if possible(day, month) else found[0]
