"""A voice's stages to programs of ExecuTorch's: its front stays with ONNX Runtime, what is run in windows is lowered.

What comes out is a folder: the front as .onnx, a program with its description for each stage, and a sidecar as
`onnx.split` has it that names the programs. It is written only when a whole sentence in windows came out as without.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from lowvox.errors import EngineError, NotFoundError, UsageError
from lowvox.models.disk import beside, writing
from lowvox.onnx import split as sidecars
from lowvox.onnx.session import MAPPED_SUFFIX, Session
from lowvox.onnx.stages import BEFORE, stream
from lowvox.shrink.executorch import layout, shapes
from lowvox.shrink.executorch.graph import TOLERANCE, furthest, made
from lowvox.shrink.executorch.layout import Given, Lowered
from lowvox.shrink.executorch.sentences import handed, opened, spoken
from lowvox.shrink.trials.distance import signals
from lowvox.shrink.voices.quantize import SENTENCES, UNSEEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.onnx.split import Split, Stage
    from lowvox.shrink.voices.split import Feeds

    Values = Mapping[str, NDArray[Any]]

SUFFIX = ".lowered.json"
_SAMPLES = 16  # windows of each stage that ranges are measured on


@dataclass(frozen=True, slots=True)
class Done:
    """A lowered voice: the bytes of its files, and how far sentences are from those of the parts that it was made of.

    `difference` is the largest between two samples, `distance_db` as `shrink.trials.distance` has it; `lengths` are in
    frames.
    """

    folder: Path
    sizes: dict[str, int]
    difference: float
    distance_db: float
    lengths: tuple[int, ...]


def lower(voice: str, out: Path, window: int, *, int8: bool = False, overwrite: bool = False) -> Done:
    """Lower an installed voice, the .onnx of one, or the folder of one that was split with `--onnx`, into a folder.

    NotFoundError where there is no such voice, UsageError for parts that cannot be read and an `out` that is there,
    DamagedError for what cannot be lowered, EngineError where sentences come out differently: nothing is written then.
    """
    layout.require()
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already; add --overwrite to replace it, or name another folder.")
    if out.exists() and not (out.is_dir() and (any(out.glob(f"*{SUFFIX}")) or not any(out.iterdir()))):
        raise UsageError(f"{out} is there and holds no lowered voice; name another folder.")
    with beside() as lent, writing(out):
        folder, told, feeds = _parts(voice, lent)
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as near:
            done = stages(folder, told, feeds, Path(near) / "made", window, int8=int8)
            if out.exists():
                shutil.rmtree(out)
            done.folder.rename(out)
    return Done(out, done.sizes, done.difference, done.distance_db, done.lengths)


def is_voice(name: str) -> bool:
    """Whether this is a voice's name or path, not that of a graph that belongs to none."""
    from lowvox.engines.piper import config as piper_config
    from lowvox.engines.vosk_tts import layout as vosk_tts_layout

    path = Path(name).expanduser()
    others = (vosk_tts_layout.CONFIG, vosk_tts_layout.DICTIONARY)
    of_vosk = path.name == vosk_tts_layout.MODEL and all(path.with_name(other).exists() for other in others)
    return path.suffix != ".onnx" or of_vosk or path.with_suffix(piper_config.SUFFIX).exists()


def stages(folder: Path, told: Split, feeds: Feeds, out: Path, window: int, *, int8: bool) -> Done:
    """Lower the stages of a split voice into the new folder `out` and compare sentences."""
    out.mkdir()
    shutil.copyfile(folder / told.front, out / told.front)
    seen = _seen(folder, told, feeds, window)
    named = []
    for stage in told.stages:
        program = Path(stage.file).with_suffix(layout.SUFFIX).name
        plan = _plan(stage, program, seen[stage.file], told, window, "int8" if int8 else "fp32")
        data, plan = made(shapes.loaded(folder / stage.file), plan, _whole(plan, seen[stage.file]))
        layout.write(out / program, data, plan)
        named.append(msgspec.structs.replace(stage, file=program))
    lowered = msgspec.structs.replace(told, stages=tuple(named))
    sidecars.write(out / f"{_stem(told)}{SUFFIX}", lowered)
    expected, found, lengths = spoken(folder, told, out, lowered, feeds(UNSEEN), window)
    most = max(float(np.abs(one - other).max(initial=0)) for one, other in zip(expected, found, strict=True))
    if not int8 and not furthest([[each] for each in expected], [[each] for each in found]) <= TOLERANCE:
        raise EngineError(f"The programs differ from the voice by {most:.1g}; nothing was written.")
    sizes = {name: (out / name).stat().st_size for name in lowered.files}
    return Done(out, sizes, most, signals([[each] for each in expected], [[each] for each in found]), lengths)


def _parts(voice: str, lent: Path) -> tuple[Path, Split, Feeds]:
    """Return the folder of a voice's parts, which are made where it is whole."""
    from lowvox.models import store
    from lowvox.shrink.voices import split as cutting
    from lowvox.shrink.voices import voice as voices

    installed = next((one.path for one in store.installed() if one.name == voice), None)
    folder = installed or Path(voice).expanduser()
    if folder.is_dir() and (sidecar := sorted(folder.glob(f"*{sidecars.SUFFIX}"))):
        told = sidecars.read(sidecar[0])
        if any(name.endswith(MAPPED_SUFFIX) for name in told.files):
            raise UsageError(f"The parts in {folder} are mapped files; split the voice again with --onnx.")
        return folder, told, _feeds(folder, _stem(told))
    whole = voices.found(voice)
    told, _ = cutting.split(whole.graph, lent, whole.feeds)
    return lent, told, whole.feeds


def _feeds(folder: Path, stem: str) -> Feeds:
    """Return what gives texts to try a voice with, by the description beside its parts."""
    from lowvox.engines.piper import config as piper_config
    from lowvox.engines.vosk_tts import config as vosk_tts_config
    from lowvox.engines.vosk_tts import layout as vosk_tts_layout
    from lowvox.shrink.voices import voice as voices

    described = folder / f"{stem}{piper_config.SUFFIX}"
    if described.exists():
        return voices.piper_feeds(piper_config.read(described))
    if (other := folder / vosk_tts_layout.CONFIG).exists():
        return voices.vosk_tts_feeds(vosk_tts_config.read(other))
    raise NotFoundError(f"{folder} has no {described.name}, which says what the voice reads; copy it there.")


def _stem(told: Split) -> str:
    return told.front.removesuffix(".front.onnx")


class _Noting:
    """A session that keeps what it is given."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.seen: list[Values] = []

    def run(self, given: Values, outputs: Sequence[str]) -> list[NDArray[Any]]:
        """Run, and keep."""
        self.seen.append(given)
        return self._session.run(given, outputs)


def _seen(folder: Path, told: Split, feeds: Feeds, window: int) -> dict[str, list[Values]]:
    """Return what each stage is given, window by window, when some sentences are spoken."""
    with opened(folder, told) as parts:
        noting = [(stage, _Noting(session)) for stage, session in parts]
        for symbols in SENTENCES:
            for _ in stream(cast("Any", noting), handed(folder, told, feeds(symbols)), window):
                pass
        return {stage.file: session.seen for stage, session in noting}


def _plan(
    stage: Stage, program: str, seen: Sequence[Values], told: Split, window: int, precision: layout.Precision
) -> Lowered:
    """Settle the shapes of a stage's inputs."""
    frames = window if stage == told.stages[-1] else BEFORE
    whole = stage.left + frames + stage.right
    given = []
    for name, value in seen[0].items():
        axis = stage.along.get(name)
        given.append(
            Given(name, str(value.dtype), tuple(whole if at == axis else n for at, n in enumerate(value.shape)), axis)
        )
    return Lowered(program, tuple(given), (stage.output,), precision, frames, stage.left, stage.right, stage.hop)


def _whole(plan: Lowered, seen: Sequence[Values]) -> list[Values]:
    """Return some of what a stage is given, spread evenly, each drawn out to the program's size by beginning again."""
    chosen = seen[:: max(1, len(seen) // _SAMPLES)][:_SAMPLES]
    return [{given.name: _longer(value[given.name], given) for given in plan.inputs} for value in chosen]


def _longer(value: NDArray[Any], given: Given) -> NDArray[Any]:
    if given.open is None:
        return value
    return np.take(value, range(given.shape[given.open]), given.open, mode="wrap")
