"""A language's tables: what it writes and how that is said. Knows no rule; the tables are in the .toml beside it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Noun:
    """What is counted: its gender ("m", "f", "n" or ""), its forms, and a hundredth of it where it is money."""

    gender: str
    forms: tuple[str, ...]
    part: Noun | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """What a language writes (the keys) and says (the values)."""

    decimal: str
    group: str
    months: tuple[str, ...]
    months_short: dict[str, int]
    days: dict[str, str]
    words: dict[str, str]
    signs: dict[str, str]
    scales: dict[str, Noun]
    money_scales: dict[str, Noun]
    currencies: dict[str, Noun]
    units: dict[str, Noun]
    abbreviations: dict[str, str]
    before_number: dict[str, str]
    letters: dict[str, str]
    endings: dict[str, str]
    lists: dict[str, frozenset[str]]
    phones: tuple[str, ...]


@lru_cache
def load(language: str) -> Tables:
    """Return the tables of one of the five languages."""
    found = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    lists = (
        "pronounced",
        "spelled",
        "capitals",
        "digits_after",
        "feminine",
        "masculine",
        "neuter",
        "scores",
        "regal",
        "numbered",
        "words_too",
        "before_year",
        "many",
        "dative",
        "weak",
        "no_noun",
        "genitive",
    )
    return Tables(
        decimal=found["decimal"],
        group=found["group"],
        months=tuple(found["months"]),
        months_short=found["month_abbreviations"],
        days=found["days"],
        words=found["words"],
        signs=found["signs"],
        scales=_nouns(found["scales"]),
        money_scales=_nouns(found["money_scales"]),
        currencies=_nouns(found["currencies"]),
        units=_nouns(found["units"]),
        abbreviations=found["abbreviations"],
        before_number=found["before_number"],
        letters=found["letters"],
        endings=found["endings"],
        lists={name: frozenset(found.get(name, "").split()) for name in lists},
        phones=tuple(found["phones"].split("\n")[:-1]),
    )


def _nouns(table: dict[str, Any]) -> dict[str, Noun]:
    return {written: _noun(said) for written, said in table.items()}


def _noun(stated: str) -> Noun:
    """Read `gender: one, many; gender: one, many`."""
    whole, _, part = stated.partition(";")
    gender, _, forms = whole.rpartition(":")
    return Noun(gender.strip(), tuple(form.strip() for form in forms.split(",")), _noun(part) if part else None)
