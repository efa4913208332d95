"""A graph's file made smaller into another file: written beside its place, judged there, and kept if it is worth it.

What is half made is never seen under its name, also where somebody interrupts. Knows nothing of how graphs are rounded.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lowvox.errors import NotFoundError, UsageError
from lowvox.models.disk import room, writing
from lowvox.shrink import graph
from lowvox.shrink.rounding import RECIPE, graph_int8
from lowvox.shrink.rounding import recipe as recipes
from lowvox.shrink.rounding import samples as inputs
from lowvox.shrink.rounding.recipe import Plan, Recipe
from lowvox.shrink.trials import blame, decisions, gate, measuring, trial

if TYPE_CHECKING:
    from lowvox.shrink.rounding.graph_int8 import Made
    from lowvox.shrink.rounding.samples import Samples
    from lowvox.shrink.trials.decisions import Deciding
    from lowvox.shrink.trials.variant import Row, Verdict

_JUDGED = 16  # samples
_RUNS = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a graph: its new file and recipe, None where it was refused, and what was measured of both.

    `rows` and `verdict` are missing where there was no sample to judge by.
    """

    path: Path | None
    recipe: Path | None
    made: Made
    whole: int
    rows: tuple[Row, ...] = ()
    verdict: Verdict | None = None


def quantize(
    source: Path,
    out: Path | None,
    how: Plan | Recipe,
    samples: Path | None = None,
    evaluation: Path | None = None,
    *,
    overwrite: bool = False,
    force: bool = False,
    deciding: Deciding | None = None,
) -> Kept:
    """Make a graph smaller by a plan or a recipe, into `out` or beside it, and write the recipe beside the result.

    Without `evaluation` every fifth sample is kept back to judge by. What the gate refuses is kept where `force` says
    so. With a way of `deciding` it is judged by that instead of by its distance. UsageError where `out` is there and
    may not be overwritten, or samples do not suit; raises as `graph_int8.make` and `decisions.agreement`.
    """
    plan = how.plan if isinstance(how, Recipe) else how
    out = out or source.with_suffix(".fp16.onnx" if plan.method == "fp16" else ".int8.onnx")
    beside = out.with_suffix(RECIPE)
    _free(source, out, beside, overwrite=overwrite)
    with writing(out), TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:40]}-") as folder:
        calibration, judging = _given(source, plan, samples, evaluation)
        if isinstance(how, Recipe):
            made = graph_int8.remake(source, how)
        else:
            made = graph_int8.make(source, how, calibration, judging)
        room(out.parent, len(made.data))
        variant = Path(folder) / out.name
        variant.write_bytes(made.data)
        recipes.write(Path(folder) / beside.name, made.recipe)
        whole = source.stat().st_size
        rows, verdict = _judged(source, variant, judging, deciding) if judging else ((), None)
        if verdict and not verdict.passed and not force:
            return Kept(None, None, made, whole, rows, verdict)
        os.replace(Path(folder) / beside.name, beside)  # noqa: PTH105  # a Path's own replaces a folder's name too
        os.replace(variant, out)  # noqa: PTH105
    return Kept(out, beside, made, whole, rows, verdict)


def _free(source: Path, out: Path, beside: Path, *, overwrite: bool) -> None:
    """Raise UsageError where a file may not be written, NotFoundError where its folder is not there."""
    if not out.parent.is_dir():
        raise NotFoundError(f"There is no folder {out.parent}; make it with mkdir -p.")
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"{out} is the graph itself; name another file with -o.")
    for path in (out, beside):
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file.")
        if path.exists() and not overwrite:
            raise UsageError(f"{path} is there already; say --overwrite, or name another file with -o.")


def _given(
    source: Path, plan: Plan, samples: Path | None, evaluation: Path | None
) -> tuple[Samples | None, Samples | None]:
    """Return samples to measure ranges on and others to judge by."""
    if samples is None and evaluation is None:
        return None, None
    model = graph.read(source)
    own = inputs.read(samples, model) if samples else None
    others = inputs.read(evaluation, model) if evaluation else None
    if plan.method != "static":
        return None, others or own
    if own and others:
        inputs.apart(own, others)
        return own, others
    return inputs.parted(own) if own else (None, others)


def _judged(
    source: Path, variant: Path, samples: Samples, deciding: Deciding | None
) -> tuple[tuple[Row, ...], Verdict]:
    """Measure both, each in a process of its own, and judge."""
    tried = list(islice(samples, _JUDGED))
    subjects = [trial.of_graph(path, tried, (1,)) for path in (source, variant)]
    (first,), (row,) = measuring.measured(subjects, (1,), _RUNS)
    (far,) = (each.distance_db for each in trial.graph(variant, tried, source, (1,), runs=1))
    row = replace(row, distance_db=far)
    if deciding:
        one, its = decisions.agreement([(source.name, source), (variant.name, variant)], samples, deciding)
        first, row = replace(first, quality=one), replace(row, quality=its)
    verdict = gate.judge([first], [row])
    return (first, row), verdict if verdict.passed else blame.blamed(verdict, source, variant, tried)
