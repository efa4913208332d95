"""Installing: from the network or from disk into the store, whole or not at all."""

from __future__ import annotations

import glob
import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from lowvox import engines, extras, folders
from lowvox.errors import DamagedError, DownloadError, LowvoxError, NotFoundError, UsageError
from lowvox.models import archive, catalogue, place, store
from lowvox.models.choose import missing
from lowvox.models.disk import room, writing
from lowvox.models.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def pull(
    name: str, *, mirror: str | None = None, progress: Callable[[float, float], None] = lambda _here, _length: None
) -> store.Installed:
    """Download a model of the catalogue and install it, in place of the one that is there.

    `mirror` is the address of another folder that holds the file; `progress` gets the bytes here and those in all.
    Raises NotFoundError, UsageError for a built-in model, DownloadError, DamagedError, OutputError.
    """
    from lowvox.models import download

    record = catalogue.records().get(name)
    if record is None:
        raise missing(name)
    if record.url is None:
        raise UsageError(f"The model {name!r} comes with its engine: there is nothing to pull.{_hint(record.engine)}")
    url = record.url if mirror is None else f"{mirror.rstrip('/')}/{record.url.rpartition('/')[2]}"
    part = Part(_part(name))
    with place.alone(store.folder()):
        first = _first(name)
        sha256 = download.fetch(url, part, size=record.size, md5=record.md5, progress=progress)
        try:
            if first not in (None, sha256):
                raise _changed(name, url, sha256)
            found = _install(name, url, part.path, sha256)
        except LowvoxError:  # what is here is wrong, or there is no room for it
            part.forget()
            raise
        part.forget()
        return found


def bring(path: Path, name: str | None = None, source: str | None = None) -> store.Installed:
    """Install a copy of a model on disk under `name`, or the name that its path gives.

    It is a folder, an archive, or the .onnx of a voice, beside which lie its other files: those of the same name.
    `source` is what it was made of, where that is something else.

    Raises NotFoundError, UsageError for a name that cannot be, DamagedError, OutputError.
    """
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {path}; `lowvox models` lists the names that `pull` knows.")
    name = name or re.sub(r"\.(zip|tgz|tar(\.\w+)?|onnx)$", "", path.resolve().name)
    record = catalogue.records().get(name)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or (record and record.embedded):
        raise UsageError(f"A model cannot be called {name!r}; give another with --name: letters, digits, . _ and -.")
    sha256 = None
    if path.is_dir():
        store.recognise(archive.innermost(path))  # before anything is copied
    else:
        from hashlib import file_digest

        with path.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
    with place.alone(store.folder()):
        return _install(name, source or str(path.resolve()), path, sha256)


def exchange(name: str, content: Path) -> store.Installed:
    """Put a folder in the place of an installed model that it was made of; where that came from stays known."""
    there = store.folder() / name
    receipt = store.receipt_of(there)
    with place.alone(store.folder()):
        source, sha256 = (receipt.source, receipt.sha256) if receipt else (str(there), None)
        return _install(name, source, content, sha256)


def removable(name: str) -> None:
    """Raise UsageError for a built-in model, NotFoundError when nothing of the model is here."""
    record = catalogue.records().get(name)
    if record and record.embedded:
        raise UsageError(f"The model {name!r} comes with its engine and cannot be removed without it.")
    if not any(found.name == name for found in store.installed()) and not (record and Part(_part(name)).held):
        raise NotFoundError(f"The model {name!r} is not installed; `lowvox models` lists those that are.")


def remove(name: str) -> None:
    """Remove an installed model and what was downloaded of it; raises as `removable`, and OutputError."""
    models = store.folder()
    with place.alone(models), writing(models):
        removable(name)
        if (models / name).exists():
            place.take_away(models / name)
        if name in catalogue.records():
            Part(_part(name)).forget()


def _install(name: str, source: str, origin: Path, sha256: str | None) -> store.Installed:
    """Unpack or copy `origin` beside the place of the model, check it, and rename it there."""
    models = store.folder()
    with writing(models), place.beside(models) as ready:
        try:
            content = _placed(origin, ready)
            engine = store.recognise(content)
        except (DamagedError, NotFoundError) as error:
            # The files that it names go in a moment; the source is what the person knows.
            raise type(error)(str(error).replace(str(origin), source).replace(str(ready), source)) from error
        size = sum(file.stat().st_size for file in store.files(content))
        languages = store.languages_of(name) or store.named_languages(content)
        date = datetime.now(UTC).isoformat(timespec="seconds")
        receipt = store.Receipt(source, sha256, engine, languages, size, date)
        (content / store.RECEIPT).write_bytes(msgspec.json.encode(receipt))
        place.replace(models / name, content)
    return store.read(models / name)


def _placed(origin: Path, ready: Path) -> Path:
    """Copy or unpack a model into a folder; return the one that holds its files."""
    if origin.is_dir():
        folder = archive.innermost(origin)
        return _copied(store.files(folder), folder, ready)
    if origin.suffix == ".onnx":
        together = origin.parent.glob(f"{glob.escape(origin.stem)}.*")
        return _copied([file for file in together if file.is_file()], origin.parent, ready)
    return archive.unpack(origin, ready)


def _first(name: str) -> str | None:
    """Return the SHA-256 of the archive that an installed model came in, if it did."""
    there = store.folder() / name
    return store.read(there).sha256 if there.is_dir() else None


def _changed(name: str, url: str, sha256: str) -> DownloadError:
    return DownloadError(
        f"{url} is not what was pulled first (its SHA-256 is {sha256}); if that is as it should be, run "
        f"`lowvox rm {name}` and pull it again."
    )


def _copied(files: list[Path], origin: Path, into: Path) -> Path:
    """Copy files of a folder; links among them are followed, for it is the user's own."""
    room(into, sum(file.stat().st_size for file in files))
    for file in files:
        target = into / file.relative_to(origin)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return into


def _part(name: str) -> Path:
    """Return where a download of the catalogue collects."""
    return folders.cache() / "downloads" / f"{name}.part"


def _hint(engine: str) -> str:
    """Say how to get an engine that is not there."""
    return "" if engines.available(engine) else f" `{extras.command(engines.entry(engine).extra)}` brings it."
