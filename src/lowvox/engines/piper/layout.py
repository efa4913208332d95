"""How the folder of a Piper voice is laid out: found out by looking, without reading its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.engines.piper import config as piper_config
from lowvox.errors import DamagedError, NotFoundError
from lowvox.onnx import split

if TYPE_CHECKING:
    from pathlib import Path

    from lowvox.engines.piper.config import Config


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a voice: `graph` is where the whole one is, or would be if it was not split."""

    graph: Path
    config: Config
    split: bool

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks."""
        return self.config.languages


def layout(path: Path) -> Layout:
    """Look at a folder; NotFoundError when it is no Piper voice, DamagedError says what is wrong with it."""
    described = sorted(path.glob(f"*{piper_config.SUFFIX}"))
    if not described:
        raise _none(path)
    if len(described) > 1:
        names = ", ".join(file.name.removesuffix(".json") for file in described[:3])
        raise DamagedError(f"{path} holds several voices; give the file of one ({names}).")
    graph = described[0].with_suffix("")
    sidecar = graph.with_suffix(split.SUFFIX)
    files = split.read(sidecar).files if sidecar.exists() else (graph.name,)
    if lacking := [name for name in files if not _whole(path / name)]:
        raise DamagedError(
            f"The Piper voice in {path} is incomplete: {', '.join(lacking)} missing or empty; copy or pull it again."
        )
    return Layout(graph, piper_config.read(described[0]), sidecar.exists())


def _none(path: Path) -> DamagedError | NotFoundError:
    """Return the error for a folder without the json of a voice; graphs and nothing else are a voice that lost it."""
    files = [file for file in path.glob("*") if file.is_file()]
    if files and all(file.suffix == ".onnx" for file in files):
        lacking = f"{files[0].stem}{piper_config.SUFFIX}"
        return DamagedError(f"The voice in {path} has no json: copy {lacking} beside {files[0].name}.")
    return NotFoundError(f"{path} holds no Piper voice.")


def _whole(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
