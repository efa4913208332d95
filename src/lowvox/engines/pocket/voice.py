"""Voice files of Pocket TTS: what a backbone has heard of somebody, in the format in which pocket-tts keeps it.

A `.safetensors`: a length, a description in JSON, and arrays. Both ways: what pocket-tts exports is read here, and what
is written here is read there; lowvox adds of which model it is. Knows no graph and no recording.
"""

from __future__ import annotations

import re
import struct
from typing import IO, TYPE_CHECKING, Any

import msgspec
import numpy as np

from lowvox.engines.pocket import layout as pocket_layout
from lowvox.engines.pocket.layout import SUFFIX
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.engines.pocket.layout import CacheFacts, Facts, Layout

LONGEST = 4096  # positions: a recording of 30 s has 376
_MOST_HEADER = 2**20
_NAMES = "transformer.layers.{}.self_attn/"
_TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
_LISTED = 12


class _Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def chosen(found: Layout, name: str | None) -> Path:
    """Return the file of a voice, or of the first one; UsageError where there is none, NotFoundError for another."""
    voices = pocket_layout.known(found)
    if not voices:
        raise UsageError(
            "This voice speaks like somebody, and nobody came with it: give reference, a recording of a few seconds or "
            "a voice file of pocket-tts."
        )
    if name is None:
        return next(iter(voices.values()))
    if name not in voices:
        more = f" and {len(voices) - _LISTED} more" if len(voices) > _LISTED else ""
        raise NotFoundError(f"There is no voice {name!r}; there are {', '.join([*voices][:_LISTED])}{more}.")
    return voices[name]


def read(file: Path, facts: Facts) -> NDArray[np.float32]:
    """Read a voice as float32 [layers, 2, positions, heads, size].

    NotFoundError, DamagedError where it is no voice, is cut short or belongs to another model.
    """
    cache = facts.graphs["backbone"].cache
    assert cache
    try:
        with file.open("rb") as opened:
            tensors, told, begin = _header(opened, file)
            if told.get("weights") not in (None, facts.weights):
                raise _another(file)
            return _heard(opened, file, tensors, begin, cache)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no voice file {file}; check the path.") from error
    except OSError as error:
        raise DamagedError(f"{file.name} cannot be read ({error.strerror or error}); copy it again.") from error


def write(file: Path, heard: NDArray[np.float32], facts: Facts) -> None:
    """Write a voice; OutputError when the disk is full or the folder cannot be written."""
    layers, _, positions, heads, size = heard.shape
    header: dict[str, Any] = {"__metadata__": {"weights": facts.weights, "config": facts.config}}
    at = 0
    for layer in range(layers):
        name = _NAMES.format(layer)
        told = {"cache": ("F32", [2, 1, positions, heads, size], 4), "offset": ("I64", [1], 8), "pad": ("I64", [1], 8)}
        for part, (dtype, shape, width) in told.items():
            end = at + width * int(np.prod(shape))
            header[name + part] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
            at = end
    encoded = msgspec.json.encode(header)
    encoded += b" " * (-len(encoded) % 8)
    with replacing(file, "wb") as out:
        out.write(struct.pack("<Q", len(encoded)) + encoded)
        for kept in heard:
            out.write(np.ascontiguousarray(kept, "<f4").data)
            out.write(struct.pack("<qq", positions, 0))


def check(name: str) -> None:
    """Raise UsageError for a name that cannot be that of a file."""
    if not re.fullmatch(r"\w[\w.-]{0,63}", name):
        raise UsageError(f"A voice cannot be called {name!r}: take letters, digits, hyphens and dots.")


def save(name: str, heard: NDArray[np.float32], facts: Facts) -> Path:
    """Keep a voice under a name; UsageError for one that cannot be."""
    from lowvox.models.disk import writing

    check(name)
    own = pocket_layout.folder(facts)
    with writing(own):
        own.mkdir(parents=True, exist_ok=True)
    file = own / f"{name}{SUFFIX}"
    write(file, heard, facts)
    return file


def _header(opened: IO[bytes], file: Path) -> tuple[dict[str, _Tensor], dict[str, str], int]:
    """Read what arrays there are, what was noted, and where the arrays begin; DamagedError for what is no such file."""
    start = opened.read(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= _MOST_HEADER:
        raise DamagedError(f"{file.name} is no voice file of Pocket TTS; give a .safetensors or a recording.")
    try:
        found = msgspec.json.decode(opened.read(length), type=dict[str, msgspec.Raw])
        told = msgspec.json.decode(found.pop("__metadata__", b"{}"), type=dict[str, str])
        tensors = {name: msgspec.json.decode(raw, type=_Tensor) for name, raw in found.items()}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{file.name} is damaged ({error}); copy or make the voice again.") from error
    end = file.stat().st_size - 8 - length
    for tensor in tensors.values():
        first, last = tensor.data_offsets
        size = _TYPES[tensor.dtype].itemsize if tensor.dtype in _TYPES else 0
        for one in tensor.shape:
            size *= one
        if not 0 <= first <= last <= end or min(tensor.shape, default=0) < 0 or (size and size != last - first):
            raise DamagedError(f"{file.name} is cut short or damaged; copy or make the voice again.")
    return tensors, told, 8 + length


def _heard(
    opened: IO[bytes], file: Path, tensors: dict[str, _Tensor], begin: int, cache: CacheFacts
) -> NDArray[np.float32]:
    """Read the positions that were heard; what is behind them is room that pocket-tts left."""
    names = [_NAMES.format(layer) for layer in range(cache.layers + 1)]
    lengths = {_position(opened, tensors, name, begin) for name in names[:-1]}
    if names[-1] + "cache" in tensors or not all(_fits(tensors.get(f"{name}cache"), cache) for name in names[:-1]):
        raise _another(file)
    length = lengths.pop()
    room = min(tensors[f"{name}cache"].shape[2] for name in names[:-1])
    if lengths or length is None or not 0 < length <= min(room, LONGEST):
        raise DamagedError(f"{file.name} has a length that no voice has ({length} positions); make the voice again.")
    heard = np.empty((cache.layers, 2, length, cache.heads, cache.size), np.float32)
    for layer in range(cache.layers):
        tensor = tensors[f"{names[layer]}cache"]
        first, last = tensor.data_offsets
        for at in range(2):
            opened.seek(begin + first + at * (last - first) // 2)
            heard[layer, at] = np.fromfile(opened, _TYPES[tensor.dtype], heard[layer, at].size).reshape(heard.shape[2:])
    if not np.isfinite(heard).all():
        raise DamagedError(f"{file.name} holds what is no number (NaN); make the voice again.")
    return heard


def _fits(tensor: _Tensor | None, cache: CacheFacts) -> bool:
    """Whether an array holds keys and values of a layer of this model."""
    if tensor is None or tensor.dtype not in ("F32", "F16") or len(tensor.shape) != 5:
        return False
    return (tensor.shape[:2], tensor.shape[3:]) == ((2, 1), (cache.heads, cache.size))


def _position(opened: IO[bytes], tensors: dict[str, _Tensor], name: str, begin: int) -> int | None:
    """Return how many positions were heard; older files say it by the length of an array."""
    if old := tensors.get(f"{name}current_end"):
        return old.shape[0] if old.shape else None
    numbers = []
    for part in ("offset", "pad"):
        tensor = tensors.get(f"{name}{part}")
        if tensor is None or tensor.dtype not in ("I64", "I32") or tensor.data_offsets[0] == tensor.data_offsets[1]:
            numbers.append(0)
            continue
        opened.seek(begin + tensor.data_offsets[0])
        numbers.append(int(np.fromfile(opened, _TYPES[tensor.dtype], 1)[0]))
    return numbers[0] if not numbers[1] else None


def _another(file: Path) -> DamagedError:
    return DamagedError(f"{file.name} is no voice of this model; make one from a recording with reference.")
