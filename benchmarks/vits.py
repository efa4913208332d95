"""One long utterance of a VITS voice of 36 M weights: torch, ONNX Runtime as it comes, Piper's runtime, lowvox.

    python benchmarks/vits.py [--upstream PYTHON] [--seconds 32] [--runs 3] [--folder FOLDER]

--upstream names a Python that has torch, onnx and piper-tts; the voice is then made of Piper's own training classes
(benchmarks/vits_upstream.py), all ways speak the same weights, and without it the voice is the stand-in of the tests
and two rows are missing. Weights are random, 16 kHz, 256 samples a frame. --folder keeps the voice and its parts there
and takes what is there already.

Each way is a process of its own that speaks once, on one thread; the ways take turns. Peak is the kernel's of the whole
process (RSS, with Python and the libraries), "after" its anonymous memory when the sound is done and let go of. Times
are the processor's, of the thread at work: to load the voice, for a second of sound (RTF), and until the first sound
with a voice that is loaded; the clock's are in the JSON, and the same on an idle machine only. "apart" loads front and
rest one after the other for every sentence, so loading is part of its RTF and of its first sound. INT8 is
`lowvox.shrink.voices.quantize`. lowvox's parts are mapped files (.ort), as `lowvox shrink` writes them.

Then 1, 2, 4 and 8 threads speak a quarter of the utterance each, with one loaded voice, and ONNX Runtime as it comes
speaks it in batches of 1, 2, 4 and 8. The last line is one JSON object; figures are medians over the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
RATE, HOP = 16000, 256
MB = 2**20
UNBROKEN = 10**6  # frames of a window that no utterance fills
COUNTS = (1, 2, 4, 8)
MAPPED = "-mapped"

Run = dict[str, float]


@dataclass(frozen=True, slots=True)
class Way:
    """How the voice is run: by `whose` runtime, from which folder, how many at once."""

    name: str
    whose: str
    folder: str = "whole"
    profile: str = "default"
    window: int | None = None
    count: int = 1


UPSTREAM = (Way("torch", "torch"), Way("piper-tts", "piper"))
OURS = (
    Way("onnxruntime", "plain"),
    Way("lowvox FP32, whole", "lowvox"),
    *(Way(f"lowvox FP32, window {frames}", "lowvox", "fp32" + MAPPED, window=frames) for frames in (32, 64, 128)),
    Way("lowvox FP32, window 32, apart", "lowvox", "fp32" + MAPPED, "apart", 32),
    Way("lowvox INT8, no windows", "lowvox", "int8" + MAPPED, window=UNBROKEN),
    *(Way(f"lowvox INT8, window {frames}", "lowvox", "int8" + MAPPED, window=frames) for frames in (32, 64)),
    Way("lowvox INT8, window 32, apart", "lowvox", "int8" + MAPPED, "apart", 32),
)
AT_ONCE = tuple(
    Way(f"lowvox {folder.upper()}, {count} at once", "lowvox", folder + MAPPED, window=32, count=count)
    for folder in ("fp32", "int8")
    for count in COUNTS
)
BATCHES = tuple(Way(f"onnxruntime, batch of {count}", "plain", count=count) for count in COUNTS)


def feeds(symbols: int) -> dict[str, NDArray[Any]]:
    """Return a text of so many symbols; a longer one begins like a shorter one. Lengths have no noise."""
    import numpy as np

    ids = np.random.default_rng(5).integers(3, 100, (1, symbols)).astype(np.int64)
    scales = np.array([0.667, 1, 0], np.float32)
    return {"input": ids, "input_lengths": np.array([symbols]), "scales": scales}


def prepare(folder: Path, upstream: str | None) -> None:
    """Make the voice, its parts, its parts in 8 bits, and both as they are shipped, whatever of them is missing."""
    import msgspec

    from lowvox.onnx import split as sidecars
    from lowvox.shrink.voices.quantize import quantize_voice
    from lowvox.shrink.voices.split import split
    from lowvox.shrink.voices.voice import mapped
    from replicas import vits

    whole, parts, rounded = (folder / name for name in ("whole", "fp32", "int8"))
    for place in (whole, parts):
        place.mkdir(parents=True, exist_ok=True)
    graph = whole / "voice.onnx"
    if not graph.exists():
        if upstream:
            script = str(Path(__file__).with_name("vits_upstream.py"))
            subprocess.run([upstream, script, "make", str(whole)], check=True, stdout=sys.stderr)
        else:
            graph.write_bytes(vits.graph(vits.FULL))
        told = vits.config("en_US-test-high", "espeak")
        graph.with_name("voice.onnx.json").write_text(json.dumps(told), "utf-8")
    if not any(parts.iterdir()):
        split(graph, parts, feeds)
    if not rounded.exists():
        quantize_voice(parts, rounded, feeds)
    for made in (parts, rounded):
        shipped = folder / f"{made.name}{MAPPED}"
        if not shipped.exists():
            shutil.copytree(made, shipped)
            sidecar = mapped(shipped, "voice")
            if made is rounded:
                sidecars.write(shipped / f"voice{sidecars.SUFFIX}", msgspec.structs.replace(sidecar, packed=True))


def utterance(folder: Path, seconds: float) -> None:
    """Write the feeds for so many seconds."""
    import numpy as np

    from lowvox.onnx import split
    from lowvox.onnx.session import Session

    told = split.read(folder / "fp32" / "voice.split.json")
    front = Session(folder / "fp32" / told.front)
    name, axis = next(iter(told.stages[0].along.items()))
    symbols = 100
    for _ in range(4):
        frames = front.run(feeds(symbols), [name])[0].shape[axis]
        symbols = round(symbols * seconds * RATE / HOP / frames)
    given: dict[str, Any] = feeds(symbols)
    np.savez(folder / "whole" / "utterance.npz", **given)


class Plain:
    """The whole graph in a session with its defaults, but for one thread; `count` copies as a batch."""

    def __init__(self, path: Path, count: int) -> None:
        from lowvox.onnx import runtime

        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._count = count

    def run(self, given: dict[str, Any]) -> Iterator[NDArray[Any]]:
        """Speak."""
        import numpy as np

        several = {
            "input": np.repeat(given["input"], self._count, 0),
            "input_lengths": np.repeat(given["input_lengths"], self._count),
            "scales": given["scales"],
        }
        yield self._session.run(None, several)[0].reshape(-1)


def opened(way: Way, folder: Path) -> Any:
    """Load the voice."""
    path = folder / way.folder / "voice.onnx"
    if way.whose == "plain":
        return Plain(path, way.count)
    from lowvox.engines.vits import Vits
    from lowvox.types import Profile

    return Vits(path, Profile(way.profile, window=way.window), way.count)


def job(way: Way, folder: Path) -> Run:
    """Speak in one way; to be called in a process of its own. Times in seconds, memory in MB."""
    import numpy as np

    from lowvox.memory import meter
    from lowvox.onnx import runtime

    runtime()
    with np.load(folder / "whole" / "utterance.npz") as saved:
        given = dict(saved)
    before, begun, worked = meter.usage(os.getpid()), time.perf_counter(), time.process_time()
    voice = opened(way, folder)
    told = {"load_s": time.process_time() - worked, "load_wall_s": time.perf_counter() - begun}
    loaded = meter.usage(os.getpid())
    firsts, samples = [], []

    def speak() -> None:
        heard = 0
        for block in voice.run(given):
            if not heard:
                firsts.append((time.thread_time(), time.perf_counter() - begun))
            heard += block.size
        samples.append(heard)

    threads = [threading.Thread(target=speak) for _ in range(way.count if way.whose == "lowvox" else 1)]
    begun, worked = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        **told,
        "first_s": statistics.median(own for own, _ in firsts),
        "first_wall_s": statistics.median(clock for _, clock in firsts),
        "cpu_s": time.process_time() - worked,
        "wall_s": time.perf_counter() - begun,
        "seconds": sum(samples) / RATE,
        "peak_mb": meter.peak_rss(os.getpid()) / MB,
        "anonymous_mb": meter.usage(os.getpid()).anonymous / MB,
        "loaded_mb": loaded.rss / MB,
        "libraries_mb": before.rss / MB,
    }


def apart(way: Way, folder: Path, upstream: str | None) -> Run:
    """Speak in a new process."""
    if way.whose in ("torch", "piper"):
        assert upstream
        command = [upstream, str(Path(__file__).with_name("vits_upstream.py")), way.whose, str(folder / "whole")]
    else:
        command = [sys.executable, __file__, "--folder", str(folder), "--job", json.dumps(asdict(way))]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True)
    told: Run = json.loads(process.stdout)
    return {**told, "rtf": told["cpu_s"] / told["seconds"], "wall_rtf": told["wall_s"] / told["seconds"]}


def size(way: Way, folder: Path) -> float:
    """Return the megabytes (10^6 bytes) of what a way loads."""
    if way.whose == "torch":
        return (folder / "whole" / "voice.pt").stat().st_size / 1e6
    graphs = [file for file in (folder / way.folder).iterdir() if file.suffix in (".onnx", ".ort")]
    return sum(file.stat().st_size for file in graphs) / 1e6


def turns(ways: tuple[Way, ...], folder: Path, upstream: str | None, runs: int) -> dict[str, dict[str, float]]:
    """Run the ways in turns; return the medians, and the ratios to the first way within each turn."""
    taken: dict[str, list[Run]] = {way.name: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            taken[way.name].append(apart(way, folder, upstream))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    first = taken[ways[0].name]
    found = {}
    for way in ways:
        each = taken[way.name]
        row = {key: statistics.median(run[key] for run in each) for key in each[0]}
        for key in ("peak_mb", "rtf"):
            ratios = [mine[key] / theirs[key] for mine, theirs in zip(each, first, strict=True)]
            row[f"{key.removesuffix('_mb')}_ratio"] = statistics.median(ratios)
        row |= {"rtf_low": min(run["rtf"] for run in each), "rtf_high": max(run["rtf"] for run in each)}
        found[way.name] = {key: round(value, 3) for key, value in (row | {"file_mb": size(way, folder)}).items()}
    return found


def table(rows: dict[str, dict[str, float]]) -> None:
    """Print a table in Markdown; ratios are to its first row."""
    print("\n| | file MB | load s | peak MB | ratio | after MB | RTF | ratio | first s |")
    print("| --- " * 9 + "|")
    for name, row in rows.items():
        memory = f"{row['peak_mb']:.0f} | {row['peak_ratio']:.3f} | {row['anonymous_mb']:.0f}"
        speed = f"{row['rtf']:.3f} | {row['rtf_ratio']:.3f} | {row['first_s']:.2f}"
        print(f"| {name} | {row['file_mb']:.0f} | {row['load_s']:.2f} | {memory} | {speed} |")


@contextmanager
def place(kept: Path | None) -> Iterator[Path]:
    """Return the folder that is kept, or lend one."""
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory() as lent:
        yield Path(lent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", metavar="PYTHON")
    parser.add_argument("--seconds", type=float, default=32)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(job(Way(**json.loads(asked.job)), asked.folder)))
        return
    if asked.upstream and not shutil.which(asked.upstream):
        parser.error(f"there is no {asked.upstream}")
    line: dict[str, Any] = {"benchmark": "vits", "seconds": asked.seconds, "runs": asked.runs}
    with place(asked.folder) as folder:
        prepare(folder, asked.upstream)
        utterance(folder, asked.seconds)
        ways = (*(UPSTREAM if asked.upstream else ()), *OURS)
        line["ways"] = turns(ways, folder, asked.upstream, asked.runs)
        table(line["ways"])
        utterance(folder, asked.seconds / 4)
        for name, several in (("at_once", AT_ONCE), ("batches", BATCHES)):
            line[name] = turns(several, folder, asked.upstream, 1)
            table(line[name])
    print(json.dumps(line))


if __name__ == "__main__":
    main()
