"""The steps of a `tokenizer.json` before and behind its pieces: how a text is rewritten and cut into words, and joined.

Knows no pieces; what is not known here is refused by name.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Literal

from lowvox.engines.pocket.charsmap import Charsmap
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rewrite = Callable[[str], str]
    Join = Callable[[list[str]], list[str]]

SPACE = "\u2581"
_FORMS: dict[str, Literal["NFC", "NFD", "NFKC", "NFKD"]] = {"NFC": "NFC", "NFD": "NFD", "NFKC": "NFKC", "NFKD": "NFKD"}


def unread(what: str) -> DamagedError:
    """Return the error for a part that is not read."""
    return DamagedError(
        f"tokenizer.json has what lowvox does not read ({what}); export the voice with its tokenizer.model instead."
    )


def listed(part: dict[str, Any] | None, inside: str) -> Iterator[dict[str, Any]]:
    """Yield a part, or those in a sequence of them."""
    if part and part["type"] == "Sequence":
        for inner in part[inside]:
            yield from listed(inner, inside)
    elif part:
        yield part


def normalizers(part: dict[str, Any] | None) -> Iterator[Rewrite]:
    """Yield what rewrites a text, in order."""
    for one in listed(part, "normalizers"):
        kind = one["type"]
        if kind == "Precompiled":
            if blob := one.get("precompiled_charsmap"):
                yield Charsmap(base64.b64decode(blob)).rewritten
        elif kind == "Replace":
            yield _replacing(one)
        elif kind == "Prepend":
            yield (lambda prefix: lambda text: prefix + text if text else text)(one["prepend"])
        elif kind in _FORMS:
            yield (lambda form: lambda text: unicodedata.normalize(form, text))(_FORMS[kind])
        elif kind == "Lowercase":
            yield str.lower
        elif kind == "Strip":
            yield (lambda left, right: lambda text: _stripped(text, left, right))(one["strip_left"], one["strip_right"])
        else:
            raise unread(f"normalizer {kind}")


def _stripped(text: str, left: bool, right: bool) -> str:
    text = text.lstrip() if left else text
    return text.rstrip() if right else text


def _replacing(one: dict[str, Any]) -> Rewrite:
    """Return what replaces a pattern: a text, or one of the few expressions that converters write."""
    pattern, content = one["pattern"], one["content"]
    if "String" in pattern:
        return lambda text: text.replace(pattern["String"], content)
    try:
        compiled = re.compile(pattern["Regex"])
    except re.error as error:
        raise unread(f"the pattern {pattern['Regex']!r}") from error
    return lambda text: compiled.sub(lambda _: content, text)


def pre_tokenizer(part: dict[str, Any] | None) -> tuple[str, bool, bool]:
    """Return when the mark of a word is put before a text, whether words are cut apart, and whether there are marks."""
    steps = list(listed(part, "pretokenizers"))
    if not steps:
        return "never", False, False
    one = steps[0]
    if len(steps) > 1 or one["type"] != "Metaspace" or one.get("replacement", SPACE) != SPACE:
        raise unread(f"pre_tokenizer {' '.join(step['type'] for step in steps)}")
    prefix = one.get("prepend_scheme") or ("always" if one.get("add_prefix_space", True) else "never")
    return prefix, one.get("split", True), True


def _joined(pieces: list[str]) -> list[str]:
    return pieces


JOINED: list[Join] = [_joined]


def decoder(part: dict[str, Any] | None) -> list[Join]:
    """Return the steps from pieces to text; without any they are joined by spaces."""
    return [_step(one) for one in listed(part, "decoders")] or JOINED


def _step(one: dict[str, Any]) -> Join:
    kind = one["type"]
    if kind == "Metaspace":
        prefix = one.get("prepend_scheme") or ("always" if one.get("add_prefix_space", True) else "never")
        return lambda pieces: [
            piece.replace(SPACE, "" if at == 0 and prefix != "never" else " ") for at, piece in enumerate(pieces)
        ]
    if kind == "Replace":
        rewrite = _replacing(one)
        return lambda pieces: [rewrite(piece) for piece in pieces]
    if kind == "ByteFallback":
        return _characters
    if kind == "Fuse":
        return lambda pieces: ["".join(pieces)]
    if kind == "Strip":
        return lambda pieces: [_trimmed(piece, one["content"], one["start"], one["stop"]) for piece in pieces]
    raise unread(f"decoder {kind}")


def _trimmed(piece: str, content: str, start: int, stop: int) -> str:
    for _ in range(start):
        piece = piece.removeprefix(content)
    for _ in range(stop):
        piece = piece.removesuffix(content)
    return piece


def _characters(pieces: list[str]) -> list[str]:
    """Join runs of pieces that are bytes to characters; a run that is no text is one replacement a byte."""
    found: list[str] = []
    run = b""
    for piece in [*pieces, ""]:
        if re.fullmatch("<0x[0-9A-F]{2}>", piece):
            run += bytes([int(piece[3:5], 16)])
            continue
        if run:
            try:
                found.append(run.decode())
            except UnicodeDecodeError:
                found += ["\ufffd"] * len(run)
            run = b""
        found.append(piece)
    return found[:-1]
