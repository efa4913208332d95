"""PCM to the bytes of a sound file: WAV and raw by hand (27 MB less than with soundfile), FLAC and OGG by libsndfile.

Knows nothing of paths. A failing disk shows as the OSError it is, whatever library stands between.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

T = TypeVar("T")

FORMATS = ("wav", "flac", "ogg", "raw")
STREAMED = ("wav", "raw")  # what can go where nothing can be corrected afterwards
_WAV = struct.Struct("<4sI4s4sIHHIIHH4sI")
# Written when the length is not known, or does not fit: readers take it for "until the end".
_UNKNOWN = 0xFFFFFFFF


class Encoder(Protocol):
    """Takes PCM, writes a file."""

    def add(self, pcm: bytes) -> None:
        """Write some more."""

    def finish(self) -> None:
        """Write what is still held back and what had to wait for the length; the file stays open."""


def encoder(file: BinaryIO, format: str, rate: int, *, seekable: bool) -> Encoder:  # noqa: A002  # the user's word
    """Return the encoder of one of FORMATS for 16-bit mono at `rate`."""
    if format == "raw":
        return Raw(file)
    return Wav(file, rate, seekable=seekable) if format == "wav" else Compressed(file, format, rate)


class Raw:
    """Nothing but the samples."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, pcm: bytes) -> None:
        """See `Encoder`."""
        self._file.write(pcm)

    def finish(self) -> None:
        """See `Encoder`."""


class Wav:
    """A header, then the samples; the header is put right at the end where the file can be rewound."""

    def __init__(self, file: BinaryIO, rate: int, *, seekable: bool) -> None:
        self._file = file
        self._rate = rate
        self._seekable = seekable
        self._size = 0
        file.write(self._header(_UNKNOWN))

    def add(self, pcm: bytes) -> None:
        """See `Encoder`."""
        self._file.write(pcm)
        self._size += len(pcm)

    def finish(self) -> None:
        """See `Encoder`."""
        if self._seekable and self._size + _WAV.size < _UNKNOWN:
            self._file.seek(0)
            self._file.write(self._header(self._size))

    def _header(self, size: int) -> bytes:
        whole = min(size + _WAV.size - 8, _UNKNOWN)
        form = (b"fmt ", 16, 1, 1, self._rate, 2 * self._rate, 2, 16)
        return _WAV.pack(b"RIFF", whole, b"WAVE", *form, b"data", size)


class Compressed:
    """FLAC or OGG Vorbis; needs a file that can be rewound."""

    def __init__(self, file: BinaryIO, format: str, rate: int) -> None:  # noqa: A002
        import soundfile

        self._sink = _Sink(file)
        options = {"samplerate": rate, "channels": 1, "format": format.upper()}
        self._sound = self._watched(lambda: soundfile.SoundFile(self._sink, "w", **options))

    def add(self, pcm: bytes) -> None:
        """See `Encoder`."""
        self._watched(lambda: self._sound.buffer_write(pcm, "int16"))

    def finish(self) -> None:
        """See `Encoder`."""
        self._watched(self._sound.close)

    def _watched(self, work: Callable[[], T]) -> T:
        """Do some work of libsndfile; raise what its file did, which libsndfile may hide or call a system error."""
        try:
            result = work()
        except (AssertionError, RuntimeError):  # soundfile's ways of saying that a write was cut short
            if self._sink.failure is None:
                raise
        if self._sink.failure is not None:
            raise self._sink.failure
        return result


class _Sink:
    """A file for libsndfile. Its callbacks must not raise: the first failure is kept, and ends all writing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: BaseException | None = None

    def write(self, data: bytes) -> int:
        return self._try(lambda: self._file.write(data), len(data))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._try(lambda: self._file.seek(offset, whence), 0)

    def tell(self) -> int:
        return self._try(self._file.tell, 0)

    def _try(self, work: Callable[[], int], otherwise: int) -> int:
        if self.failure is None:
            try:
                return work()
            except BaseException as error:  # Ctrl-C too: a callback would swallow it
                self.failure = error
        return otherwise
