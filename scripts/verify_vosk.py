"""Compare `lowvox transcribe` with Vosk called directly on one recording, both against its transcript.

Prints what it finds and one JSON line last; ends with 0 when lowvox loses nothing: its word error rate is at most two
points above Vosk's own, and its words lie where Vosk hears them. See docs/vosk.md.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

RATE = 16_000
WER_SLACK = 0.02
TIME_SLACK_S = 0.15


def main() -> int:
    """Run the comparison and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a name from `lowvox models`, or a model's folder")
    parser.add_argument("audio", help="a recording of some minutes")
    parser.add_argument("transcript", type=Path, help="a text file with what is said in it")
    asked = parser.parse_args()
    reference = normalised(asked.transcript.read_text(encoding="utf-8"))
    ours = through_lowvox(asked.model, asked.audio)
    theirs = through_vosk(asked.model, asked.audio)
    found = report(reference, ours, theirs)
    for name, value in found.items():
        print(f"{name:18} {value}")
    print(json.dumps(found))
    return 0 if found["verdict"] == "verified" else 1


def through_lowvox(model: str, audio: str) -> list[dict[str, Any]]:
    """Return the words that the command line gives."""
    command = [
        sys.executable,
        "-c",
        "from lowvox.commands import main; main()",
        "transcribe",
        "--no-punctuation",
        audio,
        "-m",
        model,
        "--json",
        "-q",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [word for segment in json.loads(done.stdout)["segments"] for word in segment["words"]]


def through_vosk(model: str, audio: str) -> list[dict[str, Any]]:
    """Return the words that Vosk gives for the whole recording, without lowvox's segmentation, reading or worker."""
    import soundfile
    import soxr
    import vosk

    from lowvox import models

    vosk.SetLogLevel(-1)
    decoder = vosk.KaldiRecognizer(vosk.Model(str(models.find("recognizer", name=model).path)), RATE)
    decoder.SetWords(True)
    samples, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    sound = soxr.resample(samples.mean(axis=1), rate, RATE)
    pcm = (sound.clip(-1, 1) * 32767).astype("<i2").tobytes()
    blocks = (pcm[start : start + 8000] for start in range(0, len(pcm), 8000))
    answers = [decoder.Result() for block in blocks if decoder.AcceptWaveform(block)]
    return [word for answer in (*answers, decoder.FinalResult()) for word in json.loads(answer).get("result", [])]


def report(reference: list[str], ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare two lists of words with the reference and with each other."""
    ours_wer, theirs_wer = (wer(reference, normalised(" ".join(w["word"] for w in said))) for said in (ours, theirs))
    shifts = [abs(a["start"] - b["start"]) for a, b in alike(ours, theirs)]
    confidences = [word["confidence"] for word in ours]
    checks = {
        "words are found": bool(ours),
        "the word error rate is Vosk's own": ours_wer <= theirs_wer + WER_SLACK,
        "the times are Vosk's own": bool(shifts) and median(shifts) <= TIME_SLACK_S,
        "the times go forwards": all(a["start"] <= b["start"] for a, b in pairwise(ours)),
        "confidences are in [0, 1]": all(value is not None and 0 <= value <= 1 for value in confidences),
    }
    failed = [name for name, holds in checks.items() if not holds]
    return {
        "reference_words": len(reference),
        "wer_lowvox": round(ours_wer, 4),
        "wer_vosk": round(theirs_wer, 4),
        "median_shift_s": round(median(shifts), 3) if shifts else None,
        "failed": failed,
        "verdict": "differs" if failed else "verified",
    }


def normalised(text: str) -> list[str]:
    """Return the words in lower case without punctuation."""
    return re.sub(r"[^\w\s']", " ", text.lower()).split()


def wer(reference: list[str], said: list[str]) -> float:
    """Return the word error rate: edits over reference words."""
    row = list(range(len(said) + 1))
    for count, wanted in enumerate(reference, 1):
        previous, row[0] = row[0], count
        for index, word in enumerate(said, 1):
            previous, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, previous + (wanted != word))
    return row[-1] / max(1, len(reference))


def alike(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pair the words that both heard, in order."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, [w["word"] for w in ours], [w["word"] for w in theirs], autojunk=False)
    return [(ours[m.a + k], theirs[m.b + k]) for m in matcher.get_matching_blocks() for k in range(m.size)]


if __name__ == "__main__":
    sys.exit(main())
