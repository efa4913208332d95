"""What an F5 voice can read: its vocabulary, one symbol a line, and text made of nothing else.

Text is read character by character. The syllables of pinyin, which F5's own vocabulary has for Chinese, are symbols of
several characters: turning Chinese into them takes a dictionary of readings, which lowvox has not. Knows no durations.
"""

from __future__ import annotations

import re
import unicodedata

from lowvox.errors import DamagedError, UsageError

SPACE = " "
_UNKNOWN = 0  # the line of the space: what no line has is passed over
_MOST_SYMBOLS = 1 << 20
# What the models were trained without, by what they read in its place.
_INSTEAD = str.maketrans(
    {";": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}
)
_SPACES = re.compile(r"\s+(?=[.,?!])|(?<=\s)\s+")
_SPACE = re.compile(r"\s")
_SHOWN = 40


class Vocabulary:
    """The symbols of a voice; `source` is the content of its vocab.txt. DamagedError where that is none."""

    def __init__(self, source: bytes) -> None:
        try:
            lines = source.decode().removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise DamagedError(f"The voice's vocab.txt is not UTF-8 ({error}); copy or pull it again.") from error
        symbols = [line.removesuffix("\r") for line in lines]
        if not any(symbols) or len(symbols) > _MOST_SYMBOLS:
            raise DamagedError("The voice's vocab.txt holds no list of symbols; copy or pull it again.")
        # Several characters are one syllable of Chinese: nothing is ever read as one.
        self._ids = {symbol: number for number, symbol in enumerate(symbols) if len(symbol) == 1}
        self._syllables = len(self._ids) < sum(map(bool, symbols)) // 2
        if not any(map(str.isalnum, self._ids)):
            raise DamagedError("The voice's vocab.txt has no letters; copy or pull it again.")

    def readable(self, text: str) -> str:
        """Return the text in the voice's own symbols, with one space for what it does not know; "" if nothing is left.

        UsageError where the text has letters and the voice knows none of them.
        """
        known = "".join(map(self._nearest, unicodedata.normalize("NFC", text)))
        found = _SPACES.sub("", _SPACE.sub(SPACE, known)).strip()
        if any(map(str.isalnum, found)):
            return found
        if any(map(str.isalpha, text)):
            raise self._foreign(text)
        return ""

    def ids(self, text: str) -> list[int]:
        """Return the number of each character; that of the space for unknown ones."""
        return [self._ids.get(character, _UNKNOWN) for character in text]

    def _nearest(self, character: str) -> str:
        """Return a character as the voice knows it, or a space."""
        instead = character.translate(_INSTEAD), unicodedata.normalize("NFKC", character)
        for way in (character, *instead, character.lower(), character.upper()):
            if way and all(one in self._ids for one in way):
                return way
        return "" if unicodedata.category(character) == "Cf" else SPACE  # joiners and marks of direction

    def _foreign(self, text: str) -> UsageError:
        shown = text.strip() if len(text) <= _SHOWN else f"{text.strip()[:_SHOWN]}…"
        if self._syllables and any("\u3400" <= character <= "\u9fff" for character in text):
            return UsageError(
                f"This voice reads Chinese as syllables of pinyin, and lowvox cannot turn {shown!r} into them; choose "
                "a voice that reads Chinese characters, or text in another language."
            )
        return UsageError(f"This voice knows none of the letters in {shown!r}; choose a voice for that language.")
