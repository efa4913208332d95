"""What Pocket TTS wants of a text: how it is written, and cut where, in chunks of so many tokens.

The rules are those of the package pocket-tts 4.0.1, by which the models are judged. One is added: what has no place to
be cut at is cut between words, or anywhere, for a chunk's length is what memory follows. Knows no tokenizer by name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ENDS, _WEAK, _CLOSERS = ".!?\u2026", ",;:-\u2013\u2014", "\"'\u201d\u2019)]\u00bb"
_SHORT, _FEW = 5, 4  # words of a text that is padded, of one that is given longer to fade
_PADDING = " " * 8
_CHARACTERS = 8  # of a token: no place to cut is looked for further away than so many for each
# As texts, since which tokens end what is the tokenizer's business; what comes first is how a word begins.
_SENTENCE_ENDS, _CLAUSE_ENDS = ".!...?", ",;:"


class Tokenizer(Protocol):
    """Text to ids and back; `unknown` is the id of what it does not know, None where it knows all."""

    @property
    def unknown(self) -> int | None:
        """The id of what is unknown."""

    def __len__(self) -> int: ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids."""


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model was taught that texts are written; `replace` is by single characters."""

    pad_short: bool = False
    remove_semicolons: bool = False
    append_terminal: bool = True
    capitalize: bool = True
    replace: dict[str, str] = {}


def prepared(text: str, rules: Rules) -> str:
    """Write a text as the model knows it; "" where nothing is left of it."""
    text = _rewritten(text, rules)
    if text and rules.capitalize and not text[0].isupper():
        text = text[0].upper() + text[1:]
    if text and rules.append_terminal:
        text = _ended(text)
    if text and rules.pad_short and len(text.split()) < _SHORT:
        text = _PADDING + text
    return text


def fading(text: str, rules: Rules) -> int:
    """Return how many frames are spoken after the model finds the end of a chunk."""
    return (3 if len(_rewritten(text, rules).split()) <= _FEW else 1) + 2


def chunks(text: str, tokenizer: Tokenizer, rules: Rules, most: int) -> Iterator[str]:
    """Cut a text into chunks of at most `most` tokens, not yet prepared: sentences together as far as they fit."""
    whole = prepared(text, rules).strip()
    held, size = "", 0
    for count, part in _parts(whole, tokenizer, most):
        if held and size + count > most:
            yield from _bounded(held.strip(), tokenizer, most)
            held, size = "", 0
        held, size = (f"{held} {part}" if held else part), size + count
    if held:
        yield from _bounded(held.strip(), tokenizer, most)


def _rewritten(text: str, rules: Rules) -> str:
    text = text.strip()
    if rules.replace:
        text = " ".join(text.translate({ord(old): new for old, new in rules.replace.items()}).split())
        text = re.sub(r"([.!?\u2026])\s*[,;:]", r"\1", text)
    text = text.replace("\n", " ").replace("\r", " ").replace("  ", " ")
    return text.replace(";", ",") if rules.remove_semicolons else text


def _ended(text: str) -> str:
    """Put a full stop where no sentence ends."""
    core = text.rstrip(_CLOSERS + " ")
    if not core or core[-1] in _ENDS:
        return text
    if core[-1] in _WEAK:
        return core.rstrip(_WEAK + " ") + "." + text[len(core) :].strip()
    return text + "."


def _parts(text: str, tokenizer: Tokenizer, most: int) -> Iterator[tuple[int, str]]:
    """Yield sentences, and clauses of those that are too long, each with how many tokens it has."""
    for count, sentence in _cut(tokenizer.encode(text), _SENTENCE_ENDS, tokenizer, decimals=True):
        inner = list(_cut(tokenizer.encode(sentence.strip()), _CLAUSE_ENDS, tokenizer)) if count > most else []
        yield from inner if len(inner) > 1 else [(count, sentence)]


def _cut(ids: list[int], ends: str, tokenizer: Tokenizer, *, decimals: bool = False) -> Iterator[tuple[int, str]]:
    """Cut behind runs of the tokens of `ends`; a point between digits is none where there are `decimals`."""
    marks = frozenset(tokenizer.encode(ends)[1:])
    begin = 0
    for at in range(1, len(ids)):
        if ids[at - 1] in marks and ids[at] not in marks:
            if decimals and _decimal(tokenizer.decode(ids[:at]), tokenizer.decode(ids[at:])):
                continue
            yield at - begin, tokenizer.decode(ids[begin:at])
            begin = at
    yield len(ids) - begin, tokenizer.decode(ids[begin:])


def _decimal(before: str, behind: str) -> bool:
    return before[-1:] == "." and before[-2:-1].isdigit() and behind[:1].isdigit()


def _bounded(text: str, tokenizer: Tokenizer, most: int) -> Iterator[str]:
    """Cut what is still too long between words, a word that is too long anywhere."""

    def fits(end: int) -> bool:
        return len(tokenizer.encode(text[:end])) <= most

    far = len(text) if fits(len(text)) else _CHARACTERS * most
    while len(text) > far or not fits(len(text)):
        near = text[:far]
        words = [found.start() for found in re.finditer(" ", near)]
        cut = _last(words, fits) or _last(range(1, len(near)), fits) or 1
        yield text[:cut].strip()
        text = text[cut:].strip()
    if text:
        yield text


def _last(ends: Sequence[int], fits: Callable[[int], bool]) -> int:
    """Return the last place that fits, found by halving; 0 where none does."""
    low, high = -1, len(ends)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(ends[middle]) else (low, middle)
    return ends[low] if low >= 0 else 0
