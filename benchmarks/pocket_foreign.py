"""Pocket TTS exported by others, in lowvox and in its own package on torch, with the same weights: sound, memory, time.

    python benchmarks/pocket_foreign.py --upstream PYTHON FOLDER [--runs 3] [--core 1]

PYTHON has pocket-tts 1.0.3 (whose states these exports have), onnx, onnxruntime and sentencepiece; FOLDER is where
random weights and their export are written, and found again the next time. First lowvox hears the recording and speaks
with the noise that the package was given: largest differences, as a part of the package's largest number, of what is
heard, of keys and values, and of the sound. Each frame is made from lowvox's own last one.

Then each way is a process of its own on one core; the ways take turns. It reads a voice file and speaks the sentence to
the bound of its length; peak is the kernel's (RSS, MB of 2^20 bytes), "load" the processor's time to start, import and
load, "rtf" that of a second of sound. The package hears the recording instead, for it cannot keep a voice; "above" is
lowvox's peak above what the loaded model held. The last line is one JSON object; medians over the runs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from lowvox.engines.pocket.engine import PocketResident

INSIDE, PARITY = "inside", "parity"
RUN, TEXT, VOICE = "run.npz", "text.txt", "voice.safetensors"
GRAPHS = ("flow_lm_main", "flow_lm_flow", "mimi_decoder")
Row = dict[str, float]


def parity(folder: Path) -> Row:
    """Compare lowvox with what the package made; keeps the voice."""
    import numpy as np

    from lowvox.engines.pocket import voice as pocket_voice

    resident = _resident(folder)
    given = np.load(folder.parent / RUN)
    heard = resident._graphs.listen(given["recording"])
    cache = resident._cache(len(heard))
    resident._graphs.hear(cache, heard)
    made = cache.read()
    pocket_voice.write(folder / VOICE, made, resident._found.facts)
    speaker = _speaker(resident, cache, given["noise"])
    said = np.concatenate(list(speaker.speak((folder.parent / TEXT).read_text("utf-8"))))
    expected = given["sound"]
    count = min(len(said), len(expected))
    faded = resident._found.facts.rate // 200  # lowvox fades the first click
    pairs = {"heard": (heard, given["conditioning"]), "voice": (made, given["voice"][:, :, : made.shape[2]])}
    pairs["sound"] = (said[faded:count], expected[faded:count])
    row = {name: float(np.abs(one - other).max() / np.abs(other).max()) for name, (one, other) in pairs.items()}
    return row | {"seconds": count / resident._found.facts.rate}


def inside(folder: Path) -> Row:
    """Load, take up the voice and speak."""
    resident = _resident(folder)
    row: Row = {"load_s": time.process_time(), "loaded_mb": _memory("VmRSS")}
    stream = resident.open(reference=folder / VOICE, seed=1, eos_threshold=1000.0)
    begun, size = time.process_time(), 0
    for pcm in stream.speak((folder.parent / TEXT).read_text("utf-8")):
        row.setdefault("first_s", time.process_time() - begun)
        size += len(pcm)
    row["rtf"] = (time.process_time() - begun) / (size / 2 / stream.rate)
    return row | {"peak_mb": _memory("VmHWM"), "above_mb": _memory("VmHWM") - row["loaded_mb"]}


def _resident(folder: Path) -> PocketResident:
    from lowvox.engines.pocket.engine import Pocket
    from lowvox.types import Model, Profile

    return Pocket().load(Model("pocket", "pocket", "synthesizer", ("en",), folder), Profile())


def _speaker(resident: PocketResident, cache: Any, noise: Any) -> Any:
    """Return somebody who speaks with given noise."""
    from lowvox.engines.pocket.speaker import Speaker, Way

    class Given:
        def __init__(self) -> None:
            self.rows = iter(noise)

        def next(self) -> Any:
            return next(self.rows)[None]

    given: Any = Given()
    return Speaker(resident._graphs, resident._tokenizer, resident._found.facts, cache, given, Way(1, 1000.0, None))


def main() -> None:
    """Export where nothing is, compare, run every way in turn and print what it took."""
    if sys.argv[1] in (INSIDE, PARITY):
        print(json.dumps((parity if sys.argv[1] == PARITY else inside)(Path(sys.argv[2]))))
        return
    import statistics

    stated = _arguments()
    script = str(Path(__file__).with_name("pocket_foreign_upstream.py"))
    if not (stated.folder / "onnx").exists():
        stated.folder.mkdir(parents=True, exist_ok=True)
        _run([stated.upstream, script, "export", str(stated.folder)], stated.core)
    kinds = {name: _kind(stated.folder, name) for name in ("fp32", "int8")}
    own = [sys.executable, __file__]
    equal = {name: _run([*own, PARITY, str(folder)], stated.core) for name, folder in kinds.items()}
    ways = {"torch": [stated.upstream, script, "speak", str(stated.folder)]}
    ways |= {name: [*own, INSIDE, str(folder)] for name, folder in kinds.items()}
    runs: dict[str, list[Row]] = {name: [] for name in ways}
    for _ in range(stated.runs):
        for name, command in ways.items():
            runs[name].append(_run(command, stated.core))
            print(f"{name}: {runs[name][-1]}", file=sys.stderr)
    rows = {name: {key: statistics.median(run[key] for run in each) for key in each[0]} for name, each in runs.items()}
    for name, row in equal.items():
        print(f"{name:6} heard {row['heard']:.1e}  voice {row['voice']:.1e}  sound {row['sound']:.1e}")
    for name, row in rows.items():
        print(f"{name:6} load {row['load_s']:5.2f} s  RTF {row['rtf']:.3f}  peak {row['peak_mb']:7.1f} MB")
    print(json.dumps({"benchmark": "pocket_foreign", "parity": equal, "rows": rows}))


def _kind(folder: Path, name: str) -> Path:
    """Return a folder with the graphs of one precision: links to those that were exported."""
    found = folder / name
    found.mkdir(exist_ok=True)
    ends = {graph: "_int8" if name == "int8" and graph in GRAPHS else "" for graph in GRAPHS}
    files = [f"onnx/{graph}{end}.onnx" for graph, end in ends.items()]
    for file in (*files, "onnx/text_conditioner.onnx", "onnx/mimi_encoder.onnx", "tokenizer.model"):
        link = found / Path(file).name
        if not link.exists():
            link.symlink_to((folder / file).resolve())
    return found


def _arguments() -> argparse.Namespace:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", metavar="PYTHON", required=True)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("folder", type=Path)
    return parser.parse_args()


def _run(command: list[str], core: int) -> Row:
    import subprocess

    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
    whole = ["taskset", "-c", str(core), *command]
    done = subprocess.run(whole, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    lines = done.stdout.splitlines()
    row: Row = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return row


def _memory(line: str) -> float:
    told = Path("/proc/self/status").read_text("utf-8")
    return int(told.split(f"{line}:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
