"""Case and gender of a Russian number, from the preposition before it and the ending of the noun behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lowvox.text.aloud.tables import load

if TYPE_CHECKING:
    from lowvox.text.aloud.place import Place
    from lowvox.text.aloud.tables import Noun

_FORMS = {
    **dict.fromkeys(("го", "ого", "его"), "masculine-genitive"),
    **dict.fromkeys(("му", "ому", "ему"), "masculine-dative"),
    **dict.fromkeys(("х", "ых", "их"), "plural-genitive"),
    **dict.fromkeys(("ми", "ыми", "ими"), "plural-ablative"),
    **dict.fromkeys(("ю", "ую", "юю"), "feminine-accusative"),
    **dict.fromkeys(("я", "ая", "яя"), "feminine"),
}
_DATIVE = frozenset({"к", "ко"})
_ADJECTIVE = re.compile(r"(?:[ыи][хемй]|[ыи]ми|[оеая]я|ую|юю|ого|его)$")


def plural(number: int) -> int:
    """Return which of a noun's three forms stands behind a number: 0 for 1, 1 for 2 to 4, 2 for 5 and more."""
    if 11 <= number % 100 <= 14:
        return 2
    return 0 if number % 10 == 1 else 1 if 2 <= number % 10 <= 4 else 2


def case_of(number: int, place: Place) -> str:
    """Return "", "genitive", "dative", "ablative" or "locative"."""
    before, noun = place.last, _noun(place)
    if before in load("ru").lists["genitive"] or (
        before in ("с", "со") and re.match(r"(?:\s[а-я]+)?\s(?:до|по)\s", place.after)
    ):
        return "genitive"
    if before in ("с", "со") and re.match(r"\s(?:час(?:а|ов)|лет|года|утра|вечера)\b", place.after):
        return "genitive"
    if before in _DATIVE:
        return "dative"
    if noun.endswith(("у", "ю")) and plural(number) == 0:
        return "accusative"
    if noun.endswith(("ами", "ями", "ьми")):
        return "ablative"
    if noun.endswith(("ах", "ях")):
        return "locative"
    return "dative" if noun.endswith(("ам", "ям")) and plural(number) else ""


def gender_of(number: int, place: Place, case: str) -> str:
    """Return "m", "f" or "n" where the noun behind a number that ends in one or two tells."""
    noun = _noun(place)
    if not noun or plural(number) == 2 or number % 10 > 2:
        return "m"
    if number % 10 == 2:
        return "f" if noun.endswith(("ы", "и")) else "m"
    if case == "genitive":
        return "f" if noun.endswith(("ы", "и")) else "m"
    if noun.endswith(("о", "е", "мя")):
        return "n"
    return "f" if noun.endswith(("а", "я", "у", "ю")) else "m"


def shift(noun: Noun, number: int, case: str) -> str:
    """Return a noun of the tables in another case than the number alone would ask for."""
    if case == "genitive":
        return noun.forms[1] if plural(number) == 0 else noun.forms[2]
    stem = noun.forms[1][:-1]
    if " " in stem or noun.forms[0] == noun.forms[1]:
        return noun.forms[plural(number)]
    endings = {"dative": "ам", "ablative": "ами", "locative": "ах"}
    return stem + endings[case] if plural(number) else noun.forms[0] + "у" * (noun.gender == "m" and case == "dative")


def suffix(ending: str, place: Place, number: int) -> str:
    """Return the form of an ordinal that is written with the end of its word, such as 5-го."""
    noun, before = _noun(place), place.last
    if form := _FORMS.get(ending):
        return form
    if ending in ("м", "ом", "ем", "ым", "им"):
        if noun.endswith(("ам", "ям")):
            return "plural-dative"
        ablative = ending in ("ым", "им") or before in ("с", "со", "над", "под", "перед", "между")
        return "masculine-ablative" if ablative else "masculine-locative"
    if ending in ("е", "ые", "ие", "ое"):
        many = ending in ("ые", "ие") or noun.endswith(("ы", "и")) or (ending == "е" and not noun and number % 10 == 0)
        return "plural" if many else "neuter"
    feminine = noun.endswith(("и", "ы")) or (noun.endswith("е") and before in ("в", "на", "о", "при"))
    return "feminine-genitive" if feminine or (ending == "ой" and noun.endswith("ой")) else "masculine"


def _noun(place: Place) -> str:
    """Return the noun behind a number in lower case, past an adjective; "" where a mark or nothing follows."""
    if not re.match(r"\s", place.after):
        return ""
    unlike = load("ru").lists["no_noun"]
    words = [word.lower() for word in place.following[:3]]
    while len(words) > 1 and _ADJECTIVE.search(words[0]) and words[1] not in unlike:
        words = words[1:]
    return words[0] if words and words[0] not in unlike else ""
