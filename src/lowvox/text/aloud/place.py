"""Where in a text something stands: the words around it decide how it is read. Knows no language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Said = Callable[[re.Match[str]], str]
Rule = tuple[re.Pattern[str], Said]

_REACH = 60  # characters on either side
_LAST = re.compile(r"([^\W\d_]+)[.)]?[\s(\"„“«]*$")
_NEXT = re.compile(r"\s*([^\W\d_]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """The text before and after something."""

    before: str = ""
    after: str = ""

    @classmethod
    def of(cls, match: re.Match[str]) -> Place:
        """Return the place of a match."""
        return cls(
            match.string[max(0, match.start() - _REACH) : match.start()],
            match.string[match.end() : match.end() + _REACH],
        )

    @property
    def last(self) -> str:
        """The word right before, in lower case."""
        found = _LAST.search(self.before)
        return found[1].lower() if found else ""

    @property
    def next(self) -> str:
        """The word right after, as it is written."""
        found = _NEXT.match(self.after)
        return found[1] if found else ""

    @property
    def following(self) -> list[str]:
        """The words after it up to a mark, as they are written."""
        return re.findall(r"[^\W\d_]+", re.split(r"[.,;:!?()\d]", self.after, maxsplit=1)[0])

    def ends(self) -> bool:
        """Whether nothing follows but a mark, a bracket or the end."""
        return not re.match(r"\s*[\w\"„“«(]", self.after)


def base(language: str) -> str:
    """Return the language without its country: `en` for `en-GB`."""
    return language.replace("_", "-").partition("-")[0].lower()


def any_of(words: object) -> str:
    """Return a pattern for any of these, the longest first; a space in one may be left out in the text."""
    ordered = sorted(map(str, words), key=len, reverse=True)  # type: ignore[call-overload]
    return "|".join(re.escape(word).replace(r"\ ", r"[ \u00a0\u202f]?") for word in ordered) or r"(?!)"


def apart(found: re.Match[str], said: str) -> str:
    """Return what is said with spaces where letters would touch it."""
    before = found.string[found.start() - 1] if found.start() else ""
    after = found.string[found.end() : found.end() + 1]
    return " " * (before.isalnum() or before == "_") + said + " " * (after.isalpha() or after == "_")
