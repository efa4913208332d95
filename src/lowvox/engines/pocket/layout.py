"""How the folder of a Pocket TTS voice is laid out, as `lowvox shrink export pocket-tts` writes it.

Found out by looking, without reading a graph: `lowvox.json` says what there is. Folders without one may be exports by
others, which are described in the same words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from lowvox import folders
from lowvox.engines.pocket.text import Rules
from lowvox.errors import DamagedError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

FACTS, TABLE, BEGIN = "lowvox.json", "text.npy", "bos.npy"
VOICES, SUFFIX = "voices", ".safetensors"
VERSION, UPSTREAM = 1, ("4.0.1",)
_GRAPHS = ("backbone", "flow", "decoder")
_AGAIN = "export it again with `lowvox shrink export pocket-tts`"

Flow = Literal["lsd", "flow_matching", "drifting", "pointwise"]


class CacheFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys and values of a graph: so many of each a position, of which it sees the last `context`, or all."""

    layers: int
    heads: int
    size: int
    context: int | None = None


class StateFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a graph hands to its next run beside keys and values."""

    name: str
    shape: tuple[int, ...]


class GraphFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A graph's file, the session profile that suits it, and what it remembers; `stride` is positions a frame."""

    file: str
    profile: str = "default"
    cache: CacheFacts | None = None
    stride: int = 1
    states: tuple[StateFacts, ...] = ()


class TokenizerFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tokenizer's file, of which kind it is, and how many ids it has; 0: as many as are in the file.

    "scores" are two files of JSON, of which this names the one with the ids.
    """

    kind: Literal["sentencepiece", "tokenizers", "scores"]
    file: str
    size: int


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `lowvox.json` says. `rate` is in samples a second, `frame` in samples, `width` and `condition` in numbers.

    `weights` is a digest by which the voices that were made with a model are known.
    """

    engine: Literal["pocket"]
    version: int
    upstream: str
    weights: str
    rate: int
    frame: int
    latent: int
    width: int
    condition: int
    flow: Flow
    tokenizer: TokenizerFacts
    graphs: dict[str, GraphFacts]
    config: str = ""
    digest: str = ""
    precision: str = "fp32"
    languages: tuple[str, ...] = ()
    steps: int = 1
    temperature: float = 0.3
    eos_threshold: float = -4.0
    frames_after_eos: int | None = None
    text: Rules = Rules()
    tokens_per_chunk: int = 50
    bos: bool = False
    sizes: dict[str, int] = {}
    source: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole voice: its folder, what it is, and the files of the voices that came with it by name.

    What is `foreign` has graphs of other kinds, by others.
    """

    folder: Path
    facts: Facts
    voices: dict[str, Path]
    foreign: bool = False

    @property
    def languages(self) -> tuple[str, ...]:
        """What it speaks."""
        return self.facts.languages


def layout(path: Path) -> Layout:
    """Look at a folder; NotFoundError when it is no Pocket TTS voice, DamagedError says what is wrong with it."""
    if not (path / FACTS).exists():
        from lowvox.engines.pocket.foreign import layout as pocket_foreign_layout

        return pocket_foreign_layout.layout(path)
    facts = _facts(path / FACTS)
    for name in _GRAPHS:
        if name not in facts.graphs:
            raise DamagedError(f"{path / FACTS} names no {name}: {_AGAIN}.")
    wanted = [graph.file for graph in facts.graphs.values()] + [facts.tokenizer.file, TABLE] + [BEGIN] * facts.bos
    if strange := next((name for name in [*wanted, *facts.sizes] if not name or {*"/\\:\0"} & {*name}), None):
        raise DamagedError(f"{path / FACTS} names a file outside its folder ({strange!r}); get the voice elsewhere.")
    if lacking := sorted({name for name in [*wanted, *facts.sizes] if not _whole(path / name, facts.sizes.get(name))}):
        raise DamagedError(
            f"The Pocket TTS voice in {path} is incomplete: {', '.join(lacking)} missing or of another size; "
            "copy or export it again."
        )
    return Layout(path, facts, {file.stem: file for file in sorted((path / VOICES).glob(f"*{SUFFIX}"))})


def folder(facts: Facts) -> Path:
    """Return where voices that were saved for a model are; those of one model fit no other."""
    return folders.data() / VOICES / re.sub(r"\W", "", facts.weights)[:16]


def known(found: Layout) -> dict[str, Path]:
    """Return the voices of a model by name: those that came with it, then those that were saved."""
    saved = {file.stem: file for file in sorted(folder(found.facts).glob(f"*{SUFFIX}"))}
    return {**found.voices, **saved}


def _facts(file: Path) -> Facts:
    """Read the sidecar; NotFoundError where it is that of another engine or there is none."""
    try:
        data = file.read_bytes()
        told = msgspec.json.decode(data, type=dict[str, object])
    except OSError as error:
        raise NotFoundError(f"{file.parent} holds no Pocket TTS voice.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if b'"pocket"' not in data:
            raise NotFoundError(f"{file.parent} holds no Pocket TTS voice.") from error
        raise DamagedError(f"{file} is damaged ({error}); {_AGAIN}.") from error
    if told.get("engine") != "pocket":
        raise NotFoundError(f"{file.parent} holds no Pocket TTS voice.")
    if told.get("version") != VERSION or told.get("upstream") not in UPSTREAM:
        raise DamagedError(
            f"{file} is of version {told.get('version')} for pocket-tts {told.get('upstream')}, and this lowvox reads "
            f"{VERSION} for {', '.join(UPSTREAM)}: {_AGAIN}."
        )
    try:
        facts = msgspec.json.decode(data, type=Facts)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{file} is damaged ({error}); {_AGAIN}.") from error
    if not _sane(facts):
        raise DamagedError(f"{file} has numbers that no Pocket TTS can have; {_AGAIN}.")
    return facts


def _sane(facts: Facts) -> bool:
    """Whether nothing in it would make a run endless or ask for memory without bounds."""
    numbers = [facts.rate, facts.frame, facts.latent, facts.width, facts.condition, facts.steps]
    numbers += [facts.tokens_per_chunk, facts.tokenizer.size]
    for graph in facts.graphs.values():
        numbers.append(graph.stride)
        numbers += [size for state in graph.states for size in (*state.shape, 1)]
        if graph.cache:
            numbers += [graph.cache.layers, graph.cache.heads, graph.cache.size, graph.cache.context or 1]
    cached = facts.graphs["backbone"].cache if "backbone" in facts.graphs else None
    return (
        all(0 <= number <= 2**20 for number in numbers)
        and min(facts.rate, facts.frame, facts.latent, facts.width, facts.steps, facts.tokens_per_chunk) > 0
        and ("backbone" not in facts.graphs or cached is not None)
        and all(len(key) == 1 for key in facts.text.replace)
        and facts.temperature >= 0
    )


def _whole(file: Path, size: int | None) -> bool:
    return file.is_file() and file.stat().st_size == (size or file.stat().st_size) > 0
