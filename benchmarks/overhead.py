"""What planning, enforcing and watching cost: speech transcribed by `Speech`, and by its engines alone.

    python benchmarks/overhead.py [--pairs 9] [--minutes 1]

Each run is a process of its own; they take turns. `speech` is `Speech.transcribe` inside a budget, everything in the
ledger. `engines` does the same work with the same engines in the same places, without manager, monitor, ledger and
budget; `with ledger` also looks the two footprints up; `listening` reads and finds speech, and has no worker.

Time is that of the processor over the whole process tree, from start to end of the process, and the clock's; the ratio
is the median over pairs with its 95 % interval. Since the worker's time varies by more than what is looked for, what
`speech` takes in lowvox's own process beyond `engines` stands beside it, as a share of the whole. Memory is that of
lowvox's own process: the kernel's peak (RSS), and what it held at the end of the work (anonymous, PSS), as medians. The
last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from math import comb
from pathlib import Path
from typing import TypeAlias

Run: TypeAlias = dict[str, float]
WAYS = ("listening", "engines", "with ledger", "speech")
BUDGET = "300 MB"
PAUSE_S = 1
ENOUGH = (0.01, 8.0, 3.0)  # a share of the time; MB with ledger and pipes; MB without


def speech(path: Path, minutes: int) -> None:
    """Write the clip that comes with lowvox seven times a minute, with pauses: 59 s."""
    import wave

    from lowvox.audio.clip import clip

    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes((clip() + bytes(32000 * PAUSE_S)) * 7 * minutes)


def held() -> Run:
    """Return what this process holds, in MB."""
    from lowvox.memory import meter

    now = meter.usage(os.getpid())
    return {"anonymous_mb": now.anonymous / meter.MB, "pss_mb": now.pss / meter.MB}


def by_engines(way: str, path: str) -> Run:
    """Do the work of `Speech.transcribe` by hand, or the part of it that needs no recogniser."""
    from lowvox import engines, models, recognition
    from lowvox.audio import reading

    choice, found = models.find("recognizer", "en"), models.find("vad")
    vad = engines.create(found.engine).load(found, engines.entry(found.engine).profiles[0]).open()
    where = recognition.limits(0.5)
    with reading.opened(path) as recording:
        if way == "listening":
            for _ in recognition.utterances(recording.blocks(), vad, where):  # type: ignore[arg-type]
                pass
            return held()
        from lowvox.memory.worker import Worker

        if way == "with ledger":
            from lowvox.memory.ledger import Ledger, key
            from lowvox.types import Choice

            assert Ledger().get(key(Choice(choice), engines.entry(choice.engine).package)), "measured beforehand"
        entry = engines.entry(choice.engine)
        with closing(Worker(choice.name)) as worker:
            stream = worker.load(entry.at, choice, entry.profiles[0]).open()
            words = 0
            for segment in recognition.segments(recording.blocks(), vad, stream, where):  # type: ignore[arg-type]
                words += len(segment.words)
            return held() | {"words": words}


def by_speech(path: str) -> Run:
    """Transcribe."""
    from lowvox.speech import Speech

    with Speech(language="en", budget=BUDGET, punctuation=False) as speech:
        transcript = speech.transcribe(path)
        return held() | {"words": sum(len(segment.words) for segment in transcript.segments)}


def job(way: str, path: str) -> None:
    """Work in one way and print what this process took."""
    taken = by_speech(path) if way == "speech" else by_engines(way, path)
    mine = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(taken | {"own_s": mine.ru_utime + mine.ru_stime, "peak_mb": mine.ru_maxrss / 1024}))


def run(way: str, path: Path) -> Run:
    """Start a process for one run; return what it says of itself, and what the kernel says of it and its workers."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "--job", way, str(path)], stdout=subprocess.PIPE)
    assert process.stdout
    told: Run = json.loads(process.stdout.read() or "{}")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise SystemExit(f"the run {way} failed")
    return told | {"wall_s": time.perf_counter() - begun, "cpu_s": usage.ru_utime + usage.ru_stime}


def median(values: list[float]) -> tuple[float, float, float]:
    """Return a median and its 95 % interval, which the order of the values gives."""
    ordered, count = sorted(values), len(values)
    beyond = [sum(comb(count, below) for below in range(rank + 1)) / 2**count for rank in range(count)]
    rank = max((rank for rank in range(count // 2) if beyond[rank] <= 0.025), default=0)
    return statistics.median(ordered), ordered[rank], ordered[-1 - rank]


def compare(runs: dict[str, list[Run]]) -> dict[str, float]:
    """Print the table and return the line."""
    mine = {way: {key: statistics.median(each[key] for each in runs[way]) for key in runs[way][0]} for way in WAYS}
    print(f"{'':12}{'peak RSS':>10}{'anonymous':>11}{'PSS':>8} MB{'own':>9}{'all':>8} s of processor{'clock':>9} s")
    for way, took in mine.items():
        memory = f"{took['peak_mb']:10.1f}{took['anonymous_mb']:11.1f}{took['pss_mb']:8.1f}"
        print(f"{way:12}{memory}   {took['own_s']:9.2f}{took['cpu_s']:8.2f}{took['wall_s']:24.2f}")
    pairs = list(zip(runs["speech"], runs["engines"], strict=True))
    line: dict[str, float] = {"pairs": len(pairs)}
    for key in ("cpu", "wall"):
        ratios = [speech[f"{key}_s"] / engines[f"{key}_s"] for speech, engines in pairs]
        line[f"{key}_ratio"], line[f"{key}_low"], line[f"{key}_high"] = (round(ratio, 4) for ratio in median(ratios))
    shares = [(speech["own_s"] - engines["own_s"]) / engines["cpu_s"] for speech, engines in pairs]
    line["own_share"], line["own_share_low"], line["own_share_high"] = (round(share, 4) for share in median(shares))
    for name, way in (("all", "listening"), ("core", "with ledger")):
        for key in ("peak_mb", "anonymous_mb", "pss_mb"):
            line[f"{name}_{key}"] = round(mine["speech"][key] - mine[way][key], 1)
    return line


def main() -> None:
    """Run in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--minutes", type=int, default=1, help="how long the speech is")
    parser.add_argument("--job", nargs=2, metavar=("WAY", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        job(*arguments.job)
        return
    with tempfile.TemporaryDirectory() as place:
        # Compiled once, as an installation is, whatever this shell says.
        os.environ |= {"LOWVOX_HOME": place, "PYTHONPYCACHEPREFIX": place}
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        path = Path(place) / "minute.wav"
        speech(path, arguments.minutes)
        words = {way: run(way, path).get("words") for way in reversed(WAYS)}  # not counted: it measures and compiles
        assert words["speech"] == words["engines"], "both have heard the same"
        runs: dict[str, list[Run]] = {way: [] for way in WAYS}
        for turn in range(arguments.pairs):
            for way in WAYS if turn % 2 else reversed(WAYS):
                runs[way].append(run(way, path))
    line = compare(runs)
    time_share, whole, core = ENOUGH
    line["kept"] = (
        line["own_share"] <= time_share
        and line["cpu_ratio"] <= 1 + time_share
        and line["all_peak_mb"] <= whole
        and line["core_peak_mb"] <= core
    )
    print(json.dumps({"benchmark": "overhead"} | line))


if __name__ == "__main__":
    main()
