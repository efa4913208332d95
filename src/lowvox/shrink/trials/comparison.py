"""Variants beside the first of them: measured, judged by the gate, and what is to blame where one is not worth having.

This is what `lowvox bench` and `lowvox shrink compare` do; it prints nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.shrink.trials import blame, decisions, distance, gate, quality, trial
from lowvox.shrink.trials.measuring import BATCHES, RUNS, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lowvox.shrink.rounding.samples import Samples
    from lowvox.shrink.trials.decisions import Deciding
    from lowvox.shrink.trials.material import Material
    from lowvox.shrink.trials.trial import Sample
    from lowvox.shrink.trials.variant import Quality, Row, Verdict
    from lowvox.types import Audio, Model

    Told = Callable[[int, int], object]

# Samples that are held at once.
_MOST = 64


@dataclass(frozen=True, slots=True)
class How:
    """How much is measured: batches, timed runs, threads of one run, and by which provider.

    `quality` is whether that is measured; `margin` and `floor_db` are the gate's. Graphs with a way of `deciding` are
    judged by that, and else by their distance.
    """

    batches: tuple[int, ...] = BATCHES
    runs: int = RUNS
    threads: int = 1
    provider: str = "cpu"
    quality: bool = True
    margin: float = gate.MARGIN
    floor_db: float = gate.FLOOR_DB
    deciding: Deciding | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, verdicts on all but the first, and for voices (variant, sentence, sound) to listen to."""

    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    sounds: tuple[tuple[str, str, Audio], ...] = ()


def models(
    named: Sequence[tuple[str, Model]],
    material: Material,
    how: How,
    recognizer: Model | None,
    measuring: Told,
    judging: Told,
) -> Comparison:
    """Compare models of one role, each under a name of its own; `recognizer` is what understands voices.

    Raises what `measuring.measured` and `quality.judged` raise.
    """
    subjects = [trial.of_model(model, material, how.threads, name, how.provider) for name, model in named]
    rows = measured(subjects, how.batches, how.runs, measuring)
    sounds: list[tuple[str, str, Audio]] = []
    if how.quality:
        found = quality.judged([model for _, model in named], material, recognizer, judging)
        rows = [one.on(each) for one, each in zip(found, rows, strict=True)]
        for (name, _), one in zip(named, found, strict=True):
            sounds += [(name, text, sound) for text, sound in zip(material.texts, one.sounds, strict=False)]
    verdicts = [_verdict(rows[0], each, how) for each in rows[1:]]
    return Comparison(tuple(row for each in rows for row in each), tuple(verdicts), tuple(sounds))


def graphs(
    named: Sequence[tuple[str, Path]],
    samples: Sequence[Sample],
    how: How,
    measuring: Told,
    every: Iterable[Sample] | None = None,
) -> Comparison:
    """Compare graphs on samples, each under a name of its own; raises what `trial.graph` and `agreement` raise.

    `every` are the samples that decisions are compared on, where there are more of them than are held at once.
    """
    subjects = [trial.of_graph(path, samples, how.batches, how.threads, name, how.provider) for name, path in named]
    if len({subject.way for subject in subjects}) > 1:  # what one of them cannot, none does, or nobody could compare
        subjects = [trial.at_once(subject) for subject in subjects]
    # Before what takes long: there may be no such output.
    agree = _agreeing(named, samples if every is None else every, how)
    rows = measured(subjects, how.batches, how.runs, measuring)
    rows = [[replace(row, quality=one) for row in each] for one, each in zip(agree, rows, strict=True)]
    (_, first), *others = named
    expected = list(trial.outputs(first, samples)) if how.quality and others else []
    verdicts = []
    for at, (_, path) in enumerate(others, 1):
        if how.quality:
            far = distance.signals(expected, trial.outputs(path, samples))
            rows[at] = [replace(row, distance_db=far) for row in rows[at]]
        verdicts.append(blame.blamed(_verdict(rows[0], rows[at], how), first, path, samples))
    return Comparison(tuple(row for each in rows for row in each), tuple(verdicts))


def _agreeing(named: Sequence[tuple[str, Path]], samples: Iterable[Sample], how: How) -> list[Quality | None]:
    """Return how far each graph decides as the first does; None where nobody asked, or there is but one."""
    if how.deciding is None or not how.quality or len(named) < 2:
        return [None] * len(named)
    return [*decisions.agreement(named, samples, how.deciding)]


def some(samples: Iterable[Sample]) -> list[Sample]:
    """Return samples to be held at once, 64 at most."""
    return list(islice(samples, _MOST))


def read_samples(path: Path, graphs: Sequence[Path]) -> Samples:
    """Find the samples at a path for graphs that take the same; raises what `samples.read` raises."""
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        raise NotFoundError("Samples are checked against the graph, which needs a package: pip install 'lowvox[split]'")
    import onnx
    from lowvox.shrink.rounding import samples

    graph = next((each for each in graphs if each.suffix == ".onnx"), None)
    if graph is None:
        raise UsageError("Samples are checked against an .onnx graph; give one of them as .onnx.")
    if not graph.is_file():
        raise NotFoundError(f"There is no file {graph}; check the name.")
    try:
        model = onnx.load(graph, load_external_data=False)
    except Exception as error:  # protobuf's errors have no public class
        raise DamagedError(f"{graph} is not an ONNX graph; copy or export it again.") from error
    return samples.read(path, model)


def _verdict(first: Sequence[Row], variant: Sequence[Row], how: How) -> Verdict:
    return gate.judge(first, variant, margin=how.margin, floor_db=how.floor_db)
