"""Telephone numbers, postal codes and what else is read digit by digit. Knows no words."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import any_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for numbers that are read digit by digit, in order."""
    tables = grammar.tables
    keys = any_of(tables.lists["digits_after"])
    edge = r"(?![\w/]|[.,-]\d)"
    say = partial(_digits, grammar)
    shapes = [re.compile(rf"(?<![\w.,+/-])(?:{shape}){edge}") for shape in tables.phones]
    return (
        *((shape, say) for shape in shapes),
        (re.compile(rf"(?i)(?<!\w)((?:{keys})\.?:?\s)(\d[\d /-]{{1,18}}\d){edge}"), partial(_after, grammar)),
        (re.compile(rf"(?<![\w.,/-])(?<!\d[ \u00a0\u202f])0\d{{2,}}{edge}"), say),
        (re.compile(rf"(?<![\w.,/-])[1-9]\d{{9,}}{edge}(?<!000000)"), say),
    )


def _digits(grammar: Grammar, found: re.Match[str]) -> str:
    """Say the digits, and a plus before them."""
    said = grammar.speller.digits(found[0])
    return f"{grammar.words['plus']} {said}" if found[0].startswith("+") else said


def _after(grammar: Grammar, found: re.Match[str]) -> str:
    return found[1] + grammar.speller.digits(found[2])
