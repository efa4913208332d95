"""Room on the disk, and errors of writing in one sentence. Knows nothing of what is written."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox import folders
from lowvox.errors import LowvoxError, OutputError
from lowvox.files import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1 << 20


def room(folder: Path, needed: int) -> None:
    """Raise OutputError unless the disk of `folder`, which exists, has `needed` bytes free."""
    from shutil import disk_usage

    free = disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"The disk of {folder} has {free / MB:.0f} MB free and {needed / MB:.0f} MB are needed; make room, or set "
            "LOWVOX_HOME to a folder on another disk."
        )


@contextmanager
def beside() -> Iterator[Path]:
    """Lend a folder on the disk of lowvox's own files, which is gone afterwards."""
    from tempfile import TemporaryDirectory

    cache = folders.cache()
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="shrink-") as lent:
        yield Path(lent)


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Lend a new folder beside `folder`, which may be there if it is empty; it takes that name when the block ends.

    Where the block fails nothing of it is left. The operating system's errors become OutputError.
    """
    from tempfile import TemporaryDirectory

    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as near:
            made = Path(near) / folder.name
            made.mkdir()
            yield made
            if folder.exists():
                folder.rmdir()
            made.rename(folder)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing below `path` into OutputError; lowvox's own pass through."""
    try:
        yield
    except LowvoxError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error
