"""The store's folder as one process changes it at a time: what is made ready beside is renamed into place.

A kill leaves the old model or the new one, and never half of one; what else it leaves is swept at the next change.
Knows nothing of what a model is.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from lowvox.errors import OutputError
from lowvox.models.disk import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

_OLD = ".old"
_NEW, _GONE = ".new-", ".gone-"


@contextmanager
def alone(models: Path) -> Iterator[None]:
    """Give a folder to one process at a time; the lock ends with the process, however it ends."""
    import fcntl

    with writing(models):
        models.mkdir(parents=True, exist_ok=True)
        lock = os.open(models, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError("Another lowvox is changing the models; run this again when it is done.") from error
        _sweep(models)
        yield
    finally:
        os.close(lock)


def take_away(place: Path) -> None:
    """Remove a folder: out of sight first, then its files."""
    hidden = Path(mkdtemp(prefix=_GONE, dir=place.parent))
    place.rename(hidden / "model")
    shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def beside(models: Path) -> Iterator[Path]:
    """Lend an empty hidden folder in which something is made ready."""
    hidden = Path(mkdtemp(prefix=_NEW, dir=models))
    ready = hidden / "model"  # with the usual permissions, which a temporary folder has not
    ready.mkdir()
    try:
        yield ready
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def replace(place: Path, content: Path) -> None:
    """Put a new model in the place of the old one; see `_sweep` for a kill between the two renames."""
    old = place.with_name(f".{place.name}{_OLD}")
    if place.exists():
        place.rename(old)
    content.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _sweep(models: Path) -> None:
    """Clear what killed installs left; a model that was moved away for one that never came goes back."""
    for left in models.glob(".*"):
        if not left.name.endswith(_OLD) and not left.name.startswith((_NEW, _GONE)):
            continue  # somebody else's
        place = models / left.name.removeprefix(".").removesuffix(_OLD)
        if left.name.endswith(_OLD) and not place.exists():
            left.rename(place)
        else:
            shutil.rmtree(left, ignore_errors=True)
