"""`lowvox say -f chapter.txt` with a voice of every engine: memory against the length of the text, and a picture.

    python benchmarks/chapters.py [--engines espeak,piper] [--minutes 0.17,1,10,60] [--plot PNG] [--voice NAME=FOLDER]

Voices are the stand-ins of the tests, brought with `lowvox pull`, cut with `lowvox shrink split` and rounded with
`lowvox shrink quantize`, in a home of their own. Their weights are random, so their speech is noise of the right
length. piper: 36.7 M weights, in parts and in 8 bits; vosk-tts: small; f5: the full network in two steps (1.3 GB), a
minute at most. --voice adds an engine of that name, a folder that `pull` takes.

A text is one paragraph again and again, as long as makes so many minutes. Each run is a process of its own; peaks are
those of its `--json`: PSS sampled over the process tree, and the kernel's RSS; the curve is PSS looked at from outside.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
MB = 2**20
# A sentence of every length, the longest of which is as long as a run may be.
TEXTS = {
    "en": "The planning of the whole is done before anything is loaded into memory. Why? Then a voice reads what you "
    "wrote, one sentence after the other, and forgets each as soon as it was heard; so that a book, however long it "
    "may be and whoever wrote it, takes no more than its longest sentence does, and that one no more than this one, "
    "which goes on and on, and comes to an end at last. Good. ",
    "ru": "Всё обдумано прежде, чем что-нибудь загружено в память. Зачем? Потом голос читает написанное, предложение "
    "за предложением, и забывает каждое, как только оно прозвучало; так что книга, как бы длинна она ни была и кто бы "
    "её ни написал, берёт не больше, чем её самое длинное предложение, а оно не больше этого, которое всё тянется и "
    "тянется, и наконец кончается. Хорошо. ",
    "vi": "con mai và con cha đi ra sân, hai ba hoa mai. ",
}
LANGUAGES = {"espeak": "en", "piper": "en", "piper INT8": "en", "vosk-tts": "ru", "f5": "vi"}
LONGEST = {"f5": 1.0}  # minutes


def lowvox(home: Path, *arguments: str) -> dict[str, Any]:
    """Run a command in a home of its own and return its object."""
    done = _started(home, *arguments)
    out, _ = done.communicate()
    if done.returncode:
        raise SystemExit(f"lowvox {' '.join(arguments)} ended with {done.returncode}")
    told: dict[str, Any] = json.loads(out)
    return told


def _started(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    code = "from lowvox.commands import main; main()"
    environment = os.environ | {"LOWVOX_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", code, *arguments, "--json", "-q"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


def bring(home: Path, engine: str, place: Path) -> None:
    """Install the stand-in of an engine under its name."""
    from replicas import f5, vits, vosk_tts

    if engine in ("piper", "piper INT8") and not (home / "data" / "models" / "piper").exists():
        path = vits.voice(place, "en_US-test-high", "espeak", shape=vits.FULL)
        lowvox(home, "pull", str(path), "--name", "piper")
        lowvox(home, "shrink", "quantize", "piper", "--name", "piper-INT8", "--no-words")
        lowvox(home, "shrink", "split", "piper")
    elif engine == "vosk-tts":
        lowvox(home, "pull", str(vosk_tts.voice(place / "vosk", "v3")), "--name", engine)
        lowvox(home, "shrink", "split", engine)
    elif engine == "f5":
        folder = f5.build(place / "f5", replace(f5.FULL, updates=1), {"steps": 2})
        lowvox(home, "pull", str(f5.add_samples(folder)), "--name", engine)


def run(home: Path, engine: str, text: Path, out: Path) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """Speak a text; return what `--json` says and (seconds, MB of PSS) every half second."""
    from lowvox.memory import meter

    voice = ["-v", "en" if engine == "espeak" else engine.replace(" ", "-")]
    process = _started(home, "say", "-f", str(text), "-o", str(out), *voice)
    begun, seen = time.perf_counter(), []
    while process.poll() is None:
        seen.append((time.perf_counter() - begun, meter.tree_usage(process.pid).pss / MB))
        time.sleep(0.5)
    assert process.stdout
    told = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{engine} ended with {process.returncode}")
    return json.loads(told), seen


def written(place: Path, engine: str, seconds: float, pace: float) -> Path:
    """Write a text that takes so long, at so many seconds of sound for one paragraph."""
    path = place / f"{engine.replace(' ', '-')}.txt"
    path.write_text(TEXTS[LANGUAGES.get(engine, "en")] * max(1, round(seconds / pace)), "utf-8")
    return path


def measure(home: Path, engine: str, minutes: list[float], place: Path) -> tuple[list[dict[str, Any]], list[Any]]:
    """Speak texts of these lengths; return a row for each, and the curve of the longest."""
    out = place / "out.wav"
    told, _ = run(home, engine, written(place, engine, 1, 1), out)
    pace, rows = told["duration_s"], []
    curve: list[tuple[float, float]] = []
    for length in minutes:
        if length > LONGEST.get(engine, 1e9):
            continue
        told, curve = run(home, engine, written(place, engine, 60 * length, pace), out)
        memory = told["memory"]
        row = {"engine": engine, "seconds": round(told["duration_s"], 1), "rtf": told["rtf"]}
        rows.append(row | {key: memory[key] for key in ("peak_pss_mb", "peak_rss_mb", "peak_uss_mb")})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows, curve


def draw(curves: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """Draw memory over the share of the work that is done, one curve for each engine."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4.5))
    for name, curve in curves.items():
        end = curve[-1][0]
        axes.plot([100 * at / end for at, _ in curve], [size for _, size in curve], label=name, linewidth=1.4)
    axes.set(xlabel="of the text, %", ylabel="PSS of all processes, MB", ylim=(0, None), xlim=(0, 100))
    axes.set_title("lowvox say -v VOICE -f chapter.txt", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default=",".join(LANGUAGES))
    parser.add_argument("--minutes", default="0.17,1,10,60")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--voice", action="append", default=[], metavar="NAME=FOLDER")
    asked = parser.parse_args()
    minutes = [float(each) for each in asked.minutes.split(",")]
    rows, curves = [], {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        home = place / "home"
        for name, path in (each.split("=", 1) for each in asked.voice):
            lowvox(home, "pull", path, "--name", name)
        for engine in [*filter(None, asked.engines.split(",")), *(each.split("=", 1)[0] for each in asked.voice)]:
            bring(home, engine, place)
            found, curve = measure(home, engine, minutes, place)
            rows += found
            curves[f"{engine}, {found[-1]['seconds'] / 60:.0f} min"] = curve
    print("| engine | s of speech | RTF | peak PSS, MB | x | peak RSS, MB | x |\n" + "| --- " * 7 + "|")
    first: dict[str, Any] = {}
    for row in rows:
        least = first.setdefault(row["engine"], row)
        for key in ("pss", "rss"):
            row[f"ratio_{key}"] = round(row[f"peak_{key}_mb"] / least[f"peak_{key}_mb"], 3)
        sizes = " | ".join(f"{row[f'peak_{key}_mb']:.0f} | {row[f'ratio_{key}']:.3f}" for key in ("pss", "rss"))
        print(f"| {row['engine']} | {row['seconds']:.0f} | {row['rtf']:.3f} | {sizes} |")
    if asked.plot:
        draw(curves, asked.plot)
    print(json.dumps({"benchmark": "chapters", "rows": rows}))


if __name__ == "__main__":
    main()
