"""Measuring a footprint: load, open and run a model once in a process that is thrown away afterwards.

The run is the heaviest that the engine will ever be given: a longest utterance, a longest sentence.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from lowvox.audio.utterances import Limits
from lowvox.memory import meter
from lowvox.memory.worker import Worker
from lowvox.text.sentences import CAP
from lowvox.types import Footprint

if TYPE_CHECKING:
    from lowvox.memory.worker import RemoteStream
    from lowvox.types import Model, Placement

_SENTENCE = "The quick brown fox jumps over the lazy dog, again and again. "


def footprint(model: Model, placement: Placement, threads: int) -> Footprint:
    """Measure `model` in a throw-away worker; takes a few seconds.

    In-process, a part takes what it adds to a process that handles sound anyway. In a worker it takes the whole
    process, counted as PSS: the pages of Python itself are shared with the process that started it.
    """
    with closing(Worker(model.name)) as worker:
        before = 0
        if placement == "in-process":
            worker.call(0, "prepare_audio")
            before = meter.usage(worker.pid).pss
        begun = time.perf_counter()
        resident = worker.load(model.engine, model, threads)
        loaded = meter.usage(worker.pid)
        stream = resident.open(**_options(model))
        load_s = time.perf_counter() - begun
        opened = meter.usage(worker.pid)
        loading = meter.peak_rss(worker.pid)
        meter.reset_peak(worker.pid)
        _work(model, stream)
        highest = max(loading, meter.peak_rss(worker.pid))
    return Footprint(
        resident=max(0, loaded.pss - before),
        stream=max(0, opened.pss - loaded.pss),
        work=max(0, highest - opened.rss),
        load_s=load_s,
    )


def _options(model: Model) -> dict[str, object]:
    """Return how to open what is measured: speech is longest when slow, and espeak's largest dictionary is Russian."""
    if model.role != "synthesizer":
        return {}
    return {"rate": 0.5} | ({"language": "ru"} if "ru" in model.languages else {})


def audio_footprint() -> Footprint:
    """Measure what reading and resampling sound add to a bare process."""
    with closing(Worker("audio")) as worker:
        bare = meter.usage(worker.pid)
        begun = time.perf_counter()
        worker.call(0, "prepare_audio")
        ready = meter.usage(worker.pid)
        highest = meter.peak_rss(worker.pid)
    return Footprint(ready.pss - bare.pss, 0, max(0, highest - ready.rss), time.perf_counter() - begun)


def _work(model: Model, stream: RemoteStream) -> None:
    """Give a stream the heaviest work of its role."""
    if model.role == "synthesizer":
        for _ in stream.speak((_SENTENCE * CAP)[:CAP]):
            pass
        return
    with closing(Worker("sound")) as maker:
        sound: bytes = maker.call(0, "crowd", Limits().longest_s)
    if model.role == "vad":
        for at in range(0, 32 * 1024, 1024):
            stream.probability(sound[at : at + 1024])
        return
    for at in range(0, len(sound), 6400):
        stream.accept(sound[at : at + 6400])
    stream.finish()
