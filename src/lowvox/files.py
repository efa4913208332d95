"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lowvox.errors import LowvoxError, NotFoundError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a hidden file beside `path` and give it that name when the block ends well; otherwise remove it.

    A link is followed; what is there and is no file (a pipe, a device) is written to as it is. OutputError when the
    disk is full or the folder cannot be written.
    """
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "\n")
    if path.exists() and not path.is_file():
        try:
            with path.open(mode, encoding=encoding, newline=newline) as file:
                yield file
        except IsADirectoryError as error:
            raise unwritable(path, error) from error
        return
    from tempfile import mkstemp  # 0.7 MB

    path = path.resolve()
    try:
        handle, name = mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no folder {path.parent}; make it with mkdir -p.") from error
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with os.fdopen(handle, mode, encoding=encoding, newline=newline) as file:
            yield file
        Path(name).chmod(_usual_mode())
        Path(name).replace(path)
    except LowvoxError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return what to tell somebody whose file could not be written."""
    return OutputError(
        f"{path} could not be written ({error.strerror or error}); nothing was left behind. Free some "
        "space or choose another place."
    )


def _usual_mode() -> int:
    """Return the permissions that the user's mask gives a new file (a temporary file gets none for others)."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
