"""Is keeping buffers worth it? `lowvox.memory.Pool` against asking numpy anew, and against a pool that copies.

    python benchmarks/pool.py [--seconds 0.3]

Blocks of the sizes that lowvox handles are asked for, filled and given back, again and again; `mixed` asks for
utterances of 1 to 15 s, each of another length. Every cell is a process of its own, so that none finds the memory that
another has freed, and the best of three. After a warm-up of 20 rounds count: the processor's time, arrays made, the
kernel's page faults, its record of the largest RSS, and what stays after `malloc_trim`. `copying` is the usual way in
guides: a returned buffer is zeroed and a copy of it kept. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# What lowvox handles, as float32: a frame of the VAD, 100 ms of the microphone, a window of a decoder, the longest
# utterance at 16 kHz, the hidden layer of a decoder over a window, the same over a whole sentence.
BLOCKS = {
    "vad frame 2 kB": 512,
    "block 6 kB": 1600,
    "window 48 kB": 12_288,
    "utterance 0.9 MB": 240_000,
    "hidden 4 MB": 1_048_576,
    "hidden 64 MB": 16_777_216,
}
WAYS = ("plain", "pool", "copying")
CAP = 128 * 2**20
WARM_UP = 20


def lengths(block: str) -> Callable[[], int]:
    """Return what says how many float32 the next round asks for."""
    if block != "mixed":
        return lambda: BLOCKS[block]
    chance = random.Random(3)
    return lambda: int(chance.uniform(1, 15) * 16000)


def rounds(way: str) -> tuple[Callable[[int], None], Callable[[], int]]:
    """Return one round (ask for a block of a length, fill it, give it back), and how many arrays have been made."""
    import numpy as np

    from lowvox.memory.pool import Pool

    pool = Pool(CAP)
    shelf: dict[int, list[Any]] = {}
    made = 0

    def plain(length: int) -> None:
        nonlocal made
        made += 1
        block = np.empty(length, np.float32)
        block.fill(1)

    def pooled(length: int) -> None:
        with pool.borrow(length) as block:
            block.fill(1)

    def copying(length: int) -> None:
        nonlocal made
        kept = shelf.setdefault(length, [])
        made += 2 - bool(kept)
        block = kept.pop() if kept else np.empty(length, np.float32)
        block.fill(1)
        block.fill(0)
        if len(kept) < 100:
            kept.append(block.copy())

    work = {"plain": plain, "pool": pooled, "copying": copying}[way]
    return work, lambda: pool.kept().misses if way == "pool" else made


def measure(way: str, block: str, seconds: float) -> dict[str, float]:
    """Measure one cell in this process."""
    import resource

    from lowvox.memory import allocator, meter

    me = os.getpid()
    (work, made), length = rounds(way), lengths(block)
    allocator.trim()
    before = meter.usage(me).rss
    for _ in range(WARM_UP):
        work(length())
    meter.reset_peak(me)
    faults, arrays = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, made()
    begun = time.process_time()
    count = 0
    while (spent := time.process_time() - begun) < seconds:
        work(length())
        count += 1
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    peak = meter.peak_rss(me) - before
    allocator.trim()
    return {
        "us": round(1e6 * spent / count, 2),
        "arrays": round((made() - arrays) / count, 2),
        "faults": round(faults / count, 2),
        "peak_mb": round(peak / meter.MB, 1),
        "stays_mb": round((meter.usage(me).rss - before) / meter.MB, 1),
    }


def cell(way: str, block: str, seconds: float) -> dict[str, float]:
    """Measure one cell in a process of its own."""
    command = [sys.executable, __file__, "--seconds", str(seconds), "--cell", way, block]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def main() -> None:
    """Measure all cells and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each cell, three times")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cell:
        way, block = chosen.cell
        print(json.dumps(measure(way, block, chosen.seconds)))
        return
    rows: list[dict[str, object]] = []
    gains = {}
    print(f"{'':18}{'':9}{'µs a round':>11}{'arrays':>9}{'faults':>9}{'peak MB':>9}{'stays MB':>9}")
    for block in [*BLOCKS, "mixed"]:
        tries = [{way: cell(way, block, chosen.seconds) for way in WAYS} for _ in range(3)]
        best = {way: min((one[way] for one in tries), key=lambda found: found["us"]) for way in WAYS}
        gains[block] = round(best["plain"]["us"] / best["pool"]["us"], 2)
        for way, row in best.items():
            rows.append({"block": block, "way": way, **row})
            print(f"{block:18}{way:9}{row['us']:11.2f}" + "".join(f"{row[key]:9.2f}" for key in list(row)[1:]))
    print(json.dumps({"benchmark": "pool", "times_faster_than_plain": gains, "rows": rows}))


if __name__ == "__main__":
    main()
