"""Makes 8-bit parts of a split voice's: a quarter of the memory for the weights, and less time on most processors.

Static and per channel: the range of each value that is rounded is measured on a few sentences beforehand, so that
nothing is measured at run time. In the stages every convolution is rounded; in the front, most of whose nodes compute
durations, only what has large weights. Knows no family of voices: what gives the sentences is handed in.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.errors import NotFoundError, UsageError
from lowvox.models.disk import appearing
from lowvox.onnx import split
from lowvox.onnx.session import Session
from lowvox.shrink import graph
from lowvox.shrink.rounding import calibrate, qdq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.shrink.voices.split import Feeds

    Values = Mapping[str, NDArray[Any]]

# Symbols of the sentences that ranges are measured on. More change little: a sentence has hundreds of frames.
SENTENCES = (25, 30, 35, 40)
UNSEEN = 33
LARGE = 50_000  # weights
_STAGE = ("Conv", "ConvTranspose")
_FRONT = ("Conv", "MatMul")


def quantize_voice(folder: Path, out: Path, feeds: Feeds, large: int = LARGE) -> dict[str, int]:
    """Round the parts of the split voice in `folder` and write them and their sidecar into the new folder `out`.

    `feeds` gives inputs for a text of so many symbols; in the front, nodes with fewer than `large` weights stay as they
    are. Returns the files' sizes in bytes. NotFoundError where `folder` has no split voice, UsageError where `out` has
    files already, DamagedError where a part cannot be rounded.
    """
    sidecar = _sidecar(folder)
    told = split.read(sidecar)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; name a new folder.")
    seen = _seen(folder, told, feeds)
    with appearing(out) as made:
        for name in told.files:
            model = graph.read(folder / name)
            wanted = graph.roundable(model, *((_FRONT, large) if name == told.front else (_STAGE,)))
            ranges = calibrate.ranges(model, seen[name], qdq.needed(model, wanted))
            (made / name).write_bytes(qdq.rounded(model, ranges, wanted).SerializeToString(deterministic=True))
        shutil.copyfile(sidecar, made / sidecar.name)
    return {name: (out / name).stat().st_size for name in told.files}


def noise(folder: Path, rounded: Path, feeds: Feeds) -> list[float]:
    """Return how loud what rounding adds is beside the output of each stage, in dB.

    On a text that the ranges were not measured on; each stage is given what it was given before rounding.
    """
    told = split.read(_sidecar(folder))
    seen = _seen(folder, told, feeds, (UNSEEN,))
    levels = []
    for stage in told.stages:
        before, after = (_ran(where / stage.file, seen[stage.file][0]) for where in (folder, rounded))
        levels.append(round(float(20 * np.log10((after - before).std() / before.std())), 1))
    return levels


def _ran(path: Path, given: Values) -> NDArray[np.float32]:
    session = Session(path)
    try:
        found: NDArray[np.float32] = session.run(given)[0]
        return found
    finally:
        session.close()


def _sidecar(folder: Path) -> Path:
    found = sorted(folder.glob(f"*{split.SUFFIX}"))
    if len(found) != 1:
        raise NotFoundError(f"{folder} is not the folder of one split voice; make it with `lowvox shrink split`.")
    return found[0]


def _seen(folder: Path, told: split.Split, feeds: Feeds, lengths: Sequence[int] = SENTENCES) -> dict[str, list[Values]]:
    """Return what each part is given when the sentences are spoken, by the part's file."""
    sessions = [Session(folder / name, seed=calibrate.SEED) for name in told.files]
    found: dict[str, list[Values]] = {name: [] for name in told.files}
    try:
        for symbols in lengths:
            values = dict(feeds(symbols))
            for name, session in zip(told.files, sessions, strict=True):
                given = {each: values[each] for each in session.inputs}
                found[name].append(given)
                values |= zip(session.outputs, session.run(given), strict=True)
    finally:
        for session in sessions:
            session.close()
    return found
