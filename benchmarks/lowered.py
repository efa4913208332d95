"""A VITS decoder and the punctuation model in ONNX Runtime and in ExecuTorch, FP32 and INT8, in one run.

    python benchmarks/lowered.py [--te FILE] [--folder FOLDER] [--window 32] [--runs 20]

Needs PyTorch and ExecuTorch: `pip install 'lowvox[executorch]'`. The voice is the stand-in of the tests with 36 M
random weights, 14 M of them in its decoder, which runs in windows; --te is lowvox-te's FP32 graph (training/te makes
it; what is shipped is rounded already and cannot be lowered), without it those rows are missing. --folder keeps what
was made and takes what is there: lowering takes minutes.

Each row is a process of its own that runs one window, or 48 words, on one thread; rows take turns. Times are the
processor's. Peak is the kernel's of the whole process (RSS). ExecuTorch's Python interface needs torch: "libraries" is
what a process has before a program is loaded. Where there is g++, each program also runs in the same runtime without
Python ("C++" rows: benchmarks/lowered_runner.cpp, against the wheel). RTF counts the frames
of a window that are kept. Parity: whole sentences in windows against the whole graph, and decisions for punctuation.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lowvox.engines import te_words
from lowvox.memory import meter
from lowvox.memory.meter import MB
from lowvox.onnx import split as sidecars
from lowvox.onnx.session import Session
from lowvox.shrink.executorch import graph as executorch_graph
from lowvox.shrink.executorch import layout
from lowvox.shrink.executorch import voice as executorch_voice
from lowvox.shrink.executorch.run import Program, of_program
from lowvox.shrink.executorch.sentences import handed, opened
from lowvox.shrink.trials import distance, trial
from lowvox.shrink.trials.measuring import inside, measured
from lowvox.shrink.voices.quantize import quantize_voice
from lowvox.shrink.voices.split import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Values = Mapping[str, NDArray[Any]]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
RATE, STEM, WORDS = 16000, "voice", 48
SHIPPED = ROOT / "src/lowvox/engines/lowvox_te/weights/lowvox-te.onnx"
SENTENCES = ROOT / "src/lowvox/shrink/trials/sentences.txt"


def feeds(symbols: int) -> dict[str, NDArray[Any]]:
    """Return a text of so many symbols; a longer one begins like a shorter one. Lengths have no noise."""
    ids = np.random.default_rng(5).integers(3, 100, (1, symbols)).astype(np.int64)
    return {"input": ids, "input_lengths": np.array([symbols]), "scales": np.array([0.667, 1, 0], np.float32)}


def voices(folder: Path, window: int) -> tuple[dict[str, Path], dict[str, Any]]:
    """Make the decoder in all four ways; return the files, and how far sentences are from the whole voice."""
    from replicas import vits

    parts, told, parity = folder / "fp32", None, {}
    if not parts.exists():
        parts.mkdir(parents=True)
        (folder / f"{STEM}.onnx").write_bytes(vits.graph(vits.FULL))
        split(folder / f"{STEM}.onnx", parts, feeds)
    told = sidecars.read(parts / f"{STEM}{sidecars.SUFFIX}")
    if not (folder / "int8").exists():
        quantize_voice(parts, folder / "int8", feeds)
    for name, int8 in (("executorch-fp32", False), ("executorch-int8", True)):
        said = folder / f"{name}.json"
        if not said.exists():
            shutil.rmtree(folder / name, ignore_errors=True)
            done = executorch_voice.stages(parts, told, feeds, folder / name, window, int8=int8)
            found = {"frames": done.lengths, "difference": done.difference, "distance_db": done.distance_db}
            said.write_text(json.dumps(found))
        parity[name] = json.loads(said.read_text())
    graph = told.stages[-1].file
    files = {f"decoder, ONNX Runtime {name}": folder / name / graph for name in ("fp32", "int8")}
    for name in ("fp32", "int8"):
        files[f"decoder, ExecuTorch {name}"] = folder / f"executorch-{name}" / Path(graph).with_suffix(".pte").name
    return files, parity


def window_of(folder: Path, program: Path) -> dict[str, NDArray[Any]]:
    """Return what the decoder is given first when a sentence is spoken."""
    told = sidecars.read(folder / "fp32" / f"{STEM}{sidecars.SUFFIX}")
    values = handed(folder / "fp32", told, feeds(60))
    with opened(folder / "fp32", told) as parts:
        for stage, session in parts[:-1]:
            values[stage.output] = session.run(values, [stage.output])[0]
    return dict(
        next(executorch_graph.pieces(layout.read(program), {each: values[each] for each in told.stages[-1].along}))
    )


def paragraphs() -> list[NDArray[np.int32]]:
    """Return texts as lowvox-te sees them: 48 rows each, begin and end among them."""
    words = SENTENCES.read_text("utf-8").lower().replace(",", "").replace(".", "").split()
    cut = [words[at : at + WORDS - 2] for at in range(0, len(words) - WORDS, WORDS - 2)][:20]
    return [np.reshape(te_words.rows(each, "en"), (1, WORDS, te_words.WIDTH)).astype(np.int32) for each in cut]


def punctuation(folder: Path, graph: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """Lower the punctuation model; return the files, and how many decisions are those of the FP32 graph."""
    files = {"punctuation, ONNX Runtime fp32": graph, "punctuation, ONNX Runtime int8": SHIPPED}
    for name in ("fp32", "int8"):
        out = folder / f"te-{name}.pte"
        if not out.exists():
            np.savez(folder / "te.npz", rows=np.stack(paragraphs()))
            executorch_graph.lower(graph, out, WORDS, int8=name == "int8", samples=folder / "te.npz")
        files[f"punctuation, ExecuTorch {name}"] = out
    first = Session(graph)
    expected = [first.run({"rows": rows}) for rows in paragraphs()]
    parity = {}
    for name, file in files.items():
        session: Any = Program(file) if file.suffix == layout.SUFFIX else Session(file)
        found = [session.run({"rows": rows}, ["marks", "cases", "opens"]) for rows in paragraphs()]
        parity[name] = {"same": agreement(expected, found), "distance_db": round(distance.signals(expected, found), 1)}
        parity[name] |= {"padded": padded(first, session)} if file.suffix == layout.SUFFIX else {}
        session.close()
    first.close()
    return files, parity


def agreement(expected: Sequence[Sequence[NDArray[Any]]], found: Sequence[Sequence[NDArray[Any]]]) -> float:
    """Return which share of marks and capitals is the same."""
    same = [
        one.argmax(-1) == other.argmax(-1)
        for theirs, mine in zip(expected, found, strict=True)
        for one, other in zip(theirs[:2], mine[:2], strict=True)
    ]
    return round(float(np.mean(same)), 5)


def padded(graph: Session, program: Program) -> float:
    """Return how far a program is on a shorter text that is filled up, from the graph on the text itself."""
    rows = paragraphs()[0]
    short = rows[:, :20]
    filled = np.concatenate([short, np.full_like(rows[:, 20:], te_words.PAD)], 1)
    whole, mine = graph.run({"rows": short}), program.run({"rows": filled})
    return round(max(float(np.abs(one - other[:, :20]).max()) for one, other in zip(whole, mine, strict=True)), 6)


def rows(files: Mapping[str, Path], sample: Values, runs: int) -> list[dict[str, Any]]:
    """Measure each file in a process of its own, in turns."""
    subjects = [
        of_program(file, sample, name=name)
        if file.suffix == layout.SUFFIX
        else trial.of_graph(file, [sample], (1,), name=name)
        for name, file in files.items()
    ]
    return [asdict(row) for (row,) in measured(subjects, (1,), runs)]


def libraries(program: str) -> float:
    """Return the peak of a process that has loaded its libraries and nothing else."""
    with inside(program, "nothing") as (worker, _):
        return round(meter.peak_rss(worker.pid) / MB, 1)


def runner(folder: Path) -> Path | None:
    """Build the runner that has no Python in it, None where there is no compiler."""
    spec = find_spec("executorch")
    if shutil.which("g++") is None or spec is None or not spec.submodule_search_locations:
        return None
    wheel, out = Path(spec.submodule_search_locations[0]), folder / "runner"
    names = ("", "_backend_xnnpack", "_kernels_optimized", "_kernels_quantized", "_threadpool")
    portable = wheel / "include/executorch/runtime/core/portable_type/c10"
    subprocess.run(
        ["g++", "-std=c++17", "-O1", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS", f"-I{wheel / 'include'}",
         f"-I{portable}", str(Path(__file__).with_name("lowered_runner.cpp")), "-o", str(out), f"-L{wheel / 'lib'}",
         "-Wl,--no-as-needed", *(f"-lexecutorch{name}" for name in names), f"-Wl,-rpath,{wheel / 'lib'}"],
        check=True,
    )  # fmt: skip
    return out


def bare(built: Path, files: Mapping[str, Path], runs: int) -> dict[str, dict[str, float]]:
    """Run each program without Python."""
    found = {}
    for name, file in files.items():
        if file.suffix == layout.SUFFIX:
            said = subprocess.run([str(built), str(file), str(runs)], check=True, capture_output=True, text=True)
            found[f"{name}, C++"] = json.loads(said.stdout.splitlines()[-1])
    return found


def table(found: Sequence[Mapping[str, Any]], without: Mapping[str, Mapping[str, float]], kept_s: float) -> None:
    """Print a table in Markdown; `kept_s` is the sound of a decoder's window."""
    print("\n| | file MB | load s | run ms | RTF | peak MB |\n| --- " + "| --- " * 5 + "|")
    for row in found:
        rtf = f"{row['cpu_s'] / kept_s:.3f}" if row["variant"].startswith("decoder") else ""
        print(
            f"| {row['variant']} | {row['size_mb']:.1f} | {row['load_s']:.2f} | {row['cpu_s'] * 1000:.1f} | {rtf} | "
            f"{row['peak_rss_mb']:.0f} |"
        )
    for name, each in without.items():
        rtf = f"{each['cpu_s'] / kept_s:.3f}" if name.startswith("decoder") else ""
        print(f"| {name} | | {each['load_s']:.2f} | {each['cpu_s'] * 1000:.1f} | {rtf} | {each['peak_mb']:.0f} |")


@contextmanager
def place(kept: Path | None) -> Iterator[Path]:
    """Return the folder that is kept, or lend one."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as lent:
        yield Path(lent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--te", type=Path, metavar="FILE")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--window", type=int, default=32)
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    with place(asked.folder) as folder:
        files, parity = voices(folder, asked.window)
        found = rows(files, window_of(folder, files["decoder, ExecuTorch fp32"]), asked.runs)
        if asked.te:
            others, same = punctuation(folder, asked.te)
            found += rows(others, {"rows": paragraphs()[0]}, asked.runs)
            files, parity = {**files, **others}, {**parity, **same}
        built = runner(folder)
        without = bare(built, files, asked.runs) if built else {}
    table(found, without, asked.window * 256 / RATE)
    held = {
        "onnxruntime": "lowvox.shrink.trials.trial_graph:Program",
        "executorch": "lowvox.shrink.executorch.run:Trial",
    }
    line = {
        "benchmark": "lowered",
        "window": asked.window,
        "rows": found,
        "without_python": without,
        "parity": parity,
    }
    print(json.dumps(line | {"libraries_mb": {name: libraries(program) for name, program in held.items()}}))


if __name__ == "__main__":
    main()
