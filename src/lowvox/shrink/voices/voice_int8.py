"""A voice on disk or installed, in parts whose weights and sums are rounded to 8 bits, with its other files.

`shrink.voices.quantize` does the rounding; here is where the voice comes from and where it goes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import UsageError
from lowvox.models import install
from lowvox.models.disk import beside, writing
from lowvox.onnx import split as sidecars
from lowvox.shrink.voices import quantize as rounding
from lowvox.shrink.voices import voice as voices

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.shrink.voices.voice import Voice


@dataclass(frozen=True, slots=True)
class Rounded:
    """What came of a voice: its parts in `folder`, sizes in bytes by file.

    `noise` is how loud what rounding adds is beside the output of a part that runs in windows, in dB, by file; `name`
    is that of the installed voice, None for one that was written into a folder.
    """

    name: str | None
    folder: Path
    whole: int
    sizes: dict[str, int]
    noise: dict[str, float]


def quantize(voice: str, output: Path | None, name: str | None = None, *, onnx: bool = False) -> Rounded:
    """Round an installed voice, or any by the path of its .onnx, into the new folder `output`, or install it as `name`.

    An installed voice stays as it is; the new one is called as it is with `-int8` behind, where no `name` is given. The
    parts are mapped files, or graphs that other tools read where `onnx` says so. Raises as `voice.split`.
    """
    whole = voices.found(voice)
    if output is not None and name:
        raise UsageError("--name is for a voice that is installed; leave out --output, or `lowvox pull` it afterwards.")
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is not empty; name a new folder.")
    with beside() as folder:
        made = folder / "int8"
        noise = _made(whole, folder / "parts", made, onnx=onnx)
        sizes = {file: (made / file).stat().st_size for file in _told(made, whole).files}
        if output is None:
            there = install.bring(made, name or f"{whole.name or whole.graph.stem}-int8", source=str(whole.graph))
            return Rounded(there.name, there.path, whole.graph.stat().st_size, sizes, noise)
        with writing(output):
            shutil.copytree(made, output, dirs_exist_ok=True)
    return Rounded(None, output, whole.graph.stat().st_size, sizes, noise)


def _made(whole: Voice, parts: Path, made: Path, *, onnx: bool) -> dict[str, float]:
    """Write the rounded parts, their sidecar and the voice's other files; return the noise that rounding adds."""
    with writing(parts):
        parts.mkdir()
        voices.parted(whole, parts, onnx=True)
        rounding.quantize_voice(parts, made, whole.feeds)
        noise = rounding.noise(parts, made, whole.feeds)
        told = _told(made, whole)
        gone = {*told.files, *(file.name for file in made.iterdir())}
        shutil.copytree(parts, made, dirs_exist_ok=True, ignore=lambda *_: gone)
        sidecars.write(_sidecar(made, whole), msgspec.structs.replace(told, packed=True))
        if not onnx:
            told = voices.mapped(made, whole.graph.stem)
    return {stage.file: level for stage, level in zip(told.stages, noise, strict=True)}


def _told(folder: Path, whole: Voice) -> sidecars.Split:
    return sidecars.read(_sidecar(folder, whole))


def _sidecar(folder: Path, whole: Voice) -> Path:
    return folder / f"{whole.graph.stem}{sidecars.SUFFIX}"
