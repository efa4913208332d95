"""How the folder of a vosk-tts voice is laid out: found out by looking, without loading it.

`model.onnx` is the voice, or `model.split.json` names its parts; `dictionary` has words and `config.json` symbols;
`bert/` is there where the voice reads what words mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lowvox.engines.vosk_tts import config as vosk_tts_config
from lowvox.errors import DamagedError, NotFoundError
from lowvox.onnx import split

if TYPE_CHECKING:
    from pathlib import Path

MODEL, DICTIONARY, CONFIG = "model.onnx", "dictionary", "config.json"
BERT, VOCABULARY = "bert/model.onnx", "bert/vocab.txt"
_SIDECAR = f"model{split.SUFFIX}"


@dataclass(frozen=True, slots=True)
class Layout:
    """What is in a folder: the voice's config, the files that are its graph, and whether it has a BERT."""

    config: vosk_tts_config.Config
    graphs: tuple[str, ...]
    bert: bool


def layout(path: Path) -> Layout:
    """Look at a folder; NotFoundError when it is no vosk-tts voice, DamagedError says what is wrong with it."""
    if not _belongs(path):
        raise NotFoundError(f"{path} holds no vosk-tts voice.")
    graphs = split.read(path / _SIDECAR).files if (path / _SIDECAR).exists() else (MODEL,)
    bert = (path / VOCABULARY).exists()
    needed = [*graphs, DICTIONARY, CONFIG, *([VOCABULARY, BERT] if bert else [])]
    if lacking := [name for name in needed if not _whole(path / name)]:
        raise DamagedError(
            f"The vosk-tts voice in {path} is incomplete: {', '.join(lacking)} missing or empty; copy or pull it again."
        )
    return Layout(vosk_tts_config.read(path / CONFIG), graphs, bert)


def _belongs(path: Path) -> bool:
    """Whether a folder has two of the three things that only these voices have together."""
    graph = (path / MODEL).is_file() or (path / _SIDECAR).is_file()
    return graph + (path / DICTIONARY).is_file() + _describes(path / CONFIG) >= 2


def _describes(config: Path) -> bool:
    try:
        return b'"phoneme_id_map"' in config.read_bytes()
    except OSError:
        return False


def _whole(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
