"""Makes 8-bit parts of a split voice's: a quarter of the memory for the weights, and less time on most processors.

Static and per channel: the range of each value that is rounded is measured on a few sentences beforehand, so that
nothing is measured at run time. In the stages every convolution is rounded; in the front, most of whose nodes compute
durations, only what has large weights. Beside each part that was rounded lies its recipe, of which the same part is
made again. Knows no family of voices: what gives the sentences is handed in.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

from lowvox.errors import NotFoundError, UsageError
from lowvox.models.disk import appearing
from lowvox.onnx import split
from lowvox.shrink import graph
from lowvox.shrink.nodes import OPERATORS
from lowvox.shrink.rounding import RECIPE, graph_int8
from lowvox.shrink.rounding import recipe as recipes
from lowvox.shrink.rounding.recipe import Plan
from lowvox.shrink.voices.heard import heard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import onnx
    from lowvox.shrink.rounding.graph_int8 import Made
    from lowvox.shrink.rounding.recipe import Recipe
    from lowvox.shrink.voices.split import Feeds

    # What came of each part, by its file; None where nothing in it could be rounded and it stayed as it was.
    Parts = Mapping[str, Made | None]

# Symbols of the sentences that ranges are measured on. More change little: a sentence has hundreds of frames.
SENTENCES = (25, 30, 35, 40)
UNSEEN = 33
LARGE = 50_000  # weights
_STAGE = ("Conv", "ConvTranspose")
_FRONT = ("Conv", "MatMul")


def quantize_voice(folder: Path, out: Path, feeds: Feeds, large: int = LARGE, plan: Plan | None = None) -> Parts:
    """Round the parts of the split voice in `folder`; write them, their recipes and their sidecar into a new `out`.

    `feeds` gives inputs for a text of so many symbols; in the front, nodes with fewer than `large` weights stay as they
    are. `plan` says what else is asked for; a floor is for what runs in windows, since lengths decide what the front
    gives. What rounding adds to a stage is measured on a text that ranges were not measured on, and on what it was
    given before rounding. NotFoundError where `folder` has no split voice, UsageError where `out` has files already or
    nothing can be rounded, DamagedError where a part cannot be.
    """
    told = split.read(_sidecar(folder))
    free(out)
    plans = _plans(folder, told, plan or Plan(), large)
    seen, unseen = (heard(folder, told, feeds, lengths) for lengths in (SENTENCES, (UNSEEN,)))

    def make(name: str) -> Made | None:
        if name not in plans:
            return None
        judging = None if name == told.front else unseen[name]
        return graph_int8.make(folder / name, plans[name], seen[name], judging)

    return _written(folder, out, make)


def requantize_voice(folder: Path, out: Path, made_by: Path, large: int = LARGE) -> Parts:
    """Make the parts again, bit for bit, by the recipes in the folder `made_by`; nothing is measured.

    NotFoundError where there are no recipes, UsageError for those of another voice, DamagedError where something else
    comes out.
    """
    told = split.read(_sidecar(folder))
    free(out)
    known = _known(made_by)
    plans = _plans(folder, told, Plan(), large)

    def make(name: str) -> Made | None:
        recipe = known.get(recipes.digest((folder / name).read_bytes()))
        if recipe is None and name in plans:
            raise UsageError(_of_another(made_by, name, known))
        return graph_int8.remake(folder / name, recipe) if recipe else None

    return _written(folder, out, make)


def _written(folder: Path, out: Path, make: Callable[[str], Made | None]) -> Parts:
    """Make the parts, one after the other, into a folder that appears when all are there."""
    sidecar = _sidecar(folder)
    done: dict[str, Made | None] = {}
    with appearing(out) as made:
        for name in split.read(sidecar).files:
            part = done[name] = make(name)
            if part is None:
                shutil.copyfile(folder / name, made / name)
            else:
                (made / name).write_bytes(part.data)
                recipes.write((made / name).with_suffix(RECIPE), part.recipe)
        shutil.copyfile(sidecar, made / sidecar.name)
    return done


def _plans(folder: Path, told: split.Split, plan: Plan, large: int) -> dict[str, Plan]:
    """Return the plan of each part in which there is something to round; UsageError where that is none."""
    found: dict[str, Plan] = {}
    known: set[str] = set()
    for name in told.files:  # one in memory at a time
        model = graph.read(folder / name)
        types = {node.name: node.op_type for node in model.graph.node}
        own = _plan(model, plan, {*types, *types.values()}, large if name == told.front else None)
        nodes = graph.roundable(model, OPERATORS, own.large)
        if any(not {node, types[node]} & {*own.exclude} for node in nodes):
            found[name] = own
        known |= {*types, *types.values()}
    if unknown := [each for each in plan.exclude if each not in known]:
        raise UsageError(f"No part of the voice has a node or operator {unknown[0]!r} to leave alone.")
    if not found:
        raise UsageError("No part of the voice has weights that could be rounded; it stays as it is.")
    return found


def _plan(model: onnx.ModelProto, plan: Plan, known: set[str], large: int | None) -> Plan:
    """Return the plan of one part; of the front where `large` is told."""
    wanted = _STAGE if large is None else _FRONT
    others = {node.op_type for node in model.graph.node} & {*OPERATORS} - {*wanted}
    exclude = (*(each for each in plan.exclude if each in known), *sorted(others - {*plan.exclude}))
    if large is None:
        return msgspec.structs.replace(plan, exclude=exclude)
    return msgspec.structs.replace(plan, exclude=exclude, large=max(large, plan.large), floor=None)


def _known(folder: Path) -> dict[str, Recipe]:
    """Return the recipes in a folder, by the part that each is for."""
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}; the recipes of a voice lie in one, one for each part.")
    found = [recipes.read(path) for path in sorted(folder.glob(f"*{RECIPE}"))]
    if not found:
        raise NotFoundError(f"There are no recipes in {folder}; name the folder of a voice that was rounded.")
    return {recipe.source: recipe for recipe in found}


def _of_another(folder: Path, name: str, known: Mapping[str, Recipe]) -> str:
    other = recipes.other_versions(next(iter(known.values())))
    why = f", or {', '.join(other)} cut it otherwise" if other else ""
    return f"No recipe in {folder} is for {name}: they are for another voice{why}; give the one that they were made of."


def free(out: Path) -> None:
    """Raise UsageError where a new folder cannot have this name."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; name a new folder.")


def _sidecar(folder: Path) -> Path:
    found = sorted(folder.glob(f"*{split.SUFFIX}"))
    if len(found) != 1:
        raise NotFoundError(f"{folder} is not the folder of one split voice; make it with `lowvox shrink split`.")
    return found[0]
