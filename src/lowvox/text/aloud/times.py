"""Times of day and lengths of time that are written with a colon. What else a language writes is its grammar's."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_HOUR, _MINUTE = r"(?:[01]?\d|2[0-4])", r"[0-5]\d"


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for times, in order."""
    edge = r"(?![\w:]|[.,]\d)"
    half = r"(?:\s?([aApP])\.?\s?[mM]\b\.?)"
    return (
        *grammar.times(),
        (re.compile(rf"(?<![\w:.,-])({_HOUR})\s?[-–]\s?(?={_HOUR}(?::\d\d)?{half})"), partial(_from, grammar)),
        (re.compile(r"(?<=\d[ap]m)[-–](?=\d)"), lambda _: f" {grammar.words['to']} "),
        (re.compile(rf"(?<![\w:.,])(\d{{1,2}}):({_MINUTE}):({_MINUTE}){edge}"), partial(_span, grammar)),
        (
            re.compile(
                rf"(?<![\w:.,])({_HOUR}):({_MINUTE})(?:\s?[-–—]\s?({_HOUR}):({_MINUTE}))?(?!\d|:|[.,]\d){half}?"
            ),
            partial(_clock, grammar),
        ),
        (re.compile(rf"(?<![\w:.,])({_HOUR})()()(){half}"), partial(_clock, grammar)),
    )


def _span(grammar: Grammar, found: re.Match[str]) -> str:
    return grammar.span(int(found[1]), int(found[2]), int(found[3]))


def _clock(grammar: Grammar, found: re.Match[str]) -> str:
    """Say a time, or from one to another, before or after noon where that is written."""
    place = Place.of(found)
    first, last = _hour(grammar, found, 1, place), _hour(grammar, found, 3, place) if found[3] else ""
    said = [first, grammar.words["to"], last] if last else [first]
    if found[5]:
        said += [grammar.letter(found[5]), grammar.letter("m")]
    end = (
        "."
        if found[5] and found[0].endswith(".") and re.match(r"\s*$|\s[A-ZÁÉÍÓÚ]", place.after)
        else " " * place.after[:1].isalpha()
    )
    return " ".join(filter(None, said)) + end


def _from(grammar: Grammar, found: re.Match[str]) -> str:
    """Say the first of two hours, of which only the second says which half of the day it is."""
    return f"{grammar.hour(int(found[1]))} {grammar.words['to']} "


def _hour(grammar: Grammar, found: re.Match[str], at: int, place: Place) -> str:
    """Say one time; a full hour before or after noon is a number alone."""
    hour, minute = int(found[at]), int(found[at + 1] or 0)
    return grammar.hour(hour) if found[5] and not minute else grammar.clock(hour, minute, place)
