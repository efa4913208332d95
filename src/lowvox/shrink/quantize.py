"""Makes 8-bit parts of a split voice's: a quarter of the memory for the weights, and less time on most processors.

Static and per channel: the range of each value that is rounded is measured on a few sentences beforehand, so that
nothing is measured at run time. In the stages every convolution is rounded; in the front, most of whose nodes compute
durations, only what has large weights. Knows no family of voices: what gives the sentences is handed in.
"""

from __future__ import annotations

import shutil
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

import onnx
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.models.disk import writing
from lowvox.onnx import quantization, split
from lowvox.onnx.session import Session
from lowvox.shrink.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lowvox.shrink.split import Feeds

    Values = Mapping[str, NDArray[Any]]

# Symbols of the sentences that ranges are measured on. More change little: a sentence has hundreds of frames.
SENTENCES = (25, 30, 35, 40)
UNSEEN = 33
LARGE = 50_000  # weights
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
_PRODUCTS = frozenset({"Conv", "MatMul"})


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
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=".int8-") as beside:
            made = Path(beside) / "made"
            made.mkdir()
            for name in told.files:
                model = _prepared(folder / name)
                wanted = _large(model, large) if name == told.front else _convolutions(model)
                _round(model, made / name, seen[name], wanted)
            shutil.copyfile(sidecar, made / sidecar.name)
            if out.exists():
                out.rmdir()
            made.rename(out)
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
    sessions = [Session(folder / name) for name in told.files]
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


def _prepared(path: Path) -> onnx.ModelProto:
    """Read a graph, name its nodes, and give each weights of its own.

    An export has one weight stand for several that are equal and hands it round by nodes (Identity): a convolution
    whose bias comes from a node is not rounded.
    """
    model = _loaded(path)
    weights = {weight.name: weight for weight in model.graph.initializer}
    kept: list[Any] = []
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            own = model.graph.initializer.add()
            own.CopyFrom(weights[node.input[0]])
            own.name = node.output[0]
            weights[own.name] = own
        else:
            node.name = f"node{len(kept)}"
            kept.append(node)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return model


def _convolutions(model: onnx.ModelProto) -> list[str]:
    """Return the names of a graph's convolutions."""
    return [node.name for node in model.graph.node if node.op_type in _CONVOLUTIONS]


def _large(model: onnx.ModelProto, large: int) -> list[str]:
    """Return the names of a graph's convolutions and products that have so many weights."""
    big = {weight.name for weight in model.graph.initializer if prod(weight.dims) >= large}
    return [node.name for node in model.graph.node if node.op_type in _PRODUCTS and big & set(node.input)]


def _loaded(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's errors have no public class
        raise DamagedError(f"{path} is not an ONNX graph; split the voice again.") from error


def _round(model: onnx.ModelProto, out: Path, seen: Sequence[Values], wanted: list[str]) -> None:
    """Write a graph with these nodes rounded; as it is where there are none."""
    if not wanted:
        onnx.save(model, out)
        return
    tools = quantization()

    class Reader(tools.CalibrationDataReader):  # type: ignore[misc, name-defined]
        """The sentences, one after the other."""

        def __init__(self) -> None:
            self._left = iter(seen)

        def get_next(self) -> Values | None:
            return next(self._left, None)

    with quiet():
        try:
            tools.quantize_static(
                model,
                str(out),
                Reader(),
                quant_format=tools.QuantFormat.QDQ,
                per_channel=True,
                activation_type=tools.QuantType.QUInt8,
                weight_type=tools.QuantType.QInt8,
                op_types_to_quantize=sorted(_CONVOLUTIONS | _PRODUCTS),  # or every value's range would be measured
                nodes_to_quantize=wanted,
            )
        except Exception as error:  # whatever ONNX Runtime's tools raise
            raise DamagedError(f"{out.name} cannot be rounded to 8 bits ({error}); run it as it is.") from error
