"""A sentence to the ids that a Piper voice reads: to phonemes by espeak or letter by letter, and to their numbers.

Phonemes between `[[` and `]]` are taken as they are. What a voice has no id for is left out, as every Piper does: a
voice that knows half of a foreign word says that half. Knows no graph; what gives clauses is handed in, so that espeak
is loaded by those alone who need it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from lowvox.engines.piper.config import BEGIN, END, PAD
from lowvox.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lowvox.engines.espeak.library import Clause
    from lowvox.engines.piper.config import Config

    # A text and espeak's name of a voice to what is spoken in one go.
    Clauses = Callable[[str, str], Iterable[Clause]]

TYPES = ("espeak", "text")
_RAW = re.compile(r"(\[\[.*?\]\])", re.DOTALL)
_FLAG = re.compile(r"\([^)]+\)")  # around words of another language
_GOES_ON, _ENDS = (",", ";", ":"), (".", "?", "!")


def check(config: Config) -> None:
    """Raise NotFoundError where phonemes come from something that lowvox does not have."""
    if config.phoneme_type not in TYPES:
        raise NotFoundError(
            f"This voice needs a phonemizer that lowvox does not have ({config.phoneme_type!r}); "
            f"choose a voice of the type {' or '.join(TYPES)}."
        )


def phonemes(text: str, config: Config, clauses: Clauses) -> list[list[str]]:
    """Return the phonemes of a text, those of each sentence by themselves."""
    found = [[*_letters(text)]] if config.phoneme_type == "text" else list(_sentences(text, config, clauses))
    return [_replaced(_clustered(one, config), config) for one in found if one]


def ids(sounds: Sequence[str], config: Config, *, padded: bool = True) -> list[int]:
    """Return the ids of a sentence: the beginning, its phonemes, each with padding behind it, and the end.

    None at all where the voice knows nothing of it but marks. `padded` puts padding behind the beginning too: voices
    are trained so, and Piper's C++ program and the second Piper speak so. The first one's Python did not, and no json
    says which a voice wants.
    """
    known = config.phoneme_id_map
    # A dollar in a text must not end it.
    heard = [sound for sound in sounds if sound in known and sound not in (PAD, BEGIN, END)]
    if not any(sound[:1].isalnum() for sound in heard):
        return []
    body = [one for sound in heard for one in (*known[sound], *known[PAD])]
    return [*known[BEGIN], *(known[PAD] if padded else ()), *body, *known[END]]


def _sentences(text: str, config: Config, clauses: Clauses) -> Iterator[list[str]]:
    """Yield the phonemes of each sentence by espeak's lights; what is given raw joins what is around it."""
    sentence: list[str] = []
    parts = _RAW.split(text)
    for at, part in enumerate(parts):
        if at % 2:  # between the brackets
            sentence += " " * (bool(sentence) and parts[at - 1].endswith(" ") and sentence[-1] != " ")
            sentence += part[2:-2].strip() + " " * parts[at + 1].startswith(" ")
            continue
        for clause in clauses(part, config.espeak.voice) if part.strip() else ():
            sentence += _letters(_FLAG.sub("", clause.phonemes) + clause.mark + " " * (clause.mark in _GOES_ON))
            if clause.mark in _ENDS:
                yield sentence
                sentence = []
    yield sentence


def _letters(text: str) -> str:
    """Take letters and their marks apart: each code point is a phoneme."""
    return unicodedata.normalize("NFD", text)


def _clustered(sounds: list[str], config: Config) -> list[str]:
    """Join the phonemes that count as one, the longest first."""
    clusters = sorted(map(tuple, config.vowel_clusters or ()), key=len, reverse=True)
    found: list[str] = []
    at = 0
    while at < len(sounds):
        size = next((len(one) for one in clusters if one and tuple(sounds[at : at + len(one)]) == one), 1)
        found.append("".join(sounds[at : at + size]))
        at += size
    return found


def _replaced(sounds: list[str], config: Config) -> list[str]:
    """Put what the voice says instead of some phonemes."""
    return [other for sound in sounds for other in config.phoneme_map.get(sound, [sound])]
