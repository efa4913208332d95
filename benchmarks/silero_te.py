"""Silero TE with PyTorch and converted, without: the memory and the time of a process that punctuates one line.

    python benchmarks/silero_te.py [--runs 3] [--file v2_4lang_q.pt]

Needs the extra `shrink`. Without --file the model is the stand-in of the tests at its full size (85 MB, six layers of
768, everything in 8 bits): its weights mean nothing, but are the same on both sides. Each run is a process of its own
that starts, loads the model and punctuates twelve words; the ways take turns. Time is from the start of the process to
the line, as somebody who waits for it sees it, with the files in the system's cache; memory is the kernel's peak of
the resident set. "torch" opens the released file as Silero says, "lowvox" runs the converted model. What the two
write is compared, and so are all classes on the inputs of the conversion. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
MB = 2**20
LINES = {
    "en": "hello john how are you we go home and come the day",
    "ru": "привет как дом день ночь мы да нет что где когда кто",
}
PEAK = """
import json
from pathlib import Path
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps({"text": written, "peak_mb": int(peak.split()[1]) / 1024}), flush=True)
"""
TORCH = """
import warnings
warnings.simplefilter("ignore")
import sys
from torch.package import PackageImporter
model = PackageImporter(sys.argv[1]).load_pickle("te_model", "model")
written = model.enhance_text(sys.argv[3], sys.argv[2])
"""
LOWVOX = """
import sys
from pathlib import Path
from lowvox.engines.silero_te.engine import SileroTe
from lowvox.text.marks import write
from lowvox.types import Model, Profile
words, language = sys.argv[3].split(), sys.argv[2]
stream = SileroTe().load(Model("te", "silero-te", "punctuator", (), Path(sys.argv[1])), Profile()).open(language)
(labels,) = stream.label([words])
written = " ".join(write(word, label, language) for word, label in zip(words, labels))
"""


def cold(code: str, path: Path, language: str) -> dict[str, Any]:
    """Run one way in a new process and return what it wrote, its peak and the seconds until then."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", code + PEAK, str(path), language, LINES[language]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        seconds = time.perf_counter() - begun
    return {**json.loads(line), "seconds": seconds}


def measured(file: Path, folder: Path, runs: int) -> dict[str, Any]:
    """Measure both ways in turns; the figures are medians."""
    ways = {"torch": (TORCH, file), "lowvox": (LOWVOX, folder)}
    taken: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for turn in range(runs * len(LINES)):
        for way, (code, path) in ways.items():
            taken[way].append(cold(code, path, list(LINES)[turn % len(LINES)]))
    rows = {
        way: {name: round(statistics.median(one[name] for one in all_of_it), 2) for name in ("peak_mb", "seconds")}
        for way, all_of_it in taken.items()
    }
    texts = {way: [one["text"] for one in all_of_it[: len(LINES)]] for way, all_of_it in taken.items()}
    for way, row in rows.items():
        print(f"{way:7} peak {row['peak_mb']:6.1f} MB   first line after {row['seconds']:5.2f} s   {texts[way][0]}")
    # A hyphen joins two words, which lowvox never does.
    plain = [text.replace("-", " ") for text in texts["torch"]]
    return {"rows": rows, "same_text": plain == texts["lowvox"]}


def main() -> None:
    """Build, convert, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--file", type=Path, help="a copy of the real model")
    options = parser.parse_args()
    from lowvox.shrink.silero_te.convert import export

    with TemporaryDirectory() as beside, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = options.file or made(Path(beside) / "v2_4lang_q.pt")
        begun = time.perf_counter()
        converted = export(file, Path(beside) / "silero-te")
        figures = {
            "file_mb": round(file.stat().st_size / MB, 1),
            "converted_mb": round(converted.size / MB, 1),
            "conversion_s": round(time.perf_counter() - begun, 1),
            "exact": asdict(converted.exact),
            "as_run": asdict(converted.as_run) if converted.as_run else None,
        }
        print(figures)
        found = measured(file, converted.folder, options.runs)
    torch, lowvox = found["rows"]["torch"], found["rows"]["lowvox"]
    found["memory_ratio"] = round(torch["peak_mb"] / lowvox["peak_mb"], 2)
    found["time_ratio"] = round(torch["seconds"] / lowvox["seconds"], 2)
    print(json.dumps({"benchmark": "silero_te", "stand_in": options.file is None, **figures, **found}))


def made(path: Path) -> Path:
    """Write the stand-in at its full size."""
    from replicas import silero_te as replica

    return replica.package(path, replica.FULL)


if __name__ == "__main__":
    main()
