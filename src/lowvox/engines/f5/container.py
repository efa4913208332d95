"""The files of an F5 voice as files: those of a folder, or of a tar that is unpacked once into lowvox's cache.

ONNX Runtime takes a path or bytes. A graph of 384 MB takes 1153 MB while it loads from the bytes of a tar's member, and
777 stay, for the session keeps the bytes; from a file it takes 409, and 393 stay. Unpacking it block by block takes 3.
So a tar is unpacked: the disk holds the voice twice, memory never. Into the cache, for the model's folder is the user's
own and may be read-only. Knows no graph.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from lowvox import folders
from lowvox.errors import DamagedError, NotFoundError
from lowvox.memory.lock import locked
from lowvox.models import archive
from lowvox.models.disk import writing

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.engines.f5.layout import Layout

_PATIENCE_S = 600.0  # while another process unpacks the same voice


def opened(path: Path, found: Layout) -> Path:
    """Return the folder below which the names of a layout are files; unpacks a tar that was not unpacked before.

    DamagedError for a hostile or broken tar, OutputError where there is no room for it.
    """
    return path if found.tar is None else _unpacked(path / found.tar)


def _unpacked(tar: Path) -> Path:
    """Return where a tar lies unpacked; a tar that has changed since takes the place of the old one."""
    own = folders.cache() / "f5" / _fingerprint(str(tar.resolve()))
    state = tar.stat()
    ready = own / _fingerprint(f"{state.st_size} {state.st_mtime_ns}")
    if ready.is_dir():
        return ready
    with writing(own):
        own.mkdir(parents=True, exist_ok=True)
        with locked(own / "lock", _PATIENCE_S):
            if not ready.is_dir():
                _unpack(tar, own, ready)
    return ready


def _unpack(tar: Path, own: Path, ready: Path) -> None:
    """Unpack beside `ready`, then rename; what lay there before, whole or not, goes."""
    for left in own.iterdir():
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
    beside = own / f"new-{os.getpid()}"
    beside.mkdir()
    try:
        archive.unpack(tar, beside)
        beside.rename(ready)
    except (DamagedError, NotFoundError):
        with suppress(OSError):
            shutil.rmtree(own)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fingerprint(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]
