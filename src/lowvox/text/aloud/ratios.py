"""Numbers in a row: lists (1,2,3), versions (3.11.7), ratios (3:1), measures (3 x 4). Knows no grammar."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.numerals import SPACE
from lowvox.text.aloud.place import Place, any_of, apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_GROUPED = r"(?!\d{1,3}(?:\.\d{3})+(?!\d|\.\d))"
_SIZE = re.compile(rf"\d+(?:[.,]\d+)?{SPACE}?(?:cm|mm|m|km|in|ft|см|мм|м)\b")
_ADDRESS = 4  # parts that a computer's number has


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for numbers in a row, in order."""
    return (
        (re.compile(r"(?<![\d,.])\d+(?:,\d{1,2}(?!\d)){2,}"), lambda found: found[0].replace(",", ", ")),
        (re.compile(rf"(?<![\d,.]){_GROUPED}[vV]?\d+(?:\.\d+){{2,}}(?!\d)"), partial(_dotted, grammar)),
        *_points(grammar),
        (re.compile(r"(?<![\d,.])(\d+)\s?:\s?(\d+)(?![\d:])"), partial(_ratio, grammar)),
        (re.compile(r"(?<=\w)\s?[×x]\s?(?=\d)"), partial(_by, grammar)),
    )


def _points(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for a point that is no decimal mark of the language: in prices from abroad, in versions."""
    if grammar.tables.decimal == ".":
        return ()
    money = any_of(grammar.tables.currencies)
    return (
        (re.compile(rf"(?<!\w)((?:{money})\s?\d+)\.(?=\d\d(?![\d.,]))"), lambda found: f"{found[1]},"),
        (re.compile(rf"(?<![\d,.]){_GROUPED}\d+\.\d+(?![\d.,])"), partial(_dotted, grammar)),
    )


def _dotted(grammar: Grammar, found: re.Match[str]) -> str:
    """Say a version, or the number of a computer."""
    parts = found[0].lstrip("vV").split(".")
    point = grammar.tables.decimal == "." and len(parts) != _ADDRESS
    said = f" {grammar.words['point' if point else 'dot']} ".join(grammar.plain(part) for part in parts)
    return apart(found, f"{grammar.words['version']} {said}" if found[0][0] in "vV" else said)


def _ratio(grammar: Grammar, found: re.Match[str]) -> str:
    return apart(found, grammar.ratio(found[1], found[2], Place.of(found)))


def _by(grammar: Grammar, found: re.Match[str]) -> str:
    """Say the cross between two measures, which is another word than that between two factors."""
    place = Place.of(found)
    if not re.search(r"\d\s?[^\W\d_]{0,2}$", place.before):
        return found[0]
    sizes = "x" in found[0] or _SIZE.match(place.after)
    return f" {grammar.words['by'] if sizes else grammar.tables.signs['×']} "
