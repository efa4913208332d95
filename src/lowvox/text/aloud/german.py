"""German: ordinals and their endings, one and its genders, years, the clock. Genders by endings and a short list."""

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

_BEFORE_DER = r"\b(?:in|an|auf|mit|von|zu|aus|nach|bei|seit|unter|vor|über|während|wegen|trotz)\s(?:der|die)\s$"
_FEMININE = re.compile(r"(?:ung|heit|keit|schaft|ion|tät|ik|ur|enz|anz|ei|[^m]e)$")


class German(Grammar):
    """German."""

    code = "de"

    def rules(self) -> Sequence[Rule]:
        """Return dates with months in words, ordinals, decades and numbers inside words."""
        month = self.month
        return (
            (re.compile(rf"(?<![\w.,])(\d{{1,2}})\.\s?{month}(?:\s(\d{{4}}))?(?!\w)"), self._day_month),
            (
                re.compile(rf"(?<!\w){month}\s(\d{{4}})(?!\w)"),
                lambda found: f"{self._month(found[1])} {self.year(int(found[2]))}",
            ),
            (re.compile(r"(?<=[a-zäöüß])str\.(?=\s|$)"), lambda _: "straße"),
            (re.compile(r"(?<=\d) : (?=\d)"), lambda _: " ÷ "),
            (re.compile(r"(?<=\d)-(?=(?:mm|cm|m|km|kg|g|l|GB|V|W)-[A-ZÄÖÜ])"), lambda _: " "),
            (re.compile(r"(?<![\w.,])(\d{1,2})\.(\d{1,2})\.(?!\d)"), self._day),
            (
                re.compile(r"(?<![\w.,/-])(\d{1,3}(?:\.\d{3})+|\d{1,4})\.(?=\s(?:\d{1,2}\.\s)?[^\W\d_]|\s\()"),
                self._ordinal,
            ),
            (
                re.compile(r"(?<![\w.,])['’]?(\d{2,4})er(n?)\b"),
                lambda found: f"{self._compact(int(found[1]))}er{found[2]}",
            ),
            (re.compile(r"(?<![\w.,])(\d{1,4})\s?%ig"), lambda found: f"{self._compact(int(found[1]))}prozentig"),
            (
                re.compile(r"(?<![\w.,])(\d{1,4})-?(fach|mal|jährig|stündig|tägig|köpfig|teilig|stöckig|prozentig)"),
                self._joined,
            ),
        )

    def times(self) -> Sequence[Rule]:
        """Return times before the word Uhr."""
        return (
            (
                re.compile(r"(?<![\w:.,])(\d{1,2})[.:]([0-5]\d)\sUhr\b"),
                lambda found: self.clock(int(found[1]), int(found[2])),
            ),
            (re.compile(r"(?<![\w:.,-])1(?=\sUhr\b)"), lambda _: "ein"),
        )

    def whole(self, number: int, gender: str = "", place: Place = NOWHERE) -> str:
        """Return a number; one agrees with its noun: ein, eine, einer."""
        if number == 1 and gender:
            dative = place.last in self.tables.lists["dative"]
            return {"f": "einer" if dative else "eine"}.get(gender, "einem" if dative else "ein")
        return self.speller.cardinal(number)

    def bare(self, numeral: Numeral, place: Place) -> str:
        """Return a number; four digits before no noun are a year, a noun behind one gives it its gender."""
        noun = place.next if re.match(r"\s[A-ZÄÖÜ]", place.after) else ""
        alone = len(numeral.written) == 4 and not (numeral.fraction or numeral.grouped) and 1100 <= numeral.whole < 2100
        if alone and (not noun or place.last in self.tables.lists["before_year"]):
            return self.year(numeral.whole)
        return self.number(numeral, self._gender(noun) if noun and numeral.one else "", place)

    def roman(self, number: int, place: Place, written: str) -> str:
        """Return the ordinal of a ruler or a century, the number of a chapter."""
        if place.before.endswith("-"):
            joined = re.search(r"([^\W\d_]+)-$", place.before)
            return self.whole(number) if joined and joined[1].lower() in self.tables.lists["numbered"] else ""
        if place.next in ("Jahrhundert", "Jahrhunderts") and written.endswith("."):
            return self.speller.ordinal(number, "n" if self._weak(place) else "")
        if place.last in self.tables.lists["numbered"]:
            return self.whole(number) + "." * written.endswith(".")
        named = re.search(r"[A-ZÄÖÜ][a-zäöüß]{2,}\s$", place.before) and len(written) > 2 and not place.ends()
        if written.endswith(".") and (place.last in self.tables.lists["regal"] or named):
            return self._ruler(number, place)
        return ""

    def share(self, part: int, of: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a fraction: drei Viertel."""
        if of == 2:
            return f"{self.whole(part, 'n')} halb"
        named = self.speller.ordinal(of).removesuffix("e").removeprefix("ein" if of in (100, 1000) else "")
        return f"{self.whole(part, 'n')} {named.capitalize()}el"

    def mixed(self, whole: int, part: int, of: int, place: Place = NOWHERE) -> str:
        """Return a whole number with a fraction: zweieinhalb."""
        if (part, of) == (1, 2):
            return f"{self.whole(whole, 'n')}einhalb"
        return f"{self.whole(whole)} {self.share(part, of, place)}"

    def date(self, day: int, month: int, year: int | None, place: Place = NOWHERE) -> str:
        """Return a date: dritten Mai zweitausendzwanzig."""
        said = f"{self._ending(day, place, 'm')} {self.tables.months[month - 1]}"
        return f"{said} {self.year(year)}" if year else said

    def clock(self, hour: int, minute: int, place: Place = NOWHERE) -> str:  # noqa: ARG002
        """Return a time: siebzehn Uhr dreißig."""
        said = f"{'ein' if hour == 1 else self.whole(hour)} Uhr"
        return f"{said} {self.whole(minute)}" if minute else said

    def span(self, hours: int, minutes: int, seconds: int) -> str:
        """Return a length of time."""
        parts = ((hours, "Stunde", "n"), (minutes, "Minute", "n"), (seconds, "Sekunde", "n"))
        return " ".join(f"{self.whole(n, 'f')} {unit}{end if n != 1 else ''}" for n, unit, end in parts)

    def _ruler(self, number: int, place: Place) -> str:
        """Return der Vierzehnte, in the case that the words before the name give."""
        before = re.sub(r"[^\W\d_]+\s?$", "", place.before)
        name, prior = place.last, Place(before).last
        if name.endswith("s") and name != "johannes":
            return f"des {self.speller.ordinal(number, 'n').capitalize()}"
        if prior in ("unter", "von", "mit", "bei", "nach", "zu", "seit", "vor", "gegenüber", "aus"):
            return f"dem {self.speller.ordinal(number, 'n').capitalize()}"
        queen = name in ("elisabeth", "katharina", "margarethe", "maria", "victoria", "viktoria", "isabella")
        return f"{'die' if queen else 'der'} {self.speller.ordinal(number).capitalize()}"

    def _gender(self, noun: str) -> str:
        word = noun.lower()
        lists = self.tables.lists
        if word in lists["feminine"]:
            return "f"
        if word in lists["neuter"] or word.endswith(("chen", "lein", "ment", "um")):
            return "n"
        return "f" if _FEMININE.search(word) else "m"

    def _weak(self, place: Place) -> bool:
        """Whether an ordinal there ends in -en."""
        return place.last in self.tables.lists["weak"] or bool(re.search(_BEFORE_DER, place.before))

    def _ending(self, number: int, place: Place, gender: str) -> str:
        """Return an ordinal with the ending that the word before it asks for."""
        if self._weak(place) or re.search(r"(?:ten|\d\.)\s(?:bis|und|oder)\s(?:zum\s)?$", place.before):
            return self.speller.ordinal(number, "n")
        if place.last in ("der", "die", "das", "diese", "jede", "erste") or gender == "f":
            return self.speller.ordinal(number)
        return self.speller.ordinal(number, "s" if gender == "n" else "r")

    def _ordinal(self, found: re.Match[str]) -> str:
        """Say `3.` before what it counts."""
        place = Place.of(found)
        gender = self._gender(next((word for word in place.following if word[0].isupper()), ""))
        if re.match(r"\s(?:bis|und|oder|[-–])\s(?:zum\s)?\d", place.after) and place.last in (
            "vom",
            "am",
            "zum",
            "im",
            "der",
        ):
            return self.speller.ordinal(int(found[1].replace(".", "")), "n")
        return self._ending(int(found[1].replace(".", "")), place, gender)

    def _day_month(self, found: re.Match[str]) -> str:
        said = f"{self._ending(int(found[1]), Place.of(found), 'm')} {self._month(found[2])}"
        return f"{said} {self.year(int(found[3]))}" if found[3] else said

    def _day(self, found: re.Match[str]) -> str:
        """Say `24.12.` where there is such a day."""
        day, month = int(found[1]), int(found[2])
        return self.date(day, month, None, Place.of(found)) if possible(day, month) else found[0]

    def _month(self, name: str) -> str:
        return self.tables.months[self.month_number(name) - 1]

    def _compact(self, number: int) -> str:
        """Return a number as the beginning of a word."""
        said = self.year(number) if number > 1099 else self.whole(number)
        return said.removeprefix("ein") if number == 100 else said

    def _joined(self, found: re.Match[str]) -> str:
        return ("ein" if found[1] == "1" else self._compact(int(found[1]))) + found[2]
