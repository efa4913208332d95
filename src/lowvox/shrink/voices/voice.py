"""A voice on disk or installed, split into parts that lie beside its other files.

`shrink.voices.split` does the cutting; here is what is tried on a voice of each family, where its files are, and where
they go.
"""

from __future__ import annotations

import glob
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowvox import extras
from lowvox.errors import NotFoundError, UsageError
from lowvox.models import install, store
from lowvox.models.disk import beside, room, writing
from lowvox.shrink.rounding import RECIPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lowvox.engines.piper import config as piper_config
    from lowvox.engines.vosk_tts import config as vosk_tts_config
    from lowvox.onnx.split import Split
    from lowvox.shrink.voices.split import Feeds


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
class Voice:
    """A whole voice: its graph, the files that go with it, what to try it with, its name where it is installed.

    `language` is what it speaks, as lowvox writes it, "" where nothing says so; `rate` is in samples a second.
    """

    graph: Path
    others: list[Path]
    feeds: Feeds
    name: str | None
    language: str
    rate: int


def split(voice: str, output: Path | None, *, onnx: bool = False) -> Done:
    """Split an installed voice in its place, or any voice, also by the path of its .onnx, into the folder `output`.

    The whole graph is left out of what is installed. The parts are mapped files, or graphs that other tools read where
    `onnx` says so. NotFoundError where there is no such voice or the onnx package is
    missing, UsageError for what cannot be split, DamagedError where the parts would not give what the whole gives.
    """
    whole = found(voice)
    if output is not None:
        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
        return parted(whole, output, onnx=onnx)
    if whole.name is None:
        raise UsageError("Say where the parts go: -o FOLDER; only an installed voice is split in its place.")
    with beside() as folder:
        done = parted(whole, folder, onnx=onnx)
        there = install.exchange(whole.name, folder)
    return replace(done, name=whole.name, folder=there.path)


def piper_feeds(config: piper_config.Config) -> Feeds:
    """Return what gives texts of so many symbols to try a Piper voice with: its own phonemes, one after the other."""
    import numpy as np

    from lowvox.engines.piper import engine as piper

    known = sorted(one for several in config.phoneme_id_map.values() for one in several)
    scales = np.array(_even(config.inference.noise_scale, config.inference.length_scale), np.float32)

    def text(symbols: int) -> dict[str, NDArray[Any]]:
        given = piper.feeds(_first(symbols, known), scales, config.default_speaker_id)
        return given if config.num_speakers > 1 else {name: given[name] for name in given if name != "sid"}

    return text


def vosk_tts_feeds(config: vosk_tts_config.Config) -> Feeds:
    """Return the same for a voice of vosk-tts."""
    from lowvox.engines.vosk_tts import engine as vosk_tts

    known = sorted(one for several in config.ids.values() for one in several)
    return lambda symbols: vosk_tts.sample(config, _first(symbols, known), _even(0.5, 1.0))


def _even(noise: float, length: float) -> tuple[float, float, float]:
    """Return scales with lengths that do not vary: texts of different length must not come out equally long."""
    return noise, length, 0.0


def _first(count: int, known: list[int]) -> list[int]:
    return [known[at % len(known)] for at in range(count)]


def found(voice: str) -> Voice:
    """Find a whole voice by the name that it is installed under, or its path; raises as `split`."""
    if find_spec("onnx") is None:
        raise NotFoundError(f"Splitting a voice needs the package onnx: run `{extras.command('split')}`.")
    installed = next((one for one in store.installed() if one.name == voice), None)
    path = installed.path if installed else Path(voice).expanduser()
    if not path.exists():
        raise NotFoundError(f"There is no voice {voice!r}, installed or on disk; `lowvox models` lists the installed.")
    if path.is_file():
        return _voice(path, _beside(path), None)
    graph = _graph(path)
    if not graph.is_file():
        raise UsageError(f"The voice {voice!r} is split already; `lowvox pull` it again to have it whole.")
    return _voice(graph, store.files(path), installed.name if installed else None)


def _beside(graph: Path) -> list[Path]:
    """Return the files of the voice that a graph is of: those of its name, or all where only a folder tells."""
    from lowvox.engines.vosk_tts import layout as vosk_tts_layout

    if graph.name == vosk_tts_layout.MODEL and graph.with_name(vosk_tts_layout.CONFIG).exists():
        return store.files(graph.parent)
    return [file for file in graph.parent.glob(f"{glob.escape(graph.stem)}.*") if file.is_file()]


def _graph(folder: Path) -> Path:
    """Return where the whole graph of a voice is, or would be."""
    from lowvox.engines.piper import layout as piper_layout
    from lowvox.engines.vosk_tts import layout as vosk_tts_layout

    with suppress(NotFoundError):
        return piper_layout.layout(folder).graph
    with suppress(NotFoundError):
        vosk_tts_layout.layout(folder)
        return folder / vosk_tts_layout.MODEL
    raise NotFoundError(f"{folder} holds no voice of Piper's or vosk-tts's; only those can be split.")


def _voice(graph: Path, files: list[Path], name: str | None) -> Voice:
    from lowvox.engines.piper import config as piper_config
    from lowvox.engines.vosk_tts import config as vosk_tts_config
    from lowvox.engines.vosk_tts import layout as vosk_tts_layout

    described, other = graph.with_suffix(piper_config.SUFFIX), graph.with_name(vosk_tts_layout.CONFIG)
    beyond = _beyond(graph, files)
    if other.exists() and not described.exists():
        vosk = vosk_tts_config.read(other)
        return Voice(graph, beyond, vosk_tts_feeds(vosk), name, "ru", vosk.audio.sample_rate)
    piper = piper_config.read(described)
    return Voice(graph, beyond, piper_feeds(piper), name, next(iter(piper.languages), ""), piper.audio.sample_rate)


def _beyond(graph: Path, files: list[Path]) -> list[Path]:
    """Return the files that are neither the graph nor parts that it was split into before, nor recipes of such."""
    from lowvox.onnx import split as sidecars

    sidecar = graph.with_suffix(sidecars.SUFFIX)
    parts = {sidecar, *map(graph.with_name, sidecars.read(sidecar).files)} if sidecar.exists() else set()
    others = (file for file in files if file != graph and file not in parts)
    return [file for file in others if not file.name.endswith(RECIPE)]


def parted(voice: Voice, folder: Path, *, onnx: bool) -> Done:
    """Write the parts of a voice and its other files into a folder."""
    from lowvox.shrink.voices import split as cutting

    whole = voice.graph.stat().st_size
    with writing(folder):
        room(folder, whole)
        told, off = cutting.split(voice.graph, folder, voice.feeds)
        told = told if onnx else mapped(folder, voice.graph.stem)
        for file in voice.others:
            target = folder / file.relative_to(voice.graph.parent)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    sizes = {file: (folder / file).stat().st_size for file in told.files}
    return Done(None, folder, whole, sizes, told, off)


def mapped(folder: Path, stem: str) -> Split:
    """Turn the parts of a split voice into files that are mapped, in their place; return what its sidecar says now.

    Their weights then are pages of the files instead of copies, and they load in a fraction of the time.
    """
    import msgspec

    from lowvox.onnx import split as sidecars
    from lowvox.onnx.session import MAPPED_SUFFIX, write_mapped

    sidecar = folder / f"{stem}{sidecars.SUFFIX}"
    told = sidecars.read(sidecar)
    for name in told.files:
        write_mapped(folder / name, (folder / name).with_suffix(MAPPED_SUFFIX))

    def renamed(name: str) -> str:
        return str(Path(name).with_suffix(MAPPED_SUFFIX))

    stages = tuple(msgspec.structs.replace(stage, file=renamed(stage.file)) for stage in told.stages)
    done = msgspec.structs.replace(told, front=renamed(told.front), stages=stages)
    sidecars.write(sidecar, done)
    for name in told.files:
        (folder / name).unlink()
    return done
