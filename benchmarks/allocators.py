"""Which allocator, and which of its settings, suits a worker: peaks, what closing gives back, and time.

    python benchmarks/allocators.py [--rounds 3] [--only ENGINE ...] [--settings NAME ...]

Three engines do their heaviest work: PocketSphinx hears 15 s of the crowd, espeak speaks 40 long sentences, Vosk hears
the crowd in four streams at once on four lanes (with the stand-in model of the tests, so that its memory is Kaldi's own
and no model's). The settings take turns. RSS is that of the worker, in MB: its peak by the kernel, after the work with
its streams open, and after they were closed, which trims. Times are ratios to those of the same round without any
setting.
Other allocators are tried where they are installed (libjemalloc2, libmimalloc2.0). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from lowvox.memory import allocator, meter
from lowvox.memory.worker import Worker
from lowvox.types import Model, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.memory.remote import RemoteStream

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
SENTENCE = "The quick brown fox jumps over the lazy dog, again and again. " * 5
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
SETTINGS: dict[str, dict[str, str]] = {
    "the C library's own": {},
    "ours": dict(allocator.ENVIRONMENT),
    "one arena": {"MALLOC_ARENA_MAX": "1"},
    "two arenas": {"MALLOC_ARENA_MAX": "2"},
    "trim at 128 kB": {"MALLOC_TRIM_THRESHOLD_": "131072"},
    "one arena, trim": {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"},
    "map from 64 kB": {"MALLOC_MMAP_THRESHOLD_": "65536"},
    "map from 1 MB": {"MALLOC_MMAP_THRESHOLD_": "1048576"},
    "no pymalloc": {"PYTHONMALLOC": "malloc"},
    "jemalloc": {"LD_PRELOAD": str(LIBRARIES / "libjemalloc.so.2")},
    "jemalloc, at once": {
        "LD_PRELOAD": str(LIBRARIES / "libjemalloc.so.2"),
        "MALLOC_CONF": "narenas:2,dirty_decay_ms:0,muzzy_decay_ms:0",
    },
    "mimalloc": {"LD_PRELOAD": str(LIBRARIES / "libmimalloc.so.2.0")},
    "mimalloc, at once": {"LD_PRELOAD": str(LIBRARIES / "libmimalloc.so.2.0"), "MIMALLOC_PURGE_DELAY": "0"},
}


class Work(NamedTuple):
    """An engine, its model, how many streams at once, and what each is given."""

    at: str
    model: Model
    streams: int
    do: Callable[[RemoteStream, bytes], None]


def hear(stream: RemoteStream, sound: bytes) -> None:
    """Recognise an utterance."""
    stream.accept(sound)
    stream.finish()


def hear_often(stream: RemoteStream, sound: bytes) -> None:
    """Recognise it ten times."""
    for _ in range(10):
        hear(stream, sound)


def speak(stream: RemoteStream, sound: bytes) -> None:  # noqa: ARG001
    """Speak long sentences."""
    for _ in range(40):
        for _block in stream.speak(SENTENCE):
            pass


def works(folder: Path) -> dict[str, Work]:
    """Return what is measured."""
    from replicas.kaldi import build

    replica = Model("replica", "vosk", "recognizer", ("en",), build(folder))
    sphinx = Model("pocketsphinx", "pocketsphinx", "recognizer", ("en",))
    return {
        "pocketsphinx": Work("lowvox.engines.pocketsphinx:PocketSphinx", sphinx, 1, hear),
        "espeak": Work(
            "lowvox.engines.espeak.engine:Espeak", Model("espeak", "espeak", "synthesizer", ("en",)), 1, speak
        ),
        "vosk": Work("lowvox.engines.vosk.engine:Vosk", replica, 4, hear_often),
    }


def measure(work: Work, settings: dict[str, str], sound: bytes) -> dict[str, float]:
    """Return MB and seconds of one worker."""
    with patch.dict(allocator.ENVIRONMENT, settings, clear=True):
        worker = Worker(work.model.name, work.streams)
    with closing(worker):
        resident = worker.load(work.at, work.model, Profile())
        streams = [resident.open() for _ in range(work.streams)]
        threads = [threading.Thread(target=work.do, args=(stream, sound)) for stream in streams]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        line = {"seconds": time.perf_counter() - begun, "peak": meter.peak_rss(worker.pid) / meter.MB}
        line["open"] = worker.usage().rss / meter.MB
        begun = time.perf_counter()
        for stream in streams:
            stream.close()
        line["close_ms"] = 1000 * (time.perf_counter() - begun) / len(streams)
        line["closed"] = worker.usage().rss / meter.MB
    return line


def summary(found: list[dict[str, float]], default: list[dict[str, float]]) -> dict[str, float]:
    """Return medians over the rounds, and the time as a ratio to the default's."""
    line = {key: round(statistics.median(run[key] for run in found), 1) for key in ("peak", "open", "closed")}
    line["close_ms"] = round(statistics.median(run["close_ms"] for run in found), 1)
    ratios = [mine["seconds"] / theirs["seconds"] for mine, theirs in zip(found, default, strict=True)]
    return line | {"time": round(statistics.median(ratios), 3)}


def main() -> None:
    """Take turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="engines")
    parser.add_argument("--settings", nargs="+", help="names of settings besides the default")
    chosen = parser.parse_args()
    settings = {name: values for name, values in SETTINGS.items() if Path(values.get("LD_PRELOAD", "/")).exists()}
    if chosen.settings:
        settings = {name: settings[name] for name in ("the C library's own", *chosen.settings)}
    with closing(Worker("sound")) as maker:
        sound: bytes = maker.call(0, "crowd", 15.0)
    line: dict[str, object] = {"benchmark": "allocators"}
    with tempfile.TemporaryDirectory() as folder:
        for engine, work in works(Path(folder)).items():
            if chosen.only and engine not in chosen.only:
                continue
            measure(work, {}, sound)  # not counted: files come into the system's cache
            found: dict[str, list[dict[str, float]]] = {name: [] for name in settings}
            for _ in range(chosen.rounds):
                for name, values in settings.items():
                    found[name].append(measure(work, values, sound))
            line[engine] = rows = {name: summary(runs, found["the C library's own"]) for name, runs in found.items()}
            print(f"\n{engine:20}   peak   open closed  close ms   time")
            for name, row in rows.items():
                print(
                    f"{name:20} {row['peak']:6.1f} {row['open']:6.1f} {row['closed']:6.1f} {row['close_ms']:9.1f} "
                    f"{row['time']:6.2f}"
                )
    print(json.dumps(line))


if __name__ == "__main__":
    main()
