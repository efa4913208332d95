"""A dictionary of words and their phonemes, searched on disk, whatever the format that it comes in.

It is sorted once into lowvox's cache folder, not beside its source, which may be a model whose receipt counts its bytes
or an installed package. A search maps a few pages of that file and gives them back: what a process holds does not
follow the words that it has met. Knows neither text nor what a phoneme is, nor how a line of the source is written.
"""

from __future__ import annotations

import heapq
import mmap
import os
import struct
from contextlib import ExitStack, suppress
from itertools import groupby
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple
from zlib import crc32

from lowvox import folders
from lowvox.errors import DamagedError, EngineError, NotFoundError
from lowvox.files import replacing, unwritable
from lowvox.memory import allocator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

# What a sorted file begins with: a mark of this version, bytes and time of the dictionary it was made of, its own bytes
# and the lines that were left out. Then lines of a word, a tab and its phonemes, by the bytes of the words.
_HEAD = struct.Struct("<8sQqQQ")
_MARK = b"lowvox\x00\x01"
_CHUNK = 2**21  # bytes of text that are sorted at once: 12 MB of objects
_MOST_CHUNKS = 256  # each is an open file


class Line(NamedTuple):
    """A word, how unlikely it is to be said so (any number, the least wins), and its phonemes with spaces between."""

    word: bytes
    unlikely: float
    phonemes: bytes


class SortedWords:
    """Words to phonemes. `skipped` lines were damaged. May be used by several threads."""

    def __init__(self, path: Path, parse: Callable[[str], Line], remedy: str, chunk: int | None = None) -> None:
        """Open a dictionary, sorting it first where that was not done.

        `parse` reads a line, or raises ValueError for one that is damaged; `remedy` ends the sentences of errors;
        `chunk` is how many bytes are sorted at once, six times as many are held. NotFoundError where there is no such
        file, DamagedError where there is not one word in it, OutputError where the cache folder cannot be written.
        """
        with _opened(path, remedy) as source:
            self._map = _sorted(source, path, parse, remedy, chunk or _CHUNK)
        self.skipped: int = _HEAD.unpack_from(self._map)[-1]

    def phonemes(self, word: str) -> list[str] | None:
        """Return the phonemes of a word as it is most likely said, None where it is not in the dictionary.

        EngineError after `close`.
        """
        if self._map.closed:
            raise EngineError("This voice is closed; load it again.")
        try:
            return self._search(word.encode(errors="surrogatepass"))
        finally:
            # The pages stay in the system's cache, but are no longer part of this process.
            with suppress(AttributeError):  # not every system takes such advice
                self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._map.close()

    def _search(self, wanted: bytes) -> list[str] | None:
        low, high = _HEAD.size, len(self._map)
        while low < high:
            middle = (low + high) // 2
            begin = max(low, self._map.rfind(b"\n", low, middle) + 1)
            end = self._map.find(b"\n", middle, high)
            word, _, phonemes = self._map[begin:end].partition(b"\t")
            if word == wanted:
                return phonemes.decode().split(" ")
            low, high = (end + 1, high) if word < wanted else (low, begin)
        return None


def _opened(path: Path, remedy: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise NotFoundError(f"The dictionary {path} cannot be read ({error.strerror}); {remedy}.") from error


def _sorted(source: IO[bytes], path: Path, parse: Callable[[str], Line], remedy: str, chunk: int) -> mmap.mmap:
    """Map the sorted file of a dictionary, which is written first where it is not there."""
    found = os.fstat(source.fileno())
    state = (found.st_size, found.st_mtime_ns)
    # Two dictionaries whose paths have the same sum would only sort theirs again and again; sha256 costs megabytes.
    place = folders.cache() / "dictionaries" / f"{path.name[:40]}.{crc32(bytes(path.resolve())):08x}.words"
    mapped = _mapped(place, state)
    if mapped is None:
        _sort(_Lines(source, parse), place, state, chunk)
        allocator.trim()
        mapped = _mapped(place, state)
    if mapped is None:
        raise EngineError(f"{path} was replaced while it was read; try again.")
    if found.st_size and len(mapped) == _HEAD.size:
        raise DamagedError(f"{path} is not a dictionary: it holds not one word; {remedy}.")
    return mapped


def _mapped(place: Path, state: tuple[int, int]) -> mmap.mmap | None:
    """Map a sorted file; None where there is none of a dictionary in this state, or not all of it."""
    try:
        with place.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # the latter for an empty file
        return None
    if len(mapped) >= _HEAD.size and _HEAD.unpack_from(mapped)[:-1] == (_MARK, *state, len(mapped)):
        return mapped
    mapped.close()
    return None


def _sort(lines: _Lines, place: Path, state: tuple[int, int], chunk: int) -> None:
    """Write the sorted file of a dictionary, holding a few MB of it at a time."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(place, error) from error
    with replacing(place, "wb") as file, ExitStack() as stack:
        file.write(_HEAD.pack(_MARK, *state, 0, 0))
        size = max(chunk, state[0] // _MOST_CHUNKS)
        runs = [_kept(some, stack.enter_context(TemporaryFile(dir=place.parent))) for some in _chunks(lines, size)]
        for line in _best(heapq.merge(*map(_read, runs), key=_order)):
            file.write(b"%s\t%s\n" % (line.word, line.phonemes))
        whole = file.tell()
        file.seek(0)
        file.write(_HEAD.pack(_MARK, *state, whole, lines.skipped))


class _Lines:
    """The lines of a dictionary that can be read, as they come; `skipped` counts the others."""

    def __init__(self, file: IO[bytes], parse: Callable[[str], Line]) -> None:
        self._file, self._parse = file, parse
        self.skipped = 0

    def __iter__(self) -> Iterator[Line]:
        for line in self._file:
            try:
                yield self._parse(line.decode())
            except ValueError:
                self.skipped += not line.isspace()


def _chunks(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """Yield lines in chunks of about so many bytes of text."""
    chunk: list[Line] = []
    held = 0
    for line in lines:
        chunk.append(line)
        held += len(line.word) + len(line.phonemes)
        if held >= size:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _kept(chunk: list[Line], file: IO[bytes]) -> IO[bytes]:
    """Write a chunk, sorted and without what is said less often, into a file and return it at its start."""
    chunk.sort(key=_order)
    for line in _best(chunk):
        file.write(b"%s\t%r\t%s\n" % line)
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[Line]:
    for line in file:
        word, unlikely, phonemes = line[:-1].split(b"\t")
        yield Line(word, float(unlikely), phonemes)


def _best(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the first of the lines of each word: of two that are said as often it is the earlier one."""
    for _, same in groupby(lines, key=itemgetter(0)):
        yield next(same)


# The position of a line need not be in it: neither sorting nor merging changes the order of equals.
_order = itemgetter(0, 1)
