"""Signs that stand for words: &, +, =, %, °, § and their like, where no number took them along. Knows no numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import any_of, apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_ALWAYS = "&=≠≈×÷±≤≥°§%‰©®™№€$£¥₽₫₹@µ√∞→·"


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for signs, in order."""
    signs = grammar.tables.signs
    always = any_of(sign for sign in signs if set(sign) <= set(_ALWAYS))

    def said(found: re.Match[str]) -> str:
        return apart(found, signs[found[0]])

    squared = {"²": grammar.words["squared"], "³": grammar.words["cubed"]}
    units = any_of(unit for unit in grammar.tables.units if unit.endswith(("²", "³")))
    return (
        (re.compile(rf"(?<!\w)({units})(?!\w)"), lambda found: grammar.tables.units[found[1]].forms[-1]),
        (re.compile(r"\s?([²³])"), lambda found: f" {squared[found[1]]}"),
        (re.compile(rf"({always})"), said),
        (re.compile(r"(\+)"), said),
        (re.compile(r"(?<=\s)[<>~*](?=\s)|(?<!\S)~(?=\w)"), said),
        (re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])"), lambda _: " "),
        (re.compile(r"[⁰-₟]"), lambda _: ""),
    )
