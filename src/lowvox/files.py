"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from lowvox.errors import LowvoxError, NotFoundError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    path = path.resolve()
    # Named before it is made: whatever interrupts from here on, it is known what to remove.
    part = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.part")
    try:
        with part.open(mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
            yield file
        part.replace(path)
    except LowvoxError:
        raise
    except FileNotFoundError as error:
        if path.parent.is_dir():
            raise unwritable(path, error) from error
        raise NotFoundError(f"There is no folder {path.parent}; make it with mkdir -p.") from error
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return what to tell somebody whose file could not be written."""
    return OutputError(
        f"{path} could not be written ({error.strerror or error}); nothing was left behind. Free some "
        "space or choose another place."
    )
