"""How long readers pause behind which mark: python pauses.py

Aligns the recorded English clips that have punctuated transcripts with PocketSphinx and prints, by kind of mark, how
many words are followed by no pause (below 0.15 s), a short one, a long one (0.4 s and more).
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
from pocketsphinx import Decoder

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from corpus import TEXT, Labelled, labelled

SPEECH = TEXT.parent / "speech"


def silences(decoder: Decoder, words: list[Labelled], pcm: bytes) -> list[float]:
    """Align words with sound; return the seconds of silence behind each, none where they do not align."""
    for word in words:
        if decoder.lookup_word(word.word) is None:
            decoder.add_word(word.word, "AH", True)
    decoder.set_align_text(" ".join(word.word for word in words))
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    found: list[float] = []
    for segment in decoder.seg():
        if not segment.word.startswith(("<", "[")):
            found.append(0.0)
        elif found:
            found[-1] += (segment.end_frame - segment.start_frame + 1) / 100
    return found if len(found) == len(words) else []


def main() -> None:
    """Measure and print."""
    decoder = Decoder(samprate=16000, loglevel="FATAL", bestpath=False)
    seen: defaultdict[str, list[float]] = defaultdict(list)
    for row in map(json.loads, (SPEECH / "manifest.jsonl").read_text().splitlines()):
        if row["lang"] != "en" or not row["punctuated"] or row["seconds"] > 60:
            continue
        words = [word for line in labelled([row["text"]], "en") for word in line]
        pcm, _ = soundfile.read(SPEECH / row["path"], dtype="int16")
        for word, silence in list(zip(words, silences(decoder, words, pcm.tobytes()), strict=False))[:-1]:
            seen[word.mark].append(silence)
    for mark, each in sorted(seen.items()):
        lengths = np.array(each)
        shares = (lengths < 0.15).mean(), ((lengths >= 0.15) & (lengths < 0.4)).mean(), (lengths >= 0.4).mean()
        print(f"{mark or 'none':5} {len(each):5}  " + "  ".join(f"{share:.3f}" for share in shares))


if __name__ == "__main__":
    main()
