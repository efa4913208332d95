"""Dates in numbers (2020-05-03, 3.5.2020, 5/3/2020) and pairs of weekdays. Months in words are a grammar's matter."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import Place, any_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for dates, in order."""
    days = any_of(grammar.tables.days)
    return (
        (re.compile(r"(?<![\w.,/-])(\d{4})-(\d\d)-(\d\d)(?![\w-])"), partial(_iso, grammar)),
        (
            re.compile(
                r"(?<![\w.,/-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\w/-]|[.,]\d)(?:\s?(?:г\.|года)(?!\w))?"
            ),
            partial(_full, grammar),
        ),
        (re.compile(rf"(?<!\w)({days})\.?\s?[-–]\s?({days})\b\.?"), partial(_days, grammar)),
    )


def possible(day: int, month: int) -> bool:
    """Whether there is such a day."""
    return 1 <= month <= 12 and 1 <= day <= _LONGEST[month - 1]


def _iso(grammar: Grammar, found: re.Match[str]) -> str:
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    return grammar.date(day, month, year, Place.of(found)) if possible(day, month) else found[0]


def _full(grammar: Grammar, found: re.Match[str]) -> str:
    """Say a date of three numbers; the month comes first only in English, and only where it can."""
    day, month, year = int(found[1]), int(found[3]), int(found[4])
    if grammar.code == "en" and possible(month, day):
        day, month = month, day
    if not possible(day, month) or (found[4].startswith("0") and found[2] != "/" and len(found[4]) < 4):
        return found[0]
    if len(found[4]) == 2:
        year += 2000 if year < 50 else 1900
    return grammar.date(day, month, year, Place.of(found))


def _days(grammar: Grammar, found: re.Match[str]) -> str:
    days = grammar.tables.days
    return " ".join(filter(None, (days[found[1]], grammar.words["to"], days[found[2]])))
