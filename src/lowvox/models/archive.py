"""Safe unpacking of zip and tar: nothing lands outside the folder, no links, no devices, no bombs.

Every archive is taken as hostile: it comes from a network or from somebody's disk. Knows nothing of models.
"""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Self

from lowvox.errors import DamagedError, LowvoxError
from lowvox.models.disk import room, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The largest Vosk model takes 4.4 GB packed and a few times that unpacked; models hold tens of files.
MOST_BYTES = 16 << 30
MOST_FILES = 10_000
# Models shrink to a half or a third; what grows twentyfold is a bomb. Small archives may hold a few empty tables.
_GROWTH = 20
_SMALL = 64 << 20
_BLOCK = 1 << 20
# A long name takes a header of its own; none takes this much.
_LONGEST_HEADER = 1 << 20
# What the standard library raises while reading: zip's own, tar's own, those of each compression; RuntimeError is for
# encrypted files, NotImplementedError for unknown compression, OSError for broken bzip2 and gzip streams.
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError, OSError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder in an archive; `open` is None for a folder."""

    name: str
    open: Callable[[], IO[bytes] | None] | None


def unpack(archive: Path, into: Path, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES) -> Path:
    """Unpack a zip or tar file into the empty folder `into`; return the folder that holds the content.

    Raises DamagedError for what is no archive, broken or hostile, OutputError when it cannot be written. What was
    unpacked until then stays for the caller to remove.
    """
    packed = archive.stat().st_size
    room(into, packed)
    allowance = min(most_bytes, max(_SMALL, _GROWTH * packed))
    written = 0
    for count, member in enumerate(members(archive), 1):
        if count > most_files:
            raise _refused(archive, f"holds more than {most_files} files")
        written += _place(archive, member, into, allowance - written)
    return innermost(into)


def innermost(folder: Path) -> Path:
    """Step down while a folder holds one folder and nothing else, as archives and unpackers like to make."""
    inside = list(folder.iterdir())
    return innermost(inside[0]) if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink() else folder


def members(archive: Path) -> Iterator[Member]:
    """Walk an archive; its links, devices and encrypted files are refused."""
    try:
        # Tar first: a zip file inside a tar file looks like the end of a zip file.
        if tarfile.is_tarfile(archive):
            yield from _tar_members(archive)
        elif zipfile.is_zipfile(archive):
            yield from _zip_members(archive)
        else:
            raise DamagedError(f"{archive} is no zip or tar file, or only a part of one; fetch it again.")
    except LowvoxError:
        raise
    except _BROKEN as error:
        raise _broken(archive, error) from error


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(archive, f"holds {info.filename!r}, which is no file")
            yield Member(info.filename, None if info.is_dir() else partial(opened.open, info))


def _tar_members(archive: Path) -> Iterator[Member]:
    class Header(tarfile.TarInfo):
        """A header that is not read when it claims to be long: tarfile would take all of it into memory."""

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            header = super().frombuf(buf, encoding, errors)
            if header.size > _LONGEST_HEADER and header.type not in (*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE):
                raise _refused(archive, f"has a header of {header.size} bytes")
            return header

    with tarfile.open(archive, "r:*", tarinfo=Header) as opened:
        for info in opened:
            if not (info.isdir() or info.isreg()) or info.issparse():
                raise _refused(archive, f"holds {info.name!r}, which is no file")
            yield Member(info.name, None if info.isdir() else partial(opened.extractfile, info))


def _place(archive: Path, member: Member, into: Path, allowance: int) -> int:
    """Write one member below `into`; return its bytes."""
    target = into.joinpath(*_safe(archive, member.name))
    with writing(target):
        try:
            (target if member.open is None else target.parent).mkdir(parents=True, exist_ok=True)
            file = None if member.open is None else target.open("xb")
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise _refused(archive, f"holds {member.name!r} twice") from error
        return _copy(archive, member, file, allowance) if file else 0


def _copy(archive: Path, member: Member, file: IO[bytes], allowance: int) -> int:
    """Write the bytes of one member; they are counted, because what an archive declares is only a claim."""
    written = 0
    with file:
        for block in _blocks(archive, member):
            written += len(block)
            if written > allowance:
                raise _refused(archive, "unpacks to far more than a model takes")
            file.write(block)
    return written


def _safe(archive: Path, name: str) -> tuple[str, ...]:
    """Return the parts of a member's path; anything that could lead outside is refused on every system."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or any(character in name for character in "\\:\0"):
        raise _refused(archive, f"holds {name!r}, which leads outside")
    return path.parts


def _blocks(archive: Path, member: Member) -> Iterator[bytes]:
    """Read one file of an archive, block after block."""
    try:
        source = member.open() if member.open else None
        if source is None:
            return
        with source:
            while block := source.read(_BLOCK):
                yield block
    except _BROKEN as error:
        raise _broken(archive, error) from error


def _refused(archive: Path, reason: str) -> DamagedError:
    return DamagedError(f"{archive} {reason}; it was not unpacked, get the model from another source.")


def _broken(archive: Path, error: Exception) -> DamagedError:
    return DamagedError(f"{archive} is damaged ({error}); fetch it again.")
