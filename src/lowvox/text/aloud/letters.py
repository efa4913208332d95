"""Letters said by their names: initials and acronyms that are no words. Knows only the language's tables."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from lowvox.text.aloud.place import any_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.text.aloud.grammar import Grammar
    from lowvox.text.aloud.place import Rule

_UPPER = r"A-ZÀ-ÖØ-ÞĂĐĨŨƠƯА-ЯЁ"
_INITIALS = r"A-ZĐА-ЮЁ"  # Я is more often a word
_VOWELS = frozenset("AEIOUYÄÖÜÁÉÍÓÚÀÈÌÒÙÂÊÔĂƠƯАЕЁИОУЫЭЮЯ")
_LONG = 4  # letters of an acronym that may be said as a word


def rules(grammar: Grammar) -> Sequence[Rule]:
    """Return the rules for initials and acronyms, in order."""
    say = partial(_spelled, grammar)
    sure = any_of(sorted(grammar.tables.lists["spelled"]))
    return (
        (re.compile(rf"(?<!\w)(?:[{_UPPER}]\.\s?){{1,5}}[{_UPPER}]\.(?!\w)"), partial(_initials, grammar)),
        (re.compile(rf"(?<!\w)(?:[{_UPPER}]\.){{1,5}}(?=[{_UPPER}][^\W\d_])"), partial(_glued, grammar)),
        (re.compile(rf"(?<!\w)([{_INITIALS}])\.(?=\s[{_UPPER}][^\W\d_]|\s[a-z]{{4}})"), partial(_initial, grammar)),
        (re.compile(rf"(?<=[^\W\d_]\s)([{_UPPER}])\.(?=\s?$)"), lambda found: f"{grammar.letter(found[1])}."),
        (re.compile(r"(?<!\w)Ph\.\s?D\.?"), lambda _: "P H D"),
        (re.compile(rf"(?<!\w)([{_UPPER}]{{1,3}})&([{_UPPER}]{{1,3}})(?!\w)"), partial(_pair, grammar)),
        (re.compile(rf"(?<![^\W_])({sure})(?![^\W_])"), say),
        (re.compile(rf"(?<![^\W_])([{_UPPER}]{{2,7}})(['’]s|s)?(?![^\W_])"), partial(_acronym, grammar)),
    )


def _initials(grammar: Grammar, found: re.Match[str]) -> str:
    """Say initials; the last full stop is the sentence's where nothing follows."""
    said = " ".join(grammar.letter(letter) for letter in found[0] if letter.isalpha())
    rest = found.string[found.end() : found.end() + 1]
    return said + "." * (not rest)


def _initial(grammar: Grammar, found: re.Match[str]) -> str:
    """Say one initial; its full stop may be the sentence's behind a word in small letters or a letter."""
    before = re.search(r"([^\W\d_])[^\W\d_]*[\s(\"„“«]*$", found.string[max(0, found.start() - 30) : found.start()])
    alone = before and (before[1].islower() or len(before[0].rstrip()) == 1)
    return grammar.letter(found[1]) + "." * bool(alone)


def _glued(grammar: Grammar, found: re.Match[str]) -> str:
    """Say initials that a name follows without a space."""
    return _letters(grammar, found[0].replace(".", "")) + " "


def _acronym(grammar: Grammar, found: re.Match[str]) -> str:
    """Say capitals letter by letter where they are no word, and where not all of the text is capitals."""
    word, behind = found[1], found[2] or ""
    if word in grammar.tables.lists["pronounced"] or word.lower() in grammar.tables.lists["capitals"]:
        return found[0]
    if _shouted(found.string, found.start(), found.end()) or _sayable(word):
        return found[0]
    return _letters(grammar, word) + behind


def _spelled(grammar: Grammar, found: re.Match[str]) -> str:
    return _letters(grammar, found[1])


def _pair(grammar: Grammar, found: re.Match[str]) -> str:
    return f"{_letters(grammar, found[1])} {grammar.words['and']} {_letters(grammar, found[2])}"


def _letters(grammar: Grammar, word: str) -> str:
    return " ".join(map(grammar.letter, word))


def _sayable(word: str) -> bool:
    """Whether a word in capitals sounds like one: long enough, with vowels, and no heap of consonants."""
    if len(word) < _LONG:
        return False
    if len(word) > _LONG + 2:
        return True
    sounds = "".join("v" if letter in _VOWELS else "c" for letter in word)
    return "v" in sounds and "ccc" not in sounds and not sounds.startswith("cc")


def _shouted(text: str, start: int, end: int) -> bool:
    """Whether the words around it are in capitals too: then it is a heading and no acronym."""
    around = text[max(0, start - 40) : start] + " " + text[end : end + 40]
    return not any(map(str.islower, around)) and len(re.findall(r"[^\W\d_]{2,}", around)) > 1
