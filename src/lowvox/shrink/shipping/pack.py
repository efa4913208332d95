"""Graphs in files that are mapped instead of read: ONNX Runtime's own format, or weights beside, those in common once.

Nothing is kept that does not give, bit by bit, what the graph gave. Knows no model.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

import onnx
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.files import unwritable
from lowvox.models.disk import writing
from lowvox.onnx.session import MAPPED_SUFFIX, Session, write_mapped
from lowvox.shrink.shipping import guesses, loading, weights
from lowvox.types import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Feeds = dict[str, NDArray[Any]]

Form = Literal["ort", "weights"]
WEIGHTS = "model.weights"
# What both are compared with: what optimisers do further depends on the file they find.
_ALIKE = Profile(stated=(("disable_prepacking", True), ("graph_optimization_level", "extended")))
_SEED = 1


@dataclass(frozen=True, slots=True)
class File:
    """One graph: bytes `before` with its weights, `after` without those that lie in the file that all share.

    It gave bit by bit the same on `inputs` inputs. `difference` is the largest as both run with lowvox's own settings.
    """

    graph: str
    file: str
    before: int
    after: int
    inputs: int
    difference: float


@dataclass(frozen=True, slots=True)
class Packed:
    """All graphs in `folder`; `weights` is the bytes of the file that they share, `saved` those not there twice.

    Peaks are RSS in bytes of a process that has loaded all of them.
    """

    folder: Path
    form: Form
    files: tuple[File, ...]
    weights: int
    saved: int
    peak_before: int
    peak_after: int

    @property
    def before(self) -> int:
        """Bytes on disk before."""
        return sum(file.before for file in self.files)

    @property
    def after(self) -> int:
        """Bytes on disk now."""
        return sum(file.after for file in self.files) + self.weights


def pack(
    graphs: Sequence[Path],
    folder: Path,
    form: Form = "ort",
    inputs: Path | None = None,
    *,
    overwrite: bool = False,
) -> Packed:
    """Write graphs into a folder in a form that is mapped, all of them or none.

    `inputs` is an .npz of arrays by input name to compare with; without it they are guessed. NotFoundError where there
    is no such file, DamagedError where it is no graph or would not give the same, EngineError where this ONNX Runtime
    cannot run it, UsageError for what is packed already, cannot be tried, or would overwrite what is there.
    """
    targets = _targets(graphs, folder, form, overwrite=overwrite)
    models = {graph: _read(graph) for graph in graphs}
    given = {graph: _given(inputs, models[graph], graph) for graph in graphs}
    with _apart(folder) as place:
        made = [place / target for target in targets]
        before = [_size(graph) for graph in graphs]
        saved = _written(dict(zip(graphs, made, strict=True)), models, place / WEIGHTS, form)
        found = [_compared(graph, path, given[graph]) for graph, path in zip(graphs, made, strict=True)]
        told = tuple(
            File(graph.name, path.name, size, path.stat().st_size, len(given[graph]), difference)
            for graph, path, size, difference in zip(graphs, made, before, found, strict=True)
        )
        shared = (place / WEIGHTS).stat().st_size if form == "weights" else 0
        peaks = loading.peak(graphs), loading.peak(made)
        _moved(place, folder)
    return Packed(folder, form, told, shared, saved, *peaks)


def _targets(graphs: Sequence[Path], folder: Path, form: Form, *, overwrite: bool) -> list[str]:
    """Return the names of the new files; nothing may be overwritten unasked, least of all what is read."""
    suffix = MAPPED_SUFFIX if form == "ort" else ".onnx"
    names = [graph.with_suffix(suffix).name for graph in graphs]
    if len({*names}) < len(names):
        raise UsageError("Two of the graphs have the same name; pack them into folders of their own.")
    for graph in graphs:
        if graph.suffix == MAPPED_SUFFIX:
            raise UsageError(f"{graph.name} is packed already; give the graph that it was made of.")
        if folder.resolve() == graph.resolve().parent and form == "weights":
            raise UsageError(f"{graph.name} would be overwritten; choose another folder with -o.")
    there = [name for name in (*names, *([WEIGHTS] if form == "weights" else [])) if (folder / name).exists()]
    if there and not overwrite:
        raise UsageError(f"{folder / there[0]} is there already; --overwrite replaces it.")
    return names


def _read(graph: Path) -> Any:
    try:
        found = onnx.load(graph)
    except FileNotFoundError as error:
        missing = error.filename or graph
        raise NotFoundError(f"There is no file {missing}; check the path.") from error
    except Exception as error:  # protobuf's errors have no public class
        raise DamagedError(f"{graph} cannot be read as an ONNX graph; copy or pull it again.") from error
    if not found.graph.output:
        raise DamagedError(f"{graph} is not an ONNX graph; copy or pull it again.")
    return found


def _given(inputs: Path | None, model: Any, graph: Path) -> list[Feeds]:
    """Return what the graph is compared on."""
    with closing(Session(graph, seed=_SEED)) as session:
        if inputs is None:
            return guesses.feeds(model, session, graph.name)
        try:
            with np.load(inputs, allow_pickle=False) as file:
                given = {name: file[name] for name in session.inputs if name in file}
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no file {inputs}; check the path.") from error
        except Exception as error:  # a zip or an array that is damaged, an array of objects: no class in common
            raise DamagedError(f"{inputs} is not an .npz of plain arrays; write one with numpy.savez.") from error
        session.run(given)
    return [given]


def _size(graph: Path) -> int:
    """Return the bytes of a graph with those of the files in which it has weights."""
    beside = {graph.parent / file for file in _beside(graph)}
    return graph.stat().st_size + sum(path.stat().st_size for path in beside if path.is_file())


def _beside(graph: Path) -> set[str]:
    from onnx.external_data_helper import uses_external_data

    bare = onnx.load(graph, load_external_data=False)
    places = (one for tensor in bare.graph.initializer if uses_external_data(tensor) for one in tensor.external_data)
    return {entry.value for entry in places if entry.key == "location"}


def _written(made: dict[Path, Path], models: dict[Path, Any], shared: Path, form: Form) -> int:
    """Write the new files; return the bytes of weights that are not there twice."""
    if form == "weights":
        return weights.share({made[graph]: model for graph, model in models.items()}, shared)
    for graph, target in made.items():
        write_mapped(graph, target)
    return 0


def _compared(graph: Path, packed: Path, several: list[Feeds]) -> float:
    """Return how far both are from each other as they run; DamagedError where the same is not computed the same."""
    for profile in (_ALIKE, Profile()):
        with closing(Session(graph, profile, seed=_SEED)) as old, closing(Session(packed, profile, seed=_SEED)) as new:
            pairs = [pair for given in several for pair in zip(old.run(given), new.run(given), strict=True)]
        difference = max((_difference(*pair) for pair in pairs), default=0.0)
        if profile is _ALIKE and not all(_identical(*pair) for pair in pairs):
            raise DamagedError(f"{packed.name} would differ from {graph.name} by {difference:.1g}; it was not kept.")
    return difference


def _identical(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def _difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    if one.shape != other.shape:
        return float("inf")
    if one.dtype.kind not in "fiub" or not one.size:
        return 0.0 if _identical(one, other) else float("inf")
    return float(np.nanmax(np.abs(one.astype(np.float64) - other.astype(np.float64))))


@contextmanager
def _apart(folder: Path) -> Iterator[Path]:
    """Lend a hidden folder inside the one that is written to, which is gone afterwards, and that one if it is empty."""
    new = not folder.exists()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lent = TemporaryDirectory(dir=folder, prefix=".pack-")
    try:
        with lent as place:
            yield Path(place)
    finally:
        if new and not any(folder.iterdir()):
            folder.rmdir()


def _moved(place: Path, folder: Path) -> None:
    """Give the new files their names."""
    for path in sorted(place.iterdir()):
        try:
            path.replace(folder / path.name)
        except OSError as error:
            raise unwritable(folder / path.name, error) from error
