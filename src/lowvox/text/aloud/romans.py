"""Roman numerals, where the words around them leave no doubt. What such a number becomes is a grammar's matter."""

from __future__ import annotations

import re

NUMERAL = r"(?=[IVXLC])(?:C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}

from typing import TYPE_CHECKING  # noqa: E402

from lowvox.text.aloud.place import Place  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rule for Roman numerals."""

    def said(found: re.Match[str]) -> str:
        number, place = value(found[1]), Place.of(found)
        return grammar.roman(number, place, found[0]) or _unnamed(grammar, number, found[0])

    dot = r"\.?" if grammar.code == "de" else ""
    return ((re.compile(rf"(?<![\w.&/])({NUMERAL}){dot}(?![\w&]|\.[A-Z])"), said),)


def _unnamed(grammar: Grammar, number: int, written: str) -> str:
    """Say the number where nothing tells what it counts; one letter and those that are acronyms too stay."""
    bare = written.rstrip(".")
    if len(bare) < 2 or not set(bare) <= set("IVX") or bare in ("IV", "VI", "XX"):
        return written
    return grammar.whole(number) + "." * written.endswith(".")


def value(numeral: str) -> int:
    """Return what a Roman numeral is worth."""
    total = 0
    for one, following in zip(numeral, [*numeral[1:], ""], strict=True):
        worth = _VALUES[one]
        total += -worth if following and _VALUES[following] > worth else worth
    return total
