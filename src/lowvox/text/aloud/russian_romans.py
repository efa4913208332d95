"""Which form a Russian ordinal has that is written as a Roman numeral: of a century, a ruler, a chapter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from lowvox.text.aloud.place import Place

_CENTURY = {
    "век": "",
    "века": "-genitive",
    "веке": "-locative",
    "веку": "-dative",
    "веком": "-ablative",
    "веков": "-genitive",
    "веках": "-locative",
}
_QUEENS = re.compile(r"(?:екатерин|елизавет|анн|мари|виктори|изабелл|маргарит)(\w{1,2})$")
_QUEEN_ENDINGS = {
    "а": "",
    "я": "",
    "ы": "-genitive",
    "и": "-genitive",
    "е": "-dative",
    "у": "-accusative",
    "ю": "-accusative",
    "ой": "-ablative",
    "ей": "-ablative",
}
_KINGS = re.compile(
    r"(?:п[её]тр|иван|никола|александр|павл|павел|людовик|карл|генрих|фридрих|вильгельм|георг|эдуард|ричард|филипп"
    r"|франциск|наполеон|лев|льв|васили|алексе|федор|фёдор|михаил|владимир|ярослав|рамзес|иоанн|бенедикт|григори|пи|якоб|яков"
    r"|густав|фердинанд|леопольд|альфонс|хуан|педро|константин|юстиниан|дари|ксеркс|птолеме|антиох|мехмед|сулейман"
    r"|оттон|рудольф|максимилиан|сигизмунд|станислав|август|борис|симеон|климент|урбан|иннокенти|сикст)(\w{0,3})$"
)
_KING_ENDINGS = {
    "а": "-genitive",
    "я": "-genitive",
    "у": "-dative",
    "ю": "-dative",
    "ом": "-ablative",
    "ем": "-ablative",
    "е": "-locative",
    "и": "-locative",
}
_FEMININE = frozenset({"глава", "часть", "книга", "статья"})


def ordinal_form(place: Place, length: int, numbered: AbstractSet[str]) -> str:
    """Return the form of the ordinal, "" where a numeral of so many letters may be none."""
    after = re.match(r"(?:\s?[-–—]\s?[IVXL]+)?\s(век\w*|вв?\.|столети\w+)", place.after)
    if after:
        return _century(after[1], place)
    if re.match(r"\s[а-я]+(?:ая|яя)\s", place.after + " "):
        return "feminine"
    last = place.last
    if queen := _QUEENS.search(last):
        return f"feminine{_QUEEN_ENDINGS.get(queen[1], '')}"
    if king := _KINGS.search(last):
        return f"masculine{_KING_ENDINGS.get(king[1], '')}"
    named = re.search(r"(?<![а-яё])[А-ЯЁ][а-яё]{2,}?(а|я|у|ю|ом|ем|[бвгджзйклмнпрстфхцчшщь])\s$", place.before)
    if named and last not in numbered:
        return f"masculine{_KING_ENDINGS.get(named[1], '')}" if length > 1 else ""
    if last in numbered:
        return "feminine" if last in _FEMININE else "masculine"
    return ""


def _century(word: str, place: Place) -> str:
    """Return the form before век, in full or cut short."""
    if word.startswith("столети"):
        return "neuter" if word == "столетие" else "neuter-genitive" if word == "столетия" else "neuter-locative"
    if word.startswith(("в.", "вв")):
        return "masculine-locative" if place.last in ("в", "во") else "masculine"
    return f"masculine{_CENTURY.get(word, '')}"
