"""How a converted Silero TE model is laid out: found out by looking, without loading it.

`model.onnx` is the network and `weights.bin` its weights, `tokens.txt` the vocabulary; `lowvox.json` says what the
numbers mean that go in and come out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from lowvox.errors import DamagedError, NotFoundError
from lowvox.types import Case  # noqa: TC001  # msgspec reads it

if TYPE_CHECKING:
    from pathlib import Path

MODEL, WEIGHTS, TOKENS, FACTS = "model.onnx", "weights.bin", "tokens.txt", "lowvox.json"


class Rules(msgspec.Struct, frozen=True):
    """What the export learnt of a tokenizer; ids are those of its vocabulary.

    `letters` are those beyond ASCII that it knows, `alone` those that are words of their own wherever they stand. A
    word of more than `longest` letters is unknown; no piece has more than `widest`.
    """

    begin: int
    end: int
    unknown: int
    letters: str
    alone: str
    longest: int
    widest: int


class Facts(msgspec.Struct, frozen=True):
    """What `lowvox.json` says.

    `languages` are codes to the number that the network knows them by. `marks` and `cases` are what its classes mean,
    by class: as many as its heads have. `most` is how many pieces it takes at once. `files` are sizes in bytes.
    """

    languages: dict[str, int]
    marks: tuple[str, ...]
    cases: tuple[Case, ...]
    most: int
    tokens: Rules
    files: dict[str, int]
    source: str
    licence: str
    engine: Literal["silero-te"] = "silero-te"


def layout(path: Path) -> Facts:
    """Look at a model folder; NotFoundError when it is no such model, DamagedError says what is wrong with it."""
    try:
        text = (path / FACTS).read_bytes()
    except OSError:
        text = b""
    if b'"silero-te"' not in text:
        raise NotFoundError(f"{path} holds no converted Silero TE model.")
    try:
        facts = msgspec.json.decode(text, type=Facts)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{path / FACTS} is damaged ({error}); convert or copy the model again.") from error
    needed = dict.fromkeys((MODEL, TOKENS), 0) | facts.files
    if amiss := [name for name, size in needed.items() if not 0 < _size(path / name) == size]:
        raise DamagedError(
            f"The Silero TE model in {path} is incomplete: {', '.join(amiss)} missing or cut; convert or copy it again."
        )
    return facts


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else -1
