"""Fractions: 1/2, 2 1/2, ½. What may be a date instead is a grammar's matter, before these. Knows no words."""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_SIGNS = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for fractions, in order."""
    edge = r"(?![\d/]|[.,]\d)"
    return (
        (re.compile(rf"(\d{{1,4}})?(\s?)([{_SIGNS}])"), partial(_sign, grammar)),
        (re.compile(rf"(?<![\w./,-])(\d{{1,4}})\s(\d{{1,2}})/(\d{{1,3}}){edge}"), partial(_mixed, grammar)),
        (re.compile(rf"(?<![\w./,])(\d{{1,3}})[/⁄](\d{{1,4}}){edge}"), partial(_share, grammar)),
    )


def _sign(grammar: Grammar, found: re.Match[str]) -> str:
    """Say one of Unicode's fractions."""
    part, of = map(int, unicodedata.normalize("NFKC", found[3]).split("⁄"))
    place = Place.of(found)
    if found[1]:
        return grammar.mixed(int(found[1]), part, of, place)
    before, after = place.before[-1:], place.after[:1]
    gap = found[2] or " " * before.isalnum()
    return gap + grammar.share(part, of, place) + " " * after.isalnum()


def _mixed(grammar: Grammar, found: re.Match[str]) -> str:
    whole, part, of = int(found[1]), int(found[2]), int(found[3])
    return grammar.mixed(whole, part, of, Place.of(found)) if 0 < part < of else found[0]


def _share(grammar: Grammar, found: re.Match[str]) -> str:
    """Say a fraction; 24/7 and 50/50 are none."""
    part, of, place = int(found[1]), int(found[2]), Place.of(found)
    if place.last in grammar.tables.lists["scores"]:
        said = f"{grammar.whole(part)} {grammar.words['score']} {grammar.whole(of)}"
    elif 0 < part < of and of > 1 and not found[1].startswith("0"):
        said = grammar.share(part, of, place)
    else:
        said = " ".join(filter(None, (grammar.plain(found[1]), grammar.words["over"], grammar.plain(found[2]))))
    return said + " " * place.after[:1].isalpha()
