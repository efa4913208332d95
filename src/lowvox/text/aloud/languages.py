"""The languages and the order in which rules run: what says most about itself comes first. Knows no rule itself."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from lowvox.text.aloud import (
    abbreviations,
    addresses,
    dates,
    fractions,
    letters,
    phones,
    quantities,
    ratios,
    romans,
    signs,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_GRAMMARS = {
    "en": ("english", "English"),
    "de": ("german", "German"),
    "es": ("spanish", "Spanish"),
    "ru": ("russian", "Russian"),
    "vi": ("vietnamese", "Vietnamese"),
}


@lru_cache
def rules(language: str) -> Sequence[Rule]:
    """Return all rules of a language in order."""
    grammar = _grammar(language)
    return (
        *addresses.rules(grammar),
        *phones.rules(grammar),
        *dates.rules(grammar),
        *times.rules(grammar),
        *romans.rules(grammar),
        *grammar.rules(),
        *fractions.rules(grammar),
        *abbreviations.rules(grammar),
        *ratios.rules(grammar),
        *quantities.rules(grammar),
        *abbreviations.leftover(grammar),
        *letters.rules(grammar),
        *signs.rules(grammar),
    )


def _grammar(language: str) -> Grammar:
    """Return the grammar of one language; the modules of the others are not loaded."""
    module, name = _GRAMMARS[language]
    grammar: Grammar = getattr(import_module(f"lowvox.text.aloud.{module}"), name)()
    return grammar
