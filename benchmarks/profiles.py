"""What each setting of an ONNX Runtime session does to a VITS voice's memory, speed and loading: usual advice, tried.

    python benchmarks/profiles.py [--upstream PYTHON] [--seconds 4] [--runs 1] [--folder FOLDER] [--only NAME ...]

The voice and --upstream, --folder are those of benchmarks/vits.py: 36 M weights, split, in FP32 and in INT8. Two
subjects: its decoder alone (57 MB in FP32), and the whole voice in windows of 64 frames. Each row is a session with its
defaults on one thread but for what its name says, in a process of its own; the rows take turns. "own pages" is glibc
told to give every piece of 1 MB and more pages of its own (MALLOC_MMAP_THRESHOLD_): with that and the arena handed back
it is lowvox's profile "default", with the arena off "no-arena". An .ort is the graph optimised beforehand (extended).

MB by the kernel, of the whole process: anonymous memory when loaded and when the sound is done, peak RSS of loading and
of all, the pages of mapped files among them. The decoder runs 200 frames at once. Seconds are the processor's: to load,
and for a second of sound (RTF), for the decoder the best of several runs of 90 frames. The last line is one JSON
object; figures are medians over the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import vits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LONG, SHORT, TIMES = 200, 90, 5
WINDOW = 64
OWN_PAGES = {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
PLAIN = "as it comes"

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is not as it comes; `form` is the suffix of the file, `entries` are configuration keys of the session."""

    arena: bool = True
    shrinking: bool = False
    pattern: bool = True
    level: str = "all"
    threads: int = 1
    across: int = 1
    parallel: bool = False
    own_pages: bool = False
    form: str = ".onnx"
    entries: tuple[str, ...] = ()


_STILL = "session.intra_op.allow_spinning=0"
_QUIET = "session.inter_op.allow_spinning=0"
_UNPACKED = "session.disable_prepacking=1"
_MAPPED = "session.use_memory_mapped_ort_model=1"
_IN_PLACE = (_MAPPED, "session.use_ort_model_bytes_directly=1", "session.use_ort_model_bytes_for_initializers=1")
WAYS = {
    PLAIN: Settings(),
    "arena off": Settings(arena=False),
    "arena handed back after a run": Settings(shrinking=True),
    "own pages": Settings(own_pages=True),
    "own pages, arena handed back": Settings(own_pages=True, shrinking=True),
    "own pages, arena off": Settings(own_pages=True, arena=False),
    "own pages, arena handed back, level extended": Settings(own_pages=True, shrinking=True, level="extended"),
    "own pages, arena handed back, memory pattern off": Settings(own_pages=True, shrinking=True, pattern=False),
    "memory pattern off": Settings(pattern=False),
    "prepacking off": Settings(entries=(_UNPACKED,)),
    "graph level none": Settings(level="disable_all"),
    "graph level basic": Settings(level="basic"),
    "graph level extended": Settings(level="extended"),
    "graph level layout": Settings(level="layout"),
    "spinning off": Settings(entries=(_STILL,)),
    "two threads": Settings(threads=2),
    "two threads, spinning off": Settings(threads=2, entries=(_STILL,)),
    "two threads across operators": Settings(across=2),
    "two threads across operators, parallel": Settings(across=2, parallel=True),
    "two threads across operators, parallel, spinning off": Settings(across=2, parallel=True, entries=(_STILL, _QUIET)),
    "denormals as zero": Settings(entries=("session.set_denormal_as_zero=1",)),
    "weights in a file beside": Settings(form=".beside.onnx"),
    "weights beside, prepacking off": Settings(form=".beside.onnx", entries=(_UNPACKED,)),
    ".ort, read": Settings(form=".ort"),
    ".ort, mapped and copied": Settings(form=".ort", entries=(_MAPPED,)),
    ".ort, mapped": Settings(form=".ort", entries=_IN_PLACE),
    ".ort, mapped, prepacking off": Settings(form=".ort", entries=(*_IN_PLACE, _UNPACKED)),
    ".ort, mapped, own pages, handed back": Settings(form=".ort", own_pages=True, shrinking=True, entries=_IN_PLACE),
    ".ort, mapped, prepacking off, own pages, handed back": Settings(
        form=".ort", own_pages=True, shrinking=True, entries=(*_IN_PLACE, _UNPACKED)
    ),
    ".ort, mapped, prepacking off, own pages, arena off": Settings(
        form=".ort", own_pages=True, arena=False, entries=(*_IN_PLACE, _UNPACKED)
    ),
}


class Open:
    """A session with some settings, in the shape of lowvox's own."""

    def __init__(self, path: Path, settings: Settings) -> None:
        from lowvox.onnx import runtime

        onnxruntime = runtime()
        options = _options(settings)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._how = onnxruntime.RunOptions()
        if settings.shrinking:
            self._how.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self.inputs = [given.name for given in self._session.get_inputs()]
        self.outputs = [given.name for given in self._session.get_outputs()]

    def run(self, given: Mapping[str, NDArray[Any]], outputs: list[str] | None = None) -> list[NDArray[Any]]:
        """Run."""
        made: list[NDArray[Any]] = self._session.run(outputs, dict(given), self._how)
        return made


def _options(settings: Settings) -> Any:
    from lowvox.onnx import runtime

    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = settings.across
    if settings.parallel:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    options.enable_cpu_mem_arena = settings.arena
    options.enable_mem_pattern = settings.pattern
    level = "disable_all" if settings.level == "disable_all" else f"enable_{settings.level}"
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_{level.upper()}")
    for entry in settings.entries:
        options.add_session_config_entry(*entry.split("="))
    return options


def forms(folder: Path) -> None:
    """Write the parts in their other forms beside them, and what the decoder is given."""
    import numpy as np

    from lowvox.onnx import split
    from lowvox.shrink.shipping import weights

    told = split.read(folder / "voice.split.json")
    for name in told.files:
        path = folder / name
        if not path.with_suffix(".ort").exists():
            options = _options(Settings(level="extended", entries=("session.save_model_format=ORT",)))
            options.optimized_model_filepath = str(path.with_suffix(".ort"))
            _load(path, options)
            place = folder / "beside"
            place.mkdir(exist_ok=True)
            weights.split(path.read_bytes(), place / f"{path.stem}.beside.onnx", place / f"{path.stem}.weights")
    values: dict[str, Any] = vits.feeds(100)
    for name in told.files[:-1]:
        part = Open(folder / name, Settings())
        values |= zip(part.outputs, part.run({each: values[each] for each in part.inputs}), strict=True)
    decoder = told.stages[-1]
    cut = {name: values[name].take(range(LONG), axis) for name, axis in decoder.along.items()}
    fixed: dict[str, Any] = {name: values[name] for name in decoder.fixed}
    np.savez(folder / "decoder.npz", **cut, **fixed)


def _load(path: Path, options: Any) -> None:
    from lowvox.onnx import runtime

    runtime().InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def paths(folder: Path, names: tuple[str, ...], form: str) -> list[Path]:
    """Return the parts' files in a form."""
    place = folder / "beside" if form == ".beside.onnx" else folder
    return [place / f"{Path(name).stem}{form}" for name in names]


def job(subject: str, settings: Settings, folder: Path) -> Row:
    """Load and run a subject; to be called in a process of its own."""
    import numpy as np

    from lowvox.memory import meter
    from lowvox.onnx import runtime, split

    def anonymous() -> float:
        return meter.usage(os.getpid()).anonymous / vits.MB

    runtime()
    told = split.read(folder / "voice.split.json")
    names = told.files[-1:] if subject == "decoder" else told.files
    source = folder / "decoder.npz" if subject == "decoder" else folder / ".." / "whole" / "utterance.npz"
    with np.load(source) as saved:
        given = dict(saved)
    begun, clock = time.process_time(), time.perf_counter()
    parts = [Open(path, settings) for path in paths(folder, names, settings.form)]
    row = {"load_s": time.process_time() - begun, "load_wall_s": time.perf_counter() - clock}
    row |= {"loaded_mb": anonymous(), "load_peak_mb": meter.peak_rss(os.getpid()) / vits.MB}
    speed = _decode(parts[0], told.stages[-1], given) if subject == "decoder" else _speak(parts, told, given)
    return {**row, "rtf": speed, "after_mb": anonymous(), "peak_mb": meter.peak_rss(os.getpid()) / vits.MB}


def _decode(decoder: Open, stage: Any, given: dict[str, NDArray[Any]]) -> float:
    """Run the decoder over all frames, then over fewer for the time; return that for a second of sound."""
    decoder.run(given)
    cut = {name: array.take(range(SHORT), stage.along[name]) for name, array in given.items() if name in stage.along}
    taken: list[float] = []
    for _ in range(TIMES):
        begun = time.process_time()
        decoder.run({**given, **cut})
        taken.append(time.process_time() - begun)
    decoder.run(given)
    return min(taken) * vits.RATE / (SHORT * vits.HOP)


def _speak(parts: list[Open], told: Any, given: dict[str, NDArray[Any]]) -> float:
    """Speak in windows; return the time for a second of sound."""
    from lowvox.onnx.stages import stream

    begun = time.process_time()
    handed = dict(zip(parts[0].outputs, parts[0].run(given), strict=True))
    stages: list[Any] = list(zip(told.stages, parts[1:], strict=True))
    samples: int = sum(block.size for block in stream(stages, handed, WINDOW))
    return (time.process_time() - begun) * vits.RATE / samples


def apart(subject: str, way: str, folder: Path) -> Row:
    """Do a job in a new process."""
    environment = os.environ | (OWN_PAGES if WAYS[way].own_pages else {}) | {"PYTHONPATH": str(vits.ROOT / "src")}
    command = [sys.executable, __file__, "--folder", str(folder), "--job", json.dumps([subject, way])]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True)
    told: Row = json.loads(process.stdout)
    return told


def measured(subject: str, ways: list[str], folder: Path, runs: int) -> dict[str, Row]:
    """Run the ways in turns; return medians, the RTF's ratio to the first way among them."""
    taken: dict[str, list[Row]] = {way: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            taken[way].append(apart(subject, way, folder))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    rows = {}
    for way in ways:
        row = {key: statistics.median(run[key] for run in taken[way]) for key in taken[way][0]}
        pairs = zip(taken[way], taken[ways[0]], strict=True)
        row["rtf_ratio"] = statistics.median(mine["rtf"] / theirs["rtf"] for mine, theirs in pairs)
        rows[way] = {key: round(value, 3) for key, value in row.items()}
    return rows


def table(title: str, rows: dict[str, Row]) -> None:
    """Print a table in Markdown."""
    print(f"\n| {title} | load s | peak of loading | loaded | peak | after | RTF | ratio |")
    print("| --- " * 8 + "|")
    for way, row in rows.items():
        memory = " | ".join(f"{row[f'{key}_mb']:.0f}" for key in ("load_peak", "loaded", "peak", "after"))
        print(f"| {way} | {row['load_s']:.2f} | {memory} | {row['rtf']:.3f} | {row['rtf_ratio']:.2f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", metavar="PYTHON")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=WAYS, metavar="NAME", default=[])
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        subject, way = json.loads(asked.job)
        print(json.dumps(job(subject, WAYS[way], asked.folder)))
        return
    ways = [way for way in WAYS if not asked.only or way == PLAIN or way in asked.only]
    line: dict[str, Any] = {"benchmark": "profiles", "seconds": asked.seconds, "runs": asked.runs}
    with vits.place(asked.folder) as folder:
        vits.prepare(folder, asked.upstream)
        vits.utterance(folder, asked.seconds)
        for precision in ("fp32", "int8"):
            forms(folder / precision)
            for subject in ("decoder", "voice"):
                name = f"{precision.upper()} {subject}"
                line[name] = measured(subject, ways, folder / precision, asked.runs)
                table(name, line[name])
    print(json.dumps(line))


if __name__ == "__main__":
    main()
