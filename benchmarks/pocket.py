"""Pocket TTS in its own package, on torch, and in lowvox, with the same weights: memory, loading, first sound, speed.

    python benchmarks/pocket.py --upstream PYTHON --config CONFIG.yaml --voice VOICE.safetensors FOLDER...
    python benchmarks/pocket.py --minutes 30 --voice VOICE.safetensors FOLDER...

--upstream names a Python that has pocket-tts 4.0.1; CONFIG is what it loads, VOICE a voice that it has exported, and
each FOLDER what `lowvox shrink export pocket-tts` made of the same weights. --minutes has each folder speak for so long
in one process and compares its peak with that of one short text.

Every way is a process of its own on one core; the ways take turns. Peak and "after" are the kernel's of the whole
process (RSS, MB of 2^20 bytes, with Python and the libraries). Times are the processor's: to start, import and load,
to take up the voice, until the first sound, and for a second of sound (RTF); those of the clock are in the JSON. Texts
are spoken to the bound of their length, so that both make the same number of frames. The last line is one JSON object;
figures are medians over the runs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

INSIDE = "inside"
UPSTREAM = ("whole", "deaf", "int8")
TEXT = (
    "The quick brown fox jumps over the lazy dog, and then it sleeps for a while in the warm sun beside the river. "
    "When it wakes up, the boats have gone and the evening has come."
)
Row = dict[str, float]


def spoken(folder: str, voice: str, minutes: float) -> Row:
    """Inside: load, hear the voice, speak the text, or again and again for so long."""
    from lowvox.engines.pocket.engine import Pocket
    from lowvox.types import Model, Profile

    clock = time.perf_counter()
    resident = Pocket().load(Model("pocket", "pocket", "synthesizer", ("en",), Path(folder)), Profile())
    row: Row = {"load_s": time.process_time(), "load_clock_s": time.perf_counter() - clock}
    stream = resident.open(reference=voice, seed=1, eos_threshold=1000.0)
    row["open_s"] = time.process_time() - row["load_s"]
    begun, clock, size = time.process_time(), time.perf_counter(), 0
    while True:
        for pcm in stream.speak(TEXT):
            row.setdefault("first_s", time.process_time() - begun)
            row.setdefault("first_clock_s", time.perf_counter() - clock)
            size += len(pcm)
        seconds = size / 2 / stream.rate
        if seconds >= 60 * minutes:
            break
    row |= {"rtf": (time.process_time() - begun) / seconds, "rtf_clock": (time.perf_counter() - clock) / seconds}
    return row | {"seconds": seconds, "peak_mb": _memory("VmHWM"), "after_mb": _memory("VmRSS")}


def main() -> None:
    """Run every way in turn and print what it took."""
    if sys.argv[1] == INSIDE:  # what is only needed outside is not imported, for it would be measured
        print(json.dumps(spoken(sys.argv[2], sys.argv[3], float(sys.argv[4]))))
        return
    import statistics

    stated = _arguments()
    ways = {f"torch, {how}": _upstream(stated, how) for how in UPSTREAM} if stated.upstream else {}
    if stated.minutes:
        ways = {f"{folder}, one text": _own(stated, folder, 0) for folder in stated.folders}
    ways |= {folder: _own(stated, folder, stated.minutes) for folder in stated.folders}
    runs: dict[str, list[Row]] = {name: [] for name in ways}
    for _ in range(stated.runs):
        for name, command in ways.items():
            runs[name].append(_run(command))
            print(f"{name}: {runs[name][-1]}", file=sys.stderr)
    rows = {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]} for name, found in runs.items()
    }
    base = rows[next(iter(rows))]["peak_mb"]
    print(f"{'':34}{'load, s':>9}{'open, s':>9}{'first, s':>9}{'RTF':>8}{'peak, MB':>10}{'of first':>10}{'after':>8}")
    for name, row in rows.items():
        before = rows.get(f"{name}, one text", {"peak_mb": base})["peak_mb"]
        row["ratio"] = row["peak_mb"] / before
        print(
            f"{Path(name).name:34}{row['load_s']:9.2f}{row['open_s']:9.3f}{row['first_s']:9.3f}{row['rtf']:8.3f}"
            f"{row['peak_mb']:10.1f}{row['ratio']:10.3f}{row['after_mb']:8.1f}"
        )
    print(json.dumps({"rows": [{"way": name, **row} for name, row in rows.items()]}))


def _arguments() -> argparse.Namespace:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", metavar="PYTHON")
    parser.add_argument("--config", metavar="CONFIG.yaml")
    parser.add_argument("--voice", required=True)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("folders", nargs="*")
    return parser.parse_args()


def _upstream(stated: argparse.Namespace, how: str) -> list[str]:
    script = str(Path(__file__).with_name("pocket_upstream.py"))
    return ["taskset", "-c", str(stated.core), stated.upstream, script, stated.config, stated.voice, TEXT, how]


def _own(stated: argparse.Namespace, folder: str, minutes: float) -> list[str]:
    told = [INSIDE, folder, stated.voice, str(minutes)]
    return ["taskset", "-c", str(stated.core), sys.executable, __file__, *told]


def _run(command: list[str]) -> Row:
    import subprocess

    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def _memory(line: str) -> float:
    told = Path("/proc/self/status").read_text("utf-8")
    return int(told.split(f"{line}:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
