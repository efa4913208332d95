"""A user's lexicon: words and how they are said, as other words or as phonemes.

One line for each, UTF-8:

    GIF = jiff
    Nguyễn = [[ ŋ w i ə n ]]
    # a line like this one is a note

A word counts wherever it stands alone; one without capitals also counts with them. Knows no voice and no language.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 200  # characters of a word or of what it becomes
_MOST = 2_000_000  # bytes of a file
_LINE = re.compile(r"(?P<word>[^=\t]+?)\s*(?:=|\t)\s*(?P<said>.+)")
_BRACKETS = re.compile(r"\[\[|\]\]")
# A run of letters, digits and what may join them; what is between double brackets is passed over.
_TOKEN = re.compile(r"\[\[(?:(?!\[\[|\]\]).){0,400}\]\]|\w[\w\u0300-\u036f'’&.+#-]*", re.DOTALL)


class Lexicon:
    """Words and how they are said."""

    def __init__(self, entries: dict[str, str]) -> None:
        self._entries = {_same(word): said for word, said in entries.items()}
        self._longest = max((word.count(" ") + 1 for word in self._entries), default=0)
        phrases = sorted((word for word in self._entries if " " in word), key=len, reverse=True)
        joined = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in phrases)
        self._phrases = re.compile(rf"(?i)(?<!\w)(?:{joined})(?!\w)") if phrases else None

    def __len__(self) -> int:
        return len(self._entries)

    def applied(self, text: str) -> str:
        """Return a text with every word of the lexicon as it is said; all else as it was."""
        if self._phrases:
            text = self._outside(text, self._phrases)
        return _TOKEN.sub(self._replaced, text)

    def _outside(self, text: str, phrases: re.Pattern[str]) -> str:
        """Replace phrases of several words, except between double brackets."""
        parts = re.split(r"(\[\[(?:(?!\[\[|\]\]).){0,400}\]\])", text, flags=re.DOTALL)
        return "".join(part if at % 2 else phrases.sub(self._phrase, part) for at, part in enumerate(parts))

    def _phrase(self, found: re.Match[str]) -> str:
        return self._entry(" ".join(found[0].split())) or found[0]

    def _replaced(self, found: re.Match[str]) -> str:
        """Replace one word, whole or without the marks at its end."""
        word = found[0]
        if word.startswith("[["):
            return word
        bare = word.rstrip("'’.+#&-")
        if said := self._entry(word):
            return said
        return said + word[len(bare) :] if (said := self._entry(bare)) else word

    def _entry(self, word: str) -> str | None:
        """Find a word; one that the lexicon has in small letters also counts with capitals."""
        plain = unicodedata.normalize("NFC", word).replace("’", "'")
        return self._entries.get(plain) or self._entries.get(plain.lower())


def read(path: Path) -> Lexicon:
    """Read a lexicon; NotFoundError where there is none, DamagedError names the line that cannot be read."""
    try:
        data = path.read_bytes()
    except IsADirectoryError as error:
        raise NotFoundError(f"{path} is a folder; name a lexicon file in it.") from error
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no lexicon {path}; check the name.") from error
    if len(data) > _MOST:
        raise DamagedError(f"{path} has {len(data)} bytes; a lexicon has at most {_MOST}: take words out.")
    entries: dict[str, str] = {}
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            entry = _entry(line.decode())
        except UnicodeDecodeError as error:
            raise DamagedError(f"{path}, line {number} is not UTF-8; save the lexicon as UTF-8.") from error
        except ValueError as error:
            raise DamagedError(f"{path}, line {number}: {error}") from error
        if entry:
            entries[entry[0]] = entry[1]
    return Lexicon(entries)


def _entry(line: str) -> tuple[str, str] | None:
    """Return a line's word and how it is said, None for an empty line or a note; ValueError says what to mend."""
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    if not (found := _LINE.fullmatch(line)):
        raise ValueError(f"{line[:40]!r} has no word with = and how it is said; write it like GIF = jiff.")
    word, said = found["word"].strip(), found["said"].strip()
    if not any(map(str.isalnum, word)) or _BRACKETS.search(word):
        raise ValueError(f"{word[:40]!r} is no word; put letters before the =.")
    if max(len(word), len(said)) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} characters; make it shorter.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in word + said):
        raise ValueError("it holds control characters; take them out.")
    _check_brackets(said)
    return word, said


def _check_brackets(said: str) -> None:
    """Refuse double brackets that do not close, are nested or hold nothing."""
    brackets = _BRACKETS.findall(said)
    if brackets != ["[[", "]]"] * (len(brackets) // 2):
        raise ValueError("the brackets [[ and ]] do not match; write phonemes like [[ h ə l oʊ ]].")
    if re.search(r"\[\[\s*\]\]", said):
        raise ValueError("there is nothing between [[ and ]]; put phonemes there.")


def _same(word: str) -> str:
    return " ".join(unicodedata.normalize("NFC", word).replace("’", "'").split())
