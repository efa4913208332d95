"""The tokenizer of a `tokenizer.json` as it is made from a SentencePiece model: text to ids and back.

That format can hold anything; what is read are the parts that converters of SentencePiece models write, and everything
else is refused by name. The library of that format would take 4 MB and more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from lowvox.engines.pocket import tokenizer_steps as steps
from lowvox.engines.pocket.pieces import Piece, Unigram, fused, merged
from lowvox.engines.pocket.tokenizer_steps import SPACE
from lowvox.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_UNUSED = ("dropout", "continuing_subword_prefix", "end_of_word_suffix")


class _Added(msgspec.Struct, frozen=True):
    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False
    special: bool = False


class _File(msgspec.Struct, frozen=True):
    model: dict[str, Any]
    added_tokens: tuple[_Added, ...] = ()
    normalizer: dict[str, Any] | None = None
    pre_tokenizer: dict[str, Any] | None = None
    post_processor: dict[str, Any] | None = None
    decoder: dict[str, Any] | None = None
    truncation: dict[str, Any] | None = None
    padding: dict[str, Any] | None = None


class JsonTokenizer:
    """A tokenizer read from the bytes of its file; DamagedError names what it has that is not read."""

    def __init__(self, data: bytes) -> None:
        try:
            file = msgspec.json.decode(data, type=_File)
            self._build(file)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DamagedError):
                raise
            raise DamagedError(f"tokenizer.json is damaged ({error}); copy or export the voice again.") from error

    @property
    def unknown(self) -> int | None:
        """The id of what is unknown."""
        return self._unknown

    def __len__(self) -> int:
        return len(self._ids)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        ids: list[int] = []
        first = True
        for part, added in self._parts(text):
            if added is not None:
                ids.append(added)
            elif part:
                normal = part
                for rewrite in self._normalize:
                    normal = rewrite(normal)
                for word in self._words(normal, first) if normal else ():
                    ids += fused(self._cut(word), self._spelt, self._unknown)
            first = False
        return ids

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids, without special tokens."""
        pieces = [self._pieces[at] for at in ids if at in self._pieces and at not in self._special]
        for step in self._steps:
            pieces = step(pieces)
        return (" " if self._steps is steps.JOINED else "").join(pieces)

    def _build(self, file: _File) -> None:
        model = file.model
        for name in ("truncation", "padding", "post_processor"):
            if getattr(file, name) is not None:
                raise steps.unread(name)
        if any(one.single_word or one.lstrip or one.rstrip for one in file.added_tokens):
            raise steps.unread("added_tokens with conditions")
        self._special = frozenset(one.id for one in file.added_tokens if one.special)
        self._added = {one.content: one.id for one in file.added_tokens}
        self._marks = (
            re.compile("|".join(map(re.escape, sorted(self._added, key=len, reverse=True)))) if (self._added) else None
        )
        self._spells = bool(model.get("byte_fallback"))
        if model["type"] == "Unigram":
            self._build_unigram(model)
        elif model["type"] == "BPE":
            self._build_bpe(model)
        else:
            raise steps.unread(f"model {model['type']}")
        self._ids |= self._added
        self._pieces = {at: piece for piece, at in self._ids.items()}
        self._normalize = list(steps.normalizers(file.normalizer))
        self._prefix, self._splits, self._marked = steps.pre_tokenizer(file.pre_tokenizer)
        self._steps = steps.decoder(file.decoder)

    def _build_unigram(self, model: dict[str, Any]) -> None:
        vocabulary = model["vocab"]
        self._ids = {piece: at for at, (piece, _) in enumerate(vocabulary)}
        scores = [float(score) for _, score in vocabulary]
        self._unknown = model.get("unk_id")
        unigram = Unigram(dict(self._ids), scores, min(scores, default=0.0), "d")
        self._cut: Callable[[str], list[Piece]] = lambda word: self._runs(unigram.cut(word))

    def _runs(self, pieces: list[Piece]) -> list[Piece]:
        """Join what is unknown; the name of the unknown can stand in a text by itself, and then is no stranger."""
        runs: list[tuple[str, bool]] = []
        for piece, at in pieces:
            unknown = at is None or at == self._unknown
            before = runs.pop()[0] if unknown and runs and runs[-1][1] else ""
            runs.append((before + piece, unknown))
        return [(piece, self._ids.get(piece)) for piece, _ in runs]

    def _build_bpe(self, model: dict[str, Any]) -> None:
        if any(model.get(name) for name in (*_UNUSED, "ignore_merges")):
            raise steps.unread("a BPE model with affixes, dropout or whole words")
        self._ids = dict(model["vocab"])
        pairs = [tuple(pair.split(" ", 1)) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
        self._ranks = {(left, right): float(rank) for rank, (left, right) in enumerate(pairs)}
        self._unknown = self._ids.get(model.get("unk_token") or "")
        if not model.get("fuse_unk") and self._unknown is not None:
            raise steps.unread("a BPE model that does not fuse what is unknown")
        self._cut = self._merged

    def _merged(self, word: str) -> list[Piece]:
        """Cut a word by merging; unknown characters are spelt or fused before anything is merged."""
        symbols: list[str] = []
        unknown: list[int] = []
        for character in word:
            spelt = [f"<0x{byte:02X}>" for byte in character.encode(errors="replace")]
            if character in self._ids:
                symbols.append(character)
            elif self._spells and all(piece in self._ids for piece in spelt):
                symbols += spelt
            elif unknown and unknown[-1] == len(symbols) - 1:
                symbols[-1] += character
            else:
                unknown.append(len(symbols))
                symbols.append(character)
        return [
            (piece, self._ids.get(piece))
            for piece in merged(symbols, lambda left, right: self._ranks.get((left, right)), unknown)
        ]

    def _spelt(self, piece: str) -> list[int] | None:
        if not self._spells:
            return None
        ids = [self._ids.get(f"<0x{byte:02X}>") for byte in piece.encode(errors="replace")]
        return None if None in ids else [at for at in ids if at is not None]

    def _parts(self, text: str) -> Iterator[tuple[str, int | None]]:
        """Yield a text cut at what was added to the vocabulary, which is taken as it is."""
        at = 0
        for found in self._marks.finditer(text) if self._marks else ():
            if found.start() > at:
                yield text[at : found.start()], None
            yield found[0], self._added[found[0]]
            at = found.end()
        yield text[at:], None

    def _words(self, text: str, first: bool) -> list[str]:
        if self._marked:
            text = text.replace(" ", SPACE)
            prefixed = self._prefix == "always" or (self._prefix == "first" and first)
            if prefixed and not text.startswith(SPACE):
                text = SPACE + text
        return re.findall(f"{SPACE}?[^{SPACE}]*", text)[:-1] if self._splits else [text]
