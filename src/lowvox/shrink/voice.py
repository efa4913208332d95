"""A voice on disk or installed, split into parts that lie beside its other files.

`shrink.split` does the cutting; here is what is tried on a voice, where its files are, and where they go.
"""

from __future__ import annotations

import glob
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lowvox import extras, folders
from lowvox.errors import NotFoundError, UsageError
from lowvox.models import install, store
from lowvox.models.disk import room, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lowvox.engines.piper_config import Config
    from lowvox.onnx.split import Split
    from lowvox.shrink.split import Feeds


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a voice: its parts in `folder`, sizes in bytes by file, and how far they were from the whole.

    `name` is that of an installed voice, None for one that was written into a folder.
    """

    name: str | None
    folder: Path
    whole: int
    sizes: dict[str, int]
    split: Split
    difference: float


@dataclass(frozen=True, slots=True)
class _Voice:
    """A voice to split: its graph, the files that go with it, and its name where it is installed."""

    graph: Path
    others: list[Path]
    name: str | None


def split(voice: str, output: Path | None) -> Done:
    """Split an installed voice in its place, or any voice, also by the path of its .onnx, into the folder `output`.

    The whole graph is left out of what is installed. NotFoundError where there is no such voice or the onnx package is
    missing, UsageError for what cannot be split, DamagedError where the parts would not give what the whole gives.
    """
    if find_spec("onnx") is None:
        raise NotFoundError(f"Splitting a voice needs the package onnx: run `{extras.command('split')}`.")
    found = _found(voice)
    if output is not None:
        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
        return _split(found, output, None)
    if found.name is None:
        raise UsageError("Say where the parts go: -o FOLDER; only an installed voice is split in its place.")
    with _beside() as folder:
        done = _split(found, folder, found.name)
        there = install.exchange(found.name, folder)
    return Done(done.name, there.path, done.whole, done.sizes, done.split, done.difference)


def feeds(config: Config) -> Feeds:
    """Return what gives texts of so many symbols to try a Piper voice with: its own phonemes, one after the other."""
    import numpy as np

    from lowvox.engines import piper

    known = sorted(one for several in config.phoneme_id_map.values() for one in several)
    usual = config.inference
    # Lengths without noise: two texts of different length must not come out equally long.
    scales = np.array([usual.noise_scale, usual.length_scale, 0], np.float32)

    def text(symbols: int) -> dict[str, NDArray[Any]]:
        given = piper.feeds([known[at % len(known)] for at in range(symbols)], scales, config.default_speaker_id)
        return given if config.num_speakers > 1 else {name: given[name] for name in given if name != "sid"}

    return text


def _found(voice: str) -> _Voice:
    installed = next((one for one in store.installed() if one.name == voice), None)
    path = installed.path if installed else Path(voice).expanduser()
    if not path.exists():
        raise NotFoundError(f"There is no voice {voice!r}, installed or on disk; `lowvox models` lists the installed.")
    if path.is_dir():
        from lowvox.engines.piper_layout import layout

        found = layout(path)
        if not found.graph.is_file():
            raise UsageError(f"The voice {voice!r} is split already; `lowvox pull` it again to have it whole.")
        return _Voice(found.graph, _beyond(found.graph, store.files(path)), installed.name if installed else None)
    together = [file for file in path.parent.glob(f"{glob.escape(path.stem)}.*") if file.is_file()]
    return _Voice(path, _beyond(path, together), None)


def _beyond(graph: Path, files: list[Path]) -> list[Path]:
    """Return the files that are neither the graph nor parts that it was split into before."""
    from lowvox.onnx import split as sidecars

    sidecar = graph.with_suffix(sidecars.SUFFIX)
    parts = {sidecar, *map(graph.with_name, sidecars.read(sidecar).files)} if sidecar.exists() else set()
    return [file for file in files if file != graph and file not in parts]


def _split(voice: _Voice, folder: Path, name: str | None) -> Done:
    from lowvox.engines import piper_config
    from lowvox.shrink import split as cutting

    config = piper_config.read(voice.graph.with_suffix(piper_config.SUFFIX))
    whole = voice.graph.stat().st_size
    with writing(folder):
        room(folder, whole)
        told, off = cutting.split(voice.graph, folder, feeds(config))
        for file in voice.others:
            if not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)
    sizes = {file: (folder / file).stat().st_size for file in told.files}
    return Done(name, folder, whole, sizes, told, off)


@contextmanager
def _beside() -> Iterator[Path]:
    """Lend a folder on the disk of lowvox's own files."""
    cache = folders.cache()
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="split-") as beside:
        yield Path(beside)
