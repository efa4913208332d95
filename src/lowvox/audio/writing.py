"""Sound to a file or to standard output while it is being made.

A file is written beside its place under a hidden name and renamed at the end, so that its place never holds a half.
Knows nothing of speech.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox.audio.encoding import FORMATS, STREAMED, Encoder, encoder
from lowvox.errors import NotFoundError, OutputError, UsageError
from lowvox.files import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import BinaryIO, Self

    from lowvox.types import Audio


class Writer:
    """Writes blocks of sound to `target`: a path, or `-` for standard output.

    The format is the path's suffix unless it is given. Leaving the `with` block keeps the file, leaving it by an error
    removes it; a file into which nothing was written never appears.
    """

    def __init__(self, target: str | Path, format: str | None = None) -> None:  # noqa: A002  # the user's word
        """Check the target; raises UsageError or NotFoundError before any work is done."""
        self._name = "standard output" if target == "-" else str(target)
        # A pipe or a device must be written in place; a link is followed, so that what it points to is replaced.
        self._path = None if target == "-" else Path(target)
        self._in_place = self._path is None or (self._path.exists() and not self._path.is_file())
        if self._path and not self._in_place:
            self._path = self._path.resolve()
        self._format = _format(self._path, format, in_place=self._in_place)
        self._beside = self._path and self._path.with_name(f".lowvox-{os.urandom(6).hex()}.part")
        self._file: BinaryIO | None = None
        self._encoder: Encoder | None = None
        self._rate = 0

    def __enter__(self) -> Self:
        with self._explained():
            if self._path is None:
                self._file = sys.stdout.buffer
            elif self._in_place:
                self._file = self._path.open("wb")
            else:
                assert self._beside is not None
                self._file = self._beside.open("xb+")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.keep()
        else:
            self.discard()

    def write(self, audio: Audio) -> None:
        """Write a block; the first one settles the rate. OutputError when the disk is full."""
        assert self._file is not None, "a Writer is used in a `with` block"
        with self._explained():
            if self._encoder is None:
                self._rate = audio.rate
                self._encoder = encoder(self._file, self._format, audio.rate, seekable=not self._in_place)
            if audio.rate != self._rate:
                raise UsageError(f"{self._name} holds sound at {self._rate} samples a second, not {audio.rate}.")
            self._encoder.add(audio.pcm)

    def keep(self) -> None:
        """Make what was written so far the file; calling it again, or leaving the block, changes nothing."""
        try:
            with self._explained():
                self._finish()
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what was written, unless it was kept."""
        if self._file is not None and self._path is not None:
            with suppress(OSError):  # a full disk says so again
                self._file.close()
        self._file = None
        if self._beside is not None:
            self._beside.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._file is None or self._encoder is None:
            return
        self._encoder.finish()
        self._file.flush()
        if self._path is None or self._in_place:
            return
        os.fsync(self._file.fileno())  # some file systems say only now that they are full
        self._file.close()
        assert self._beside is not None
        self._beside.replace(self._path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the system says into one sentence."""
        try:
            yield
        except (BrokenPipeError, OutputError):  # a reader that has had enough is no failure
            raise
        except OSError as error:
            if self._path is not None and not self._in_place:
                raise unwritable(self._path, error) from error
            raise OutputError(f"{self._name} takes no more ({error.strerror or error}); write elsewhere.") from error


def _format(path: Path | None, wanted: str | None, *, in_place: bool) -> str:
    """Return the format for a target; raises in one sentence what is wrong with the target."""
    if path is not None and path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, such as {path / 'speech.wav'}.")
    if path is not None and not path.parent.is_dir():
        raise NotFoundError(f"There is no folder {path.parent} to write into; make it with `mkdir -p`.")
    chosen = wanted or ("wav" if path is None else path.suffix[1:].lower())
    if chosen not in FORMATS:
        names = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"{path or chosen} does not say a format that lowvox writes; end it in one of {names}.")
    if in_place and chosen not in STREAMED:
        raise UsageError(f"A {chosen} file cannot be streamed; choose one of {', '.join(STREAMED)}.")
    return chosen
