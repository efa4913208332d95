"""Abbreviations to the words that they stand for. Knows only the language's tables."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import any_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for abbreviations: first those that only mean something before a number."""
    tables = grammar.tables
    plain = {word: said for word, said in tables.abbreviations.items() if word not in _counted(grammar)}
    return (
        (re.compile(rf"(?<![\w.])({any_of(tables.before_number)})(?=\s?\d)"), partial(_numbered, tables.before_number)),
        _rule(plain, tables.lists["words_too"]),
    )


def leftover(grammar: Grammar) -> Sequence[Rule]:
    """Return the rule for units that are cut short and stand behind no number."""
    counted, tables = _counted(grammar), grammar.tables
    table = {word: said for word, said in tables.abbreviations.items() if word in counted}
    return (_rule(table, tables.lists["words_too"]),)


def _counted(grammar: Grammar) -> set[str]:
    """Return what also counts something behind a number."""
    return {*grammar.tables.units, *grammar.tables.currencies, *grammar.tables.scales}


def _rule(table: dict[str, str], words_too: AbstractSet[str]) -> Rule:
    """Return the rule for a table; a capital may begin what the table has in small letters.

    One that is a word too, without its full stop, must have something behind it.
    """
    words = "".join(rf"(?!(?i:{re.escape(word)})(?!\s[^\W_]))" for word in sorted(words_too))
    both = table | {
        word[0].upper() + word[1:]: said[0].upper() + said[1:]
        for word, said in table.items()
        if word[0].upper() + word[1:] not in table
    }
    begin, end = r"(?<!\w)(?<![^\WA-ZА-ЯĐ]\.)", r"(?:(?<=\.)(?![^\WA-ZА-ЯĐ]|\.)|(?<!\.)(?!\w))"
    return re.compile(rf"{begin}{words}({any_of(both)}){end}"), partial(_said, _bare(both))


def _numbered(table: dict[str, str], found: re.Match[str]) -> str:
    """Say it with a space behind it, whether one was written or not."""
    return _bare(table)[re.sub(r"\s", "", found[1])] + " " * found.string[found.end()].isdigit()


def _said(table: dict[str, str], found: re.Match[str]) -> str:
    """Say it; the full stop of one that ends the text also ends the sentence."""
    said = table[re.sub(r"\s", "", found[1])]
    rest = found.string[found.end() : found.end() + 2]
    if found[1].endswith(".") and not rest.strip(" "):
        return f"{said}."
    return said + " " * rest[:1].isalnum()


def _bare(table: dict[str, str]) -> dict[str, str]:
    return {re.sub(r"\s", "", word): said for word, said in table.items()}
