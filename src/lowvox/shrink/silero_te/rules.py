"""What a TorchScript tokenizer does, learnt by asking it, and checked on thousands of words before it is believed.

The vocabulary and the rules of the real file are published nowhere. BERT's way of cutting words is assumed, with what
varies in it found out here; a tokenizer that works in another way is refused, and the word says where it differs.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from lowvox.engines.silero_te.layout import Rules
from lowvox.engines.silero_te.tokens import CONTINUED, Tokenizer, Vocabulary, escaped, listed
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Nobody speaks longer words; to ask for longer ones takes a compiled tokenizer seconds.
_LONGEST = 1000
_PAD = 0
_CODE = re.compile(r"\{(\d+)\}")
_NOBODYS = "{1114109}"  # a code point that is no letter, and in no vocabulary
_SENTENCES = (
    "hello how are you today we are going to the old house by the river and will be back on the 25th of may",
    "guten morgen wir fahren heute über die brücke nach köln und kommen erst am späten abend zurück",
    "buenos días cómo está usted mañana vamos a la estación del norte con los niños",
    "привет как дела сегодня мы едем на дачу и вернёмся только поздно вечером вместе с друзьями",
)


def learnt(asked: Any) -> tuple[bytes, Rules]:
    """Return the vocabulary's text and the rules of a TorchScript tokenizer; DamagedError where it has other rules."""
    ids = _vocabulary(asked)
    begin, *_, end = _ids(asked, "a")
    text = listed(ids)
    letters = "".join(sorted({letter for piece in ids for letter in plain(piece) if _sound(letter)}))
    widest = max((len(_CODE.sub("x", piece.removeprefix(CONTINUED))) for piece in ids), default=1)
    rules = Rules(begin, end, _unknown(asked, ids), letters, "", _LONGEST, widest)
    rules = _with(rules, alone=_alone(asked, text, rules))
    rules = _with(rules, longest=_longest(asked, rules))
    _check(asked, Tokenizer(Vocabulary(text), rules), rules, list(ids))
    return text, rules


def plain(piece: str) -> str:
    """Undo the escape of a piece."""
    return _CODE.sub(lambda code: chr(int(code[1])) if int(code[1]) < 0x110000 else "", piece)


def sentences(language: str) -> list[str]:
    """Return the words of a sentence in one of the four languages, small and without marks."""
    return dict(zip(("en", "de", "es", "ru"), _SENTENCES, strict=True))[language].split()


def _vocabulary(asked: Any) -> dict[str, int]:
    """Return the escaped pieces with their ids."""
    named = list(asked.uni_vocab)
    try:
        pieces = asked.convert_ids_to_tokens(list(range(len(named))))
    except Exception as error:  # TorchScript raises RuntimeError for whatever happens in it
        raise _other("its list of word pieces does not count them from 0") from error
    ids = {piece: number for number, piece in enumerate(pieces)}
    if set(ids) != set(named) or len(ids) != len(named):
        raise _other("its list of word pieces and its numbers do not belong together")
    if ids.get(str(asked.pad_token)) != _PAD:
        raise _other(f"its padding has not the number {_PAD}")
    if strange := next((piece for piece in ids if not piece.isascii() or re.search(r"\s", piece) or not piece), None):
        raise _other(f"its word piece {strange!r} is not escaped")
    return ids


def _unknown(asked: Any, ids: Mapping[str, int]) -> int:
    """Find the piece that stands for a word that cannot be cut: by its usual name, else by asking for such a word."""
    if "[UNK]" in ids:
        return ids["[UNK]"]
    if len(found := _answer(asked, [_NOBODYS])) == 1:
        return found[0]
    raise _other("it has no piece that stands for an unknown word")


def _alone(asked: Any, text: bytes, rules: Rules) -> str:
    """Find the letters that are words of their own: between two others they are cut off."""
    joined, known = Tokenizer(Vocabulary(text), rules), frozenset(rules.letters)
    found = []
    for letter in [*map(chr, range(ord("!"), ord("~") + 1)), *rules.letters]:
        if letter in "{}":
            continue
        answer = _answer(asked, escaped(f"a{letter}a", known))
        apart = [number for part in ("a", letter, "a") for number in joined.pieces(part)]
        if answer == apart and answer != list(joined.pieces(f"a{letter}a")):
            found.append(letter)
    return "".join(found)


def _longest(asked: Any, rules: Rules) -> int:
    """Find how long a word may be before it counts as unknown."""
    low, high = 1, _LONGEST
    if _answer(asked, ["a"] * high) != [rules.unknown]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if _answer(asked, ["a"] * middle) == [rules.unknown]:
            high = middle
        else:
            low = middle
    return low


def _check(asked: Any, own: Tokenizer, rules: Rules, pieces: Sequence[str]) -> None:
    """Raise DamagedError for the first text that the two cut differently."""
    known = frozenset(rules.letters)
    for text in _texts(rules, pieces):
        words = text.split()
        letters = [*escaped(words[0], known)] if words else []
        for word in words[1:]:
            letters += [" ", *escaped(word, known)]
        answer = _answer(asked, letters)
        if answer != (found := [number for word in words for number in own.pieces(word)]):
            raise _other(f"it makes {answer[:8]} of {text[:40]!r}, and lowvox {found[:8]}")


def _texts(rules: Rules, pieces: Sequence[str]) -> Iterator[str]:
    """Yield what a tokenizer is tried on: every letter, real sentences, pieces put together, and nonsense."""
    dice = random.Random(0)  # noqa: S311
    letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789" + rules.letters
    signs = "".join(chr(code) for code in range(ord("!"), ord("~") + 1) if not chr(code).isalnum())
    yield from letters + signs
    yield from _SENTENCES
    words = [plain(piece).removeprefix(CONTINUED) for piece in pieces if not re.search(r"[\[\]{}]", plain(piece))]
    for _ in range(2000):
        yield "".join(dice.choices(words or ["a"], k=dice.randint(1, 3)))
    for _ in range(2000):
        yield "".join(dice.choices(letters, k=dice.randint(1, 25)))
    for _ in range(500):
        parts = ["".join(dice.choices(letters + signs, k=dice.randint(1, 9))) for _ in range(dice.randint(1, 12))]
        yield " ".join(parts)
    for letter in ("a", rules.letters[-1:] or "b"):
        for size in (rules.longest - 1, rules.longest, rules.longest + 1):
            yield letter * max(1, min(size, _LONGEST))
    yield "мир🙂\u200b日本 e\u0301 الله"


def _answer(asked: Any, letters: Sequence[str]) -> list[int]:
    """Return what a tokenizer makes of escaped letters, without the begin and the end that it puts around them."""
    return _ids(asked, "".join(letters))[1:-1]


def _ids(asked: Any, text: str) -> list[int]:
    try:
        found = list(asked.convert_string_to_ids(text))
    except Exception as error:  # TorchScript raises RuntimeError for whatever happens in it
        raise _other(f"it fails on {text[:40]!r}") from error
    if len(found) < 2:
        raise _other(f"it puts no begin and no end around {text[:40]!r}")
    return found


def _sound(letter: str) -> bool:
    """Whether it is a letter beyond ASCII that can be written into a file."""
    return ord(letter) > 126 and not 0xD800 <= ord(letter) <= 0xDFFF


def _with(rules: Rules, **changes: Any) -> Rules:
    import msgspec

    return msgspec.structs.replace(rules, **changes)


def _other(how: str) -> DamagedError:
    return DamagedError(f"The tokenizer works by rules that lowvox does not know: {how}. It was not converted.")
