"""The store: which models are on this machine, and whether each is whole.

A model is a folder below `folders.data()/models`, with a receipt in it when lowvox put it there; a folder put there by
hand counts too. Knows nothing of downloads and loads no engine's library.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from lowvox import engines, folders
from lowvox.errors import LowvoxError, NotFoundError
from lowvox.models import catalogue

if TYPE_CHECKING:
    from pathlib import Path

RECEIPT = "lowvox-model.json"
# The engines whose models are files, with the function that raises NotFoundError for another family's folder.
_LAYOUTS = {name: entry.layout for name, entry in engines.ENGINES.items() if entry.layout}


class Receipt(msgspec.Struct, frozen=True):
    """Where an installed model came from; `sha256` is of the archive, `size` is bytes unpacked."""

    source: str
    sha256: str | None
    engine: str
    languages: tuple[str, ...]
    size: int
    date: str


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on disk, `size` in bytes. `problem` says in one sentence why it cannot be loaded, None if it can."""

    name: str
    path: Path
    engine: str
    languages: tuple[str, ...]
    size: int
    sha256: str | None = None
    problem: str | None = None


def folder() -> Path:
    """Return where models are kept."""
    return folders.data() / "models"


def installed() -> list[Installed]:
    """Return what is in the store, damaged ones too, by name."""
    # Names that begin with a dot are installs under way.
    return [read(path) for path in sorted(folder().glob("[!.]*")) if path.is_dir()]


def read(path: Path) -> Installed:
    """Look at a model folder anywhere; what is wrong with it becomes its `problem`."""
    receipt = receipt_of(path)
    size = sum(file.stat().st_size for file in files(path))
    engine = receipt.engine if receipt else next(iter(_LAYOUTS))
    problem = None
    try:
        engine = recognise(path)
    except LowvoxError as error:
        problem = str(error)
    if receipt and not problem and size != receipt.size:
        problem = f"The model in {path} has {size} bytes and had {receipt.size} when it came; pull it again."
    languages = receipt.languages if receipt else languages_of(path.name) or named_languages(path)
    return Installed(path.name, path, engine, languages, size, receipt.sha256 if receipt else None, problem)


def recognise(path: Path) -> str:
    """Return the engine that can load a folder; DamagedError names missing files, NotFoundError: no model at all."""
    for engine, at in _LAYOUTS.items():
        module, _, layout = at.partition(":")
        with suppress(NotFoundError):
            getattr(import_module(module), layout)(path)
            return engine
    raise NotFoundError(f"{path} holds no model that lowvox knows; a Vosk model has a file final.mdl, mostly in am/.")


def files(path: Path) -> list[Path]:
    """Return the files of a model, without the receipt."""
    return sorted(file for file in path.rglob("*") if file.is_file() and file != path / RECEIPT)


def languages_of(name: str) -> tuple[str, ...]:
    """Return what a model's name says of its languages, in the way that Vosk's models and voices are named."""
    if record := catalogue.records().get(name):
        return record.languages
    match = re.match(r"vosk-model-(?:tts-)?(?:small-)?([a-z]{2,3}(?:-[a-z]{2}\b)?)", name)
    return catalogue.same(match[1]) if match else ()


def named_languages(path: Path) -> tuple[str, ...]:
    """Return the languages that a model's own files name, in a `lowvox.json` or otherwise; none where none does."""
    try:
        facts = msgspec.json.decode((path / "lowvox.json").read_bytes(), type=dict[str, object])
    except (OSError, ValueError):  # msgspec's error is one, and so is that of text that is no UTF-8
        return _languages_found(path)
    spoken = facts.get("languages")
    return tuple(sorted(map(str, spoken))) if isinstance(spoken, dict | list) else ()


def _languages_found(path: Path) -> tuple[str, ...]:
    """Return the languages that the look of a model's folder tells."""
    for at in _LAYOUTS.values():
        module, _, layout = at.partition(":")
        with suppress(LowvoxError):
            return tuple(getattr(getattr(import_module(module), layout)(path), "languages", ()))
    return ()


def digest(path: Path) -> str:
    """Return a short fingerprint of the files' names, sizes and times: cheap, and new whenever they change."""
    from hashlib import sha256

    found = sha256()
    for file in files(path):
        status = file.stat()
        found.update(f"{file.relative_to(path)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]


def receipt_of(path: Path) -> Receipt | None:
    """Return a folder's receipt; a damaged one counts as none, for the model may be sound."""
    try:
        return msgspec.json.decode((path / RECEIPT).read_bytes(), type=Receipt)
    except (OSError, msgspec.DecodeError):
        return None
