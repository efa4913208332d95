"""Trials: what a variant takes and how quick it is, and how far it gives what the first one gives.

    rows = trial.graph(Path("decoder.int8.onnx"), samples, reference=Path("decoder.onnx"))
    rows = trial.model(models.find("synthesizer", "en"), Material("en", ("Good morning.",)))

Knows no gate and no report; `shrink.trials.measuring` measures, `shrink.trials.quality` says how good a model is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lowvox import engines
from lowvox.errors import UsageError
from lowvox.shrink.trials import distance, sizes
from lowvox.shrink.trials.measuring import BATCHES, RUNS, Subject, inside, measured
from lowvox.shrink.trials.trial_graph import GraphWork
from lowvox.shrink.trials.trial_model import ModelWork

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lowvox.shrink.trials.material import Material
    from lowvox.shrink.trials.variant import Row
    from lowvox.types import Model

    Sample = Mapping[str, NDArray[Any]]

_GRAPH, _MODEL = "lowvox.shrink.trials.trial_graph:Program", "lowvox.shrink.trials.trial_model:Program"
_WORDS = 80  # a paragraph


def graph(
    path: Path,
    samples: Sequence[Sample],
    reference: Path | None = None,
    batches: Sequence[int] = BATCHES,
    runs: int = RUNS,
    threads: int = 1,
    name: str | None = None,
) -> list[Row]:
    """Measure a graph; one row for each batch. See `of_graph`.

    All samples count for the distance to what the graph `reference` gives. Raises what `onnx.session.Session` raises,
    and WorkerDiedError.
    """
    (found,) = measured([of_graph(path, samples, batches, threads, name)], batches, runs)
    if reference is None:
        return found
    far = distance.signals(outputs(reference, samples), outputs(path, samples))
    return [replace(row, distance_db=far) for row in found]


def model(
    found: Model,
    material: Material,
    batches: Sequence[int] = BATCHES,
    runs: int = RUNS,
    threads: int = 1,
    name: str | None = None,
) -> list[Row]:
    """Measure a model of any role; one row for each batch. See `of_model`.

    Raises what the engine raises, NotFoundError where its package is missing, and WorkerDiedError.
    """
    (rows,) = measured([of_model(found, material, threads, name)], batches, runs)
    return rows


def of_graph(
    path: Path,
    samples: Sequence[Sample],
    batches: Sequence[int] = BATCHES,
    threads: int = 1,
    name: str | None = None,
    provider: str = "cpu",
) -> Subject:
    """Return a graph as it is measured: its largest sample is what is timed.

    A batch is that sample so many times along the first axis where the graph takes it so, which is tried out; else so
    many runs at once.
    """
    sample = max(samples, key=lambda sample: sum(each.size for each in sample.values()))
    stacked = max(batches) > 1 and _stacks(path, sample)
    work = GraphWork(str(path), dict(sample), stacked, provider)
    return Subject(name or path.name, sizes.graph(path), _GRAPH, work, threads, "stacked" if stacked else "at once")


def at_once(subject: Subject) -> Subject:
    """Return a graph's subject whose batch is so many runs at once."""
    return replace(subject, given=replace(subject.given, stacked=False), way="at once")


def of_model(
    found: Model, material: Material, threads: int = 1, name: str | None = None, provider: str = "cpu"
) -> Subject:
    """Return a model as it is measured: with the first text, clip or paragraph of the material, in its usual profile.

    A batch is so many streams of one resident at work at once; of as many residents as that takes, where the engine
    gives each only so many streams. An engine that lets fewer work at once has the others wait.
    """
    engines.require(found.engine)
    entry = engines.entry(found.engine)
    if provider != "cpu" and entry.package != "onnxruntime":
        raise UsageError(f"{found.name} does not run on ONNX Runtime, and so on cpu alone; leave out --provider.")
    profile = replace(entry.ways(found)[0], threads=threads, stated=(("providers", (provider,)),))
    sound = material.clips[0].pcm() if found.role in ("vad", "recognizer") else b""
    words = tuple(" ".join(material.texts).split()[:_WORDS]) if found.role == "punctuator" else ()
    options: dict[str, object] = {} if found.role in ("vad", "recognizer") else {"language": material.language}
    text = material.texts[0] if found.role == "synthesizer" else ""
    small = tuple(map(str.lower, words))
    work = ModelWork(entry.at, found, profile, entry.capacity, options, text, sound, small, provider)
    return Subject(name or found.name, sizes.model(found), _MODEL, work, threads)


def outputs(graph: Path | bytes, samples: Sequence[Sample]) -> Iterator[list[NDArray[Any]]]:
    """Yield what a graph gives for each sample, computed in a process of its own from a fixed seed."""
    name, source = ("The graph", graph) if isinstance(graph, bytes) else (graph.name, str(graph))
    with inside(_GRAPH, name) as (worker, number):
        worker.call(number, "begin", GraphWork(source, {}), 1, 1)
        for sample in samples:
            yield worker.call(number, "outputs", dict(sample))


def _stacks(path: Path, sample: Sample) -> bool:
    """Whether a graph takes two of a sample along the first axis and gives two of each output."""
    with inside(_GRAPH, path.name) as (worker, number):
        worker.call(number, "begin", GraphWork(str(path), {}), 1, 1)
        return bool(worker.call(number, "stacks", dict(sample)))
