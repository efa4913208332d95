"""Numbers alone and with what they count: units, money, percent, ranges. Knows no grammar."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.numerals import SPACE, Numeral, pattern, read
from lowvox.text.aloud.place import Place, any_of, apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule
    from lowvox.text.aloud.tables import Noun

# Also words or letters of their own: taken for a unit only where no other word follows.
_WARY = frozenset({"in", "s", "t", "с", "a"})
_MINUS = "-−–"
_TO = r"(?:[-–—−]|\s(?:--|[-–—−])\s)"
_YEARS = re.compile(r"(?:1\d{3}|20\d{2})(?:\d{2}|\d{4})")


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for numbers, in order."""
    number = pattern(grammar.tables.decimal)
    dot = f" {grammar.words['dot']} "
    return (
        (_quantity(grammar, number), partial(_said, grammar)),
        (re.compile(r"(?<=[^\W\d_])\.(?=\d)"), lambda _: dot),
        (re.compile(r"\d+"), lambda found: apart(found, grammar.plain(found[0]))),
    )


def _quantity(grammar: Grammar, number: str) -> re.Pattern[str]:
    """Return the pattern of sign, currency, number, range, scale and unit, of which only the number must be there."""
    tables = grammar.tables
    money, units = any_of(tables.currencies), any_of([*tables.units, *tables.currencies])
    scales, per = any_of([*tables.scales, *tables.money_scales]), any_of(tables.units)
    return re.compile(
        rf"(?:(?<=[^\W\d_])(?P<joint>[-–]?)|(?<![\w.,-])(?P<sign>[+±~≈−–-]){SPACE}?)?"
        rf"(?:(?<!\w)(?P<money>{money}){SPACE}?)?(?P<first>{number})"
        rf"(?:{_TO}(?:{money})?(?P<last>{number})(?!\w*[-/.]\d))?"
        rf"(?:,[-–—]{{1,2}})?"
        rf"(?:{SPACE}?(?P<scale>{scales})(?![^\W_]|/))?"
        rf"(?:{SPACE}?(?:de )?(?P<unit>{units})(?![^\W_]))?(?:/(?P<per>{per})(?![^\W_]))?"
    )


def _said(grammar: Grammar, found: re.Match[str]) -> str:
    """Say a number with all that stands around it."""
    place = Place.of(found)
    first = read(found["first"], grammar.tables.decimal)
    last = read(found["last"], grammar.tables.decimal) if found["last"] else None
    scale, unit, rest = _counted(grammar, found)
    sign = _sign(grammar, found["sign"])
    if last and not (sign or unit or scale) and place.last in grammar.tables.lists["scores"]:
        return apart(found, grammar.ratio(first.written, last.written, place))
    if last and (first == last or re.search(r"\d[-–]$", place.before)):  # 50-50, 90-60-90
        return apart(found, f"{grammar.number(first)} {grammar.number(last)}")
    lower = f"{_lower(grammar, first, last, unit, place)} " if last else ""
    if last:
        place = Place(f"{place.before}{grammar.words['to']} ", place.after)
    amount = _amount(grammar, last or first, scale, unit, place)
    per = f" {grammar.words['per']} {grammar.tables.units[found['per']].forms[0]}" if found["per"] else ""
    return apart(found, f"{sign}{lower}{amount}{rest}{per}")


def _lower(grammar: Grammar, first: Numeral, last: Numeral, unit: Noun | None, place: Place) -> str:
    """Return the first number of a range and what is between the two; years may be such a range."""
    if _YEARS.fullmatch(first.written + last.written):
        said = grammar.year(first.whole)
    else:
        said = grammar.number(first, unit.gender if unit else "", place)
    return f"{said} {grammar.words['to']}".rstrip()


def _amount(grammar: Grammar, numeral: Numeral, scale: Noun | None, unit: Noun | None, place: Place) -> str:
    """Say one number with its scale and unit."""
    if scale:
        return grammar.scaled(numeral, scale, unit, place)
    if unit is None:
        return grammar.bare(numeral, place)
    if unit.part and len(numeral.fraction) == 2:
        return _price(grammar, numeral, unit, unit.part, place)
    return grammar.counted(numeral, unit, place)


def _price(grammar: Grammar, numeral: Numeral, unit: Noun, part: Noun, place: Place) -> str:
    """Say a price with its hundredths."""
    hundredths = int(numeral.fraction)
    whole = grammar.counted(Numeral(numeral.whole, "", numeral.written), unit, place)
    if not hundredths:
        return whole
    rest = grammar.counted(Numeral(hundredths, "", str(hundredths)), part, place)
    return grammar.money(whole, rest) if numeral.whole else rest


def _counted(grammar: Grammar, found: re.Match[str]) -> tuple[Noun | None, Noun | None, str]:
    """Return scale and unit, and what the pattern took for one and is none."""
    tables = grammar.tables
    unit, rest = _unit(grammar, found)
    written = found["scale"] or ""
    scale = tables.scales.get(written) or tables.money_scales.get(written)
    # "5m" is five million only where it is money, but "50k" is a price in Vietnamese.
    attached = written == "M" and found.string[found.start("scale") - 1].isdigit()
    if written in tables.money_scales and not (found["money"] or unit or attached or grammar.code == "vi"):
        metres = tables.units.get(written)
        return None, metres or unit, rest if metres else f" {written}{rest}"
    return scale, unit, rest


def _unit(grammar: Grammar, found: re.Match[str]) -> tuple[Noun | None, str]:
    """Return what is counted, and what was taken for a unit and is none."""
    tables, written = grammar.tables, found["unit"]
    if found["money"]:
        return _entry(tables.currencies, found["money"]), f" {written}" if written else ""
    if not written:
        return None, ""
    gap = found.string[found.start("unit") - 1].isspace()
    if written in _WARY and gap and re.match(r"\s+[^\W_]", found.string[found.end() : found.end() + 9]):
        return None, f" {written}"
    return _entry(tables.units | tables.currencies, written), ""


def _entry(table: Mapping[str, Noun], written: str) -> Noun:
    """Return the entry of a text that may have other spaces than the table, or none."""
    if written in table:
        return table[written]
    bare = re.sub(r"\s", "", written)
    return next(noun for key, noun in table.items() if key.replace(" ", "") == bare)


def _sign(grammar: Grammar, sign: str | None) -> str:
    if not sign:
        return ""
    return f"{grammar.words['minus'] if sign in _MINUS else grammar.tables.signs[sign]} "
