"""What punctuation costs: memory and cold start against the TorchScript way, words a second, milliseconds a partial.

    python benchmarks/te_cost.py [--torch PYTHON] [--runs 7]

--torch names a Python that has PyTorch. The same network, as TorchScript in float32, then punctuates the same line in a
process that imports torch, in turns with `lowvox-te`'s: peaks are the kernel's, times whole processes. "added" is what
the engine adds to a process in which ONNX Runtime has run another graph already; numpy and ONNX Runtime themselves
have rows of their own. Partials are those of the English dev text, as they grow by one to three words; a revision is a
word that looked different in the partial before. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

LINE = "hello how are you today i am fine thank you said mr brown to the old man who lived in london"

# Of the process itself: what `wait4` tells begins with the size of whoever started it.
PEAK = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"

MINE = f"""
from lowvox.engines.lowvox_te.engine import LowvoxTe
from lowvox.text.restoration import punctuate
from lowvox.types import Model, Profile
stream = LowvoxTe().load(Model("lowvox-te", "lowvox-te", "punctuator", ("en",)), Profile()).open(language="en")
print(punctuate({LINE!r}, stream, "en"))
{PEAK}
"""

# The same words, rows and writing; only the network runs in torch.
THEIRS = f"""
import sys
import torch
from lowvox.engines import te_words
from lowvox.text.marks import CASES, MARKS, write
from lowvox.types import Label
network = torch.jit.load(sys.argv[1])
words = {LINE!r}.split()
with torch.no_grad():
    marks, cases, _ = network(torch.tensor([te_words.rows(words, "en")], dtype=torch.int32))
found = [Label(MARKS[m], CASES[c]) for m, c in zip(marks[0].argmax(-1)[1:], cases[0].argmax(-1)[1:])]
print(" ".join(write(word, label, "en") for word, label in zip(words, found)))
{PEAK}
"""

SCRIPTED = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from network import Network, Shape
from lowvox.engines.te_words import WIDTH
torch.manual_seed(0)
network = Network(Shape(), 0).eval()
torch.jit.trace(network, torch.randint(8, 1000, (1, 40, WIDTH), dtype=torch.int32)).save(sys.argv[2])
"""

ADDED = """
import os, sys
from lowvox.memory import meter
def now(name):
    usage = meter.usage(os.getpid())
    print(name, usage.pss / 2**20, usage.rss / 2**20, usage.uss / 2**20)
import lowvox.speech
now("lowvox")
import numpy
now("numpy")
from lowvox.onnx.session import Session
session = Session(sys.argv[1])
session.run({"x": numpy.ones((1, 64), numpy.float32)})
now("onnxruntime, with a small graph run")
from lowvox.engines.lowvox_te.engine import LowvoxTe
from lowvox.types import Model, Profile
stream = LowvoxTe().load(Model("lowvox-te", "lowvox-te", "punctuator", ("en",)), Profile()).open(language="en")
now("lowvox-te loaded")
for _ in range(3):
    stream.label([["word"] * 126] * 4)
now("lowvox-te after its longest work")
"""


def run(command: list[str]) -> tuple[float, float]:
    """Return (seconds, peak RSS in MB) of one process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert process.stdout is not None
    process.stdout.readline()
    first = time.perf_counter() - begun
    rest = process.stdout.read().split()
    if process.wait():
        raise SystemExit(f"{command[:2]} failed")
    return first, int(rest[-1]) / 1024


def cold(torch: str, runs: int) -> dict[str, object]:
    """Cold processes in turns."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "te.pt")
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        build = [torch, "-W", "ignore", "-c", SCRIPTED, str(ROOT / "training" / "te"), file]
        subprocess.run(build, check=True, env=environment)
        commands = {"lowvox": [sys.executable, "-c", MINE], "torch": [torch, "-c", THEIRS, file]}
        for command in commands.values():
            run(command)  # not counted: files come into the system's cache
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                seen[name].append(run(command))
    peaks = {name: max(peak for _, peak in each) for name, each in seen.items()}
    ratio = statistics.median(mine[0] / theirs[0] for mine, theirs in zip(seen["lowvox"], seen["torch"], strict=True))
    print(f"cold process, one line: peak {peaks['lowvox']:.1f} against {peaks['torch']:.1f} MB, time ratio {ratio:.3f}")
    return {
        "peak_mb": round(peaks["lowvox"], 1),
        "torch_peak_mb": round(peaks["torch"], 1),
        "peak_ratio": round(peaks["lowvox"] / peaks["torch"], 3),
        "first_result_s": round(statistics.median(first for first, _ in seen["lowvox"]), 3),
        "torch_first_result_s": round(statistics.median(first for first, _ in seen["torch"]), 3),
        "time_ratio": round(ratio, 3),
    }


def added() -> dict[str, object]:
    """What each step adds to a process, in MB."""
    from replicas import graphs

    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other.onnx"
        other.write_bytes(graphs.stack(64, 2))
        command = [sys.executable, "-c", ADDED, str(other)]
        text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows: dict[str, object] = {}
    before = [0.0, 0.0, 0.0]
    print("added MB: PSS, RSS, USS")
    for line in text.splitlines():
        name, *figures = line.rsplit(" ", 3)
        now = [float(figure) for figure in figures]
        rows[name] = [round(a - b, 1) for a, b in zip(now, before, strict=True)]
        print(f"  {name:40} {rows[name]}")
        before = now
    return rows


def speed() -> dict[str, object]:
    """Words a second on one core; milliseconds and revisions of partials."""
    sys.path.insert(0, str(ROOT / "training" / "te"))
    from corpus import labelled, lines

    from lowvox.engines.lowvox_te.engine import LowvoxTe
    from lowvox.text.live import LivePunctuator
    from lowvox.text.restoration import flowing
    from lowvox.types import Model, Profile

    stream = LowvoxTe().load(Model("lowvox-te", "lowvox-te", "punctuator", ("en",)), Profile()).open(language="en")
    texts = [" ".join(word.word for word in line) for line in labelled(lines("en", "dev")[:2000], "en")]
    words = sum(len(text.split()) for text in texts)
    rates = {}
    for name, text in (("one long line", " ".join(texts)), ("lines", "\n".join(texts))):
        begun = time.process_time()
        for _ in flowing([text], stream, "en"):
            pass
        rates[name] = round(words / (time.process_time() - begun))
    spent, revised, shown = [], 0, 0
    for begin in range(0, len(texts) - 5, 20):
        spoken = " ".join(texts[begin : begin + 3]).split()[:60]
        live, before, count = LivePunctuator(stream, "en"), [""], 0
        while count < len(spoken):
            count = min(len(spoken), count + 1 + count % 3)
            begun = time.perf_counter()
            now = live.partial(" ".join(spoken[:count])).replace(" —", "").split()
            spent.append(1000 * (time.perf_counter() - begun))
            # The last word of the partial before had no mark yet: that it gets one is no revision.
            revised += sum(a != b for a, b in zip(before[:-1], now, strict=False))
            before = now
        shown += len(spoken)
    spent.sort()
    p50, p95 = spent[len(spent) // 2], spent[len(spent) * 95 // 100]
    print(f"words a second on one core {rates}; a partial {p50:.1f} ms, 95 % {p95:.1f}")
    print(f"{revised / shown:.3f} revisions a word")
    return {
        "words_per_s": rates,
        "partial_ms": [round(p50, 2), round(p95, 2)],
        "revisions_per_word": round(revised / shown, 4),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", metavar="PYTHON")
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    result: dict[str, object] = {"benchmark": "te_cost", "added_mb": added(), **speed()}
    if asked.torch:
        result["cold"] = cold(asked.torch, asked.runs)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
