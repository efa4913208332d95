"""Reading sound: any file that libsndfile knows, or standard input, as blocks of PCM at 16 kHz.

Blocks are read, mixed to one channel and resampled one after the other: a file of any length takes the same memory.
Knows nothing of speech.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lowvox import folders
from lowvox.errors import DamagedError, NotFoundError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

RATE = 16000
BLOCK_S = 0.1
# What libsndfile gives for a length that the header leaves open, as encoders do that write into a pipe.
_UNKNOWN = 2**62
FORMATS = "WAV, FLAC, OGG, MP3 or another format of libsndfile"


@dataclass(frozen=True, slots=True)
class Recording:
    """An open sound: its `name` for messages, and what it was before it was made 16 kHz mono.

    `seconds` is what its header says; 0 where it does not say.
    """

    name: str
    seconds: float
    rate: int
    channels: int
    _file: Any

    def blocks(self) -> Iterator[bytes]:
        """Read it once, as PCM at 16 kHz in blocks of about 0.1 s.

        Raises DamagedError where the sound breaks off or holds what is no number.
        """
        import soxr

        resample = None if self.rate == RATE else soxr.ResampleStream(self.rate, RATE, 1, dtype="float32")
        for mono in self.mono():
            yield _pcm(mono if resample is None else resample.resample_chunk(mono))
        if resample is not None:
            import numpy as np

            yield _pcm(resample.resample_chunk(np.zeros(0, np.float32), last=True))

    def mono(self) -> Iterator[NDArray[np.float32]]:
        """Read float32 blocks [n] and check them."""
        import numpy as np
        import soundfile

        done = 0
        try:
            while len(block := self._file.read(max(1, int(self.rate * BLOCK_S)), dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise DamagedError(f"{self.name} holds samples that are not numbers (NaN); export it again.")
                done += len(block)
                yield _mix(block)
        except soundfile.LibsndfileError as error:
            raise DamagedError(self._broken(done)) from error
        # The length of an MP3 is an estimate (libsndfile/libsndfile#1001).
        if done < self._file.frames and self.seconds and self._file.format != "MP3":
            raise DamagedError(self._broken(done))

    def _broken(self, done: int) -> str:
        return (
            f"{self.name} is damaged: it breaks off after {done / self.rate:.1f} of {self.seconds:.1f} s; "
            "copy it again, or cut it there."
        )


@contextmanager
def opened(source: str | Path) -> Iterator[Recording]:
    """Open a file, or standard input for "-"; NotFoundError or DamagedError when there is no sound to be had."""
    import soundfile

    with ExitStack() as stack:
        name = "standard input" if str(source) == "-" else Path(source).name
        readable = stack.enter_context(_readable(source))
        try:
            # A file object would be read through callbacks, out of which no Ctrl-C comes: its descriptor instead.
            file = stack.enter_context(_forward()(readable.fileno(), closefd=False))
        except soundfile.LibsndfileError as error:
            raise DamagedError(f"{name} is not sound that lowvox can read: it takes {FORMATS}.") from error
        if not file.frames:
            raise DamagedError(f"{name} holds no sound at all (0 samples); record it again.")
        seconds = 0.0 if file.frames >= _UNKNOWN else file.frames / file.samplerate
        yield Recording(name, seconds, file.samplerate, file.channels, file)


def _forward() -> Any:
    """Return the class of a sound file that is only read forwards.

    soundfile seeks to where it is after every read of a file that can seek. In an MP3 that resets the decoder, and the
    beginning of each block is lost: a tone read in blocks of 0.1 s came out 3 dB too quiet.
    """
    import soundfile

    class Forward(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
        def seekable(self) -> bool:
            return False

    return Forward


@contextmanager
def _readable(source: str | Path) -> Iterator[IO[bytes]]:
    """Open what can be read back and forth, and refuse what cannot be a sound before libsndfile does it its own way."""
    if str(source) == "-":
        with _spooled(sys.stdin.buffer, "Standard input") as spool:
            yield spool
        return
    path = Path(source)
    if not path.exists():
        raise NotFoundError(f"There is no file {path}; check the name.")
    if path.is_dir():
        raise NotFoundError(f"{path} is a folder; name the sound files in it, such as {path}/*.wav.")
    if path.is_char_device() or path.is_block_device():
        raise DamagedError(f"{path} is a device and no sound file; to listen to a microphone: lowvox dictate.")
    try:
        file = path.open("rb")
    except PermissionError as error:
        raise NotFoundError(f"{path} may not be read; ask its owner, or change its permissions.") from error
    with file:
        if not path.is_file():
            with _spooled(file, str(path)) as spool:
                yield spool
        elif path.stat().st_size:
            yield file
        else:
            raise DamagedError(f"{path.name} is empty (0 bytes); record or copy it again.")


@contextmanager
def _spooled(stream: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Copy a stream to a file that can be read back and forth: in lowvox's own folder, gone afterwards."""
    from shutil import copyfileobj
    from tempfile import TemporaryFile

    with ExitStack() as stack:
        try:
            folders.cache().mkdir(parents=True, exist_ok=True)
            spool = stack.enter_context(TemporaryFile(dir=folders.cache()))
            copyfileobj(stream, spool)
            spool.flush()
        except OSError as error:
            raise OutputError(
                f"{name} could not be copied to {folders.cache()} ({error.strerror or error}), where sound that comes "
                "through a pipe is kept while it is read; free some space there, or name a file."
            ) from error
        if not spool.tell():
            raise DamagedError(f"{name} is empty; pipe a sound file into it.")
        spool.seek(0)
        yield spool


def _mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix [n, channels] to [n]."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    # Two channels mostly hold the same voice: their mean. In surround sound speech is in one channel (the centre), and
    # a mean of six would make it too quiet for the VAD: the power is kept instead.
    mixed: NDArray[np.float32] = block.sum(axis=1) / (channels if channels == 2 else channels**0.5)
    return mixed


def _pcm(samples: NDArray[np.float32]) -> bytes:
    """Convert float32 [n] to PCM; what is louder than full scale is clipped."""
    import numpy as np

    return (np.clip(samples, -1, 1) * np.float32(32767)).astype("<i2").tobytes()
