"""What lowvox-voice costs and how well it is understood, beside espeak and its teacher.

    python benchmarks/voice.py [--runs 5] [--count 200] [--no-wer]

`say` is the whole command with the same text, one voice after the other: memory of its process tree (peaks), RTF and
first audio with all loading. `engine` is the engine alone when it is loaded, by processor time. Words are recognised by
PocketSphinx in sentences of books that were never trained on, as `training/voice/score.py` does it, whose code it is;
the teacher is flite's voice rms. What is not installed is left out, with the reason. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from contextlib import closing
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
TEXT = (
    "The birch canoe slid on the smooth planks, and the old man looked after it until nothing could be seen. "
    "Was it the last one of that summer? Nobody in the village would have said so on the 3rd of May 2021."
)
VOICES = {"lowvox-voice": ["-v", "lowvox-voice"], "espeak": ["-v", "en-us"]}

ENGINE = f"""
import sys, time
from lowvox.engines import create
from lowvox.types import Model, Profile
name = sys.argv[1]
stream = create(name).load(Model(name, name, "synthesizer", ("en",)), Profile()).open(language="en")
list(stream.speak("One word."))
for _ in range(5):
    begun, first, size = time.process_time(), None, 0
    for block in stream.speak({TEXT!r}):
        first = first or time.process_time() - begun
        size += len(block)
    print(first, (time.process_time() - begun) / (size / 2 / stream.rate))
"""


def main() -> None:
    """Measure, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--count", type=int, default=200, help="sentences to recognise")
    parser.add_argument("--no-wer", action="store_true")
    asked = parser.parse_args()
    voices = [name for name in VOICES if name != "espeak" or find_spec("espeakng_loader")]
    rows = costs(voices, asked.runs)
    for name, row in rows.items():
        print(f"{name:14}", "  ".join(f"{key} {value:g}" for key, value in row.items()), flush=True)
    line: dict[str, Any] = {"benchmark": "voice", "rows": rows}
    line["understood"] = {"skipped": "--no-wer"} if asked.no_wer else understood(asked.count)
    print(json.dumps(line))


def costs(voices: list[str], runs: int) -> dict[str, dict[str, float]]:
    """Return the medians of each voice, measured in turns."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in voices}
    for number in range(runs + 1):
        for name in voices:
            row = said(name) | alone(name)
            if number:  # the first run measures footprints and sorts the lexicon
                seen[name].append(row)
    return {
        name: {key: round(statistics.median(row[key] for row in rows), 4) for key in rows[0]}
        for name, rows in seen.items()
    }


def said(name: str) -> dict[str, float]:
    """Run the whole command."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "lowvox", "say", TEXT, *VOICES[name], "-o", f"{folder}/out.wav", "--json"]
        begun = time.perf_counter()
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        memory = told["memory"]
        return {
            "say_wall_s": time.perf_counter() - begun,
            "say_rtf": told["rtf"],
            "say_first_audio_s": told["first_audio_s"],
            "peak_rss_mb": memory["peak_rss_mb"],
            "peak_pss_mb": memory["peak_pss_mb"],
        }


def alone(name: str) -> dict[str, float]:
    """Run the engine alone, five times, in a process of its own; the quickest counts."""
    command = [sys.executable, "-c", ENGINE, name]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [[float(part) for part in line.split()] for line in told.splitlines()]
    return {"engine_first_cpu_s": min(row[0] for row in rows), "engine_cpu_rtf": min(row[1] for row in rows)}


def understood(count: int) -> dict[str, Any]:
    """Return the word error rates of the voice, of espeak and of the teacher on the same sentences, in per cent."""
    corpus, wer = scoring("corpus"), scoring("wer")
    if not (corpus.TEXT / "en.dev.txt.xz").exists():
        return {"skipped": f"there is no {corpus.TEXT}/en.dev.txt.xz"}
    texts = [line for line in corpus.sentences("en.dev.txt.xz") if 4 <= len(line.split()) <= 15]
    random.Random(7).shuffle(texts)
    texts = [texts[at] for at in wer.chosen(texts, count)]
    errors = {"lowvox-voice": wer.recognised(ours(texts), texts)}
    if find_spec("espeakng_loader"):
        errors["espeak"] = wer.recognised(espeaks(texts), texts)
    found: dict[str, Any] = {"sentences": len(texts), "words": sum(words for _, words in errors["lowvox-voice"])}
    if shutil.which("flite"):
        errors["teacher"] = wer.recognised(teachers(texts), texts)
        low, high = wer.interval(errors["teacher"], errors["lowvox-voice"])
        found["above_teacher"] = [round(low, 2), round(high, 2)]
    else:
        found["teacher_skipped"] = "flite is not installed"
    found |= {f"wer_{name}": round(wer.rate(some), 2) for name, some in errors.items()}
    for name, value in found.items():
        print(f"{name:18} {value}", flush=True)
    return found


def scoring(name: str) -> Any:
    """Import a file of training/voice by its path: there are others of the same name."""
    spec = spec_from_file_location(f"training_voice_{name}", ROOT / "training" / "voice" / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours(texts: list[str]) -> Iterator[NDArray[np.float32]]:
    """Yield what lowvox-voice makes of each sentence."""
    from lowvox.engines.lowvox_voice.engine import LowvoxVoice
    from lowvox.types import Audio, Model, Profile

    model = Model("lowvox-voice", "lowvox-voice", "synthesizer", ("en",))
    with closing(LowvoxVoice().load(model, Profile())) as resident:
        for text in texts:
            yield Audio(b"".join(resident.open().speak(text)), 16000).samples


def espeaks(texts: list[str]) -> Iterator[NDArray[np.float32]]:
    """Yield what espeak makes of each sentence; its library is left to a process of its own."""
    import soxr

    from lowvox.memory.worker import Worker
    from lowvox.types import Audio, Model, Profile

    model = Model("espeak", "espeak", "synthesizer", ("en",))
    with closing(Worker("espeak")) as worker:
        stream = worker.load("lowvox.engines.espeak.engine:Espeak", model, Profile()).open(language="en-us")
        for text in texts:
            yield soxr.resample(Audio(b"".join(stream.speak(text)), stream.rate).samples, stream.rate, 16000)


def teachers(texts: list[str]) -> Iterator[NDArray[np.float32]]:
    """Yield what flite's voice rms makes of each sentence."""
    from lowvox.types import Audio

    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", f"{folder}/out.wav"], check=True)
            with wave.open(f"{folder}/out.wav") as file:
                assert file.getframerate() == 16000
                yield Audio(file.readframes(file.getnframes()), 16000).samples


if __name__ == "__main__":
    main()
