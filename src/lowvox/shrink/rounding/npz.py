"""Arrays by name in .npz files, read one sample at a time, whatever their number and whether they are compressed.

A folder holds one sample in each file; in a single file they lie along the first axis of each array. Knows nothing of
graphs.
"""

from __future__ import annotations

import zipfile
import zlib
from contextlib import ExitStack, closing
from itertools import zip_longest
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import DamagedError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Sample = Mapping[str, NDArray[Any]]

# What reading a damaged archive raises.
_BROKEN = (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def each(path: Path, names: Collection[str]) -> Generator[tuple[str, Sample]]:
    """Read samples one by one, each with what to call it."""
    if path.is_dir():
        for file in sorted(path.glob("*.npz")):
            yield str(file), _file(file, names)
    elif path.is_file():
        yield from _rows(path, names)
    else:
        raise NotFoundError(f"There is no file or folder {path}.")


def _file(path: Path, names: Collection[str]) -> Sample:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            return {name: found[name] for name in names if name in found}
    except (*_BROKEN, TypeError) as error:
        raise DamagedError(f"{path} is not a file of numpy's arrays ({error}); write it with numpy.savez.") from error


def _rows(path: Path, names: Collection[str]) -> Generator[tuple[str, Sample]]:
    """Go along the first axis of all arrays of a file."""
    with _opened(path) as archive, ExitStack() as stack:
        there = [name for name in names if f"{name}.npy" in archive.namelist()]
        rows = [stack.enter_context(closing(_along(archive, f"{name}.npy", path))) for name in there]
        for at, values in enumerate(zip_longest(*rows)):
            if less := [name for name, value in zip(there, values, strict=True) if value is None]:
                raise UsageError(f"{path} has less of {less[0]!r} than of its other inputs; give as many of each.")
            yield f"{path}, sample {at + 1}", dict(zip(there, values, strict=True))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DamagedError(f"{path} is not a file of numpy's arrays ({error}); write it with numpy.savez.") from error


def _along(archive: zipfile.ZipFile, name: str, path: Path) -> Generator[NDArray[Any]]:
    """Read an array of an archive row by row."""
    try:
        with archive.open(name) as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, columns, dtype = read(file)
            if columns:  # the rows do not lie one behind the other
                yield from np.frombuffer(file.read(), dtype).reshape(shape, order="F")
                return
            size = prod(shape[1:]) * dtype.itemsize
            for _ in range(shape[0]):
                yield np.frombuffer(file.read(size), dtype).reshape(shape[1:])
    except (*_BROKEN, IndexError) as error:
        raise DamagedError(f"{path} cannot be read ({error}); write it with numpy.savez.") from error
