"""Text from a file or standard input, piece by piece, so that its size does not matter. Knows nothing of sentences."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

_BLOCK = 1024


class Source:
    """Open text: its `name` for messages, and its `size` in bytes, 0 where it is not known beforehand."""

    def __init__(self, name: str, size: int, file: BufferedReader | BytesIO) -> None:
        self.name = name
        self.size = size
        self._file = file

    def pieces(self, on_progress: Callable[[float, float], None] = lambda *_: None) -> Iterator[str]:
        """Yield the text as it comes; `on_progress` is told (bytes read, size). DamagedError where it is not UTF-8."""
        decode = codecs.getincrementaldecoder("utf-8")().decode
        read = 0
        while True:
            # read1 gives what there is: somebody may be typing.
            data = self._file.read1(_BLOCK)
            try:
                text = decode(data, final=not data)
            except UnicodeDecodeError as error:
                place = read + len(data) - len(error.object) + error.start
                raise DamagedError(
                    f"{self.name} is not UTF-8 text: byte {place} is 0x{error.object[error.start]:02x}; "
                    "save it as UTF-8."
                ) from error
            # Windows editors begin a file with a mark that is not part of the text.
            yield text.removeprefix("\ufeff") if read == 0 else text
            read += len(data)
            on_progress(read, self.size)
            if not data:
                return


def given(text: str) -> Source:
    """Return text from the command line; bytes that are no text come back to light in `pieces`."""
    data = text.encode("utf-8", "surrogateescape")
    return Source("The text", len(data), BytesIO(data))


@contextmanager
def opened(path: str) -> Iterator[Source]:
    """Open a text file, or standard input for "-"; NotFoundError when there is none."""
    if path == "-":
        yield Source("Standard input", 0, sys.stdin.buffer)  # type: ignore[arg-type]  # BinaryIO lacks read1
        return
    if Path(path).is_dir():
        raise NotFoundError(f"{path} is a folder; name a text file in it.")
    try:
        file = Path(path).open("rb")  # noqa: SIM115  # closed below
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}; check the name.") from error
    with file:
        status = os.fstat(file.fileno())
        yield Source(path, status.st_size if stat.S_ISREG(status.st_mode) else 0, file)
