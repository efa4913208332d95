"""What it costs to take sound to a worker: through shared memory and through the pipe.

    python benchmarks/shared_audio.py [--rounds 200]

Both ways take turns. An utterance of 15 s goes to a stream that keeps nothing, whole as `transcribe` gives it and in
blocks of 0.2 s as dictation does; then as much comes back in one piece. Peaks are the kernel's own (VmHWM) of both
processes above what they held before; `kept` is what they still hold afterwards. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from lowvox.memory import meter, shared_audio
from lowvox.memory.worker import Worker
from lowvox.types import Model, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.memory.remote import RemoteStream

UTTERANCE = os.urandom(15 * 16_000 * 2)
BLOCK = 6400


class Ear:
    """An engine, its resident and its stream in one; it hears and forgets."""

    def load(self, *_: object) -> Ear:
        """Need nothing."""
        return self

    def open(self) -> Ear:
        """Need nothing."""
        return Ear()

    def accept(self, pcm: bytes) -> None:
        """Forget."""

    def partial(self) -> bytes:
        """Return an utterance."""
        return UTTERANCE

    def close(self) -> None:
        """Hold nothing."""


def whole(stream: RemoteStream, sound: bytes) -> None:
    """Give it in one piece."""
    stream.accept(sound)


def blocks(stream: RemoteStream, sound: bytes) -> None:
    """Give it in blocks."""
    for at in range(0, len(sound), BLOCK):
        stream.accept(sound[at : at + BLOCK])


def back(stream: RemoteStream, sound: bytes) -> None:
    """Fetch it; the answer is compared, so that nobody measures a mistake."""
    assert stream._call("partial") == sound


WAYS: dict[str, Callable[[RemoteStream, bytes], None]] = {"whole": whole, "blocks": blocks, "back": back}


def measure(shared: bool, rounds: int) -> dict[str, float]:
    """Return milliseconds an utterance for each way, and MB at the peak and afterwards."""
    with patch.object(shared_audio, "create", shared_audio.create if shared else lambda _: -1):
        worker = Worker("ear")
    with closing(worker):
        stream = worker.load("shared_audio:Ear", Model("ear", "ear", "recognizer", ()), Profile()).open()
        sound = stream._call("partial")
        worker.trim()
        pids = [os.getpid(), worker.pid]
        before = meter.total(pids)
        for pid in pids:
            meter.reset_peak(pid)
        line = {}
        for name, way in WAYS.items():
            times = []
            for _ in range(rounds):
                begun = time.perf_counter()
                way(stream, sound)
                times.append(time.perf_counter() - begun)
            line[f"{name}_ms"] = round(1000 * statistics.median(times), 3)
        line["peak_mb"] = round((sum(meter.peak_rss(pid) for pid in pids) - before.rss) / meter.MB, 2)
        line["kept_mb"] = round((meter.total(pids).pss - before.pss) / meter.MB, 2)
    return line


def main() -> None:
    """Take turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    runs: dict[str, list[dict[str, float]]] = {"shared": [], "pipe": []}
    for _ in range(5):
        for name, found in runs.items():
            found.append(measure(name == "shared", rounds))
    line: dict[str, object] = {"benchmark": "shared_audio"}
    for name, found in runs.items():
        line[name] = {key: statistics.median(run[key] for run in found) for key in found[0]}
        print(f"{name:7}", line[name])
    print(json.dumps(line))


if __name__ == "__main__":
    main()
