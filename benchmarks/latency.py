"""Live latency: from the end of a spoken word to the partial that holds it, and from the end of speech to the final.

    python benchmarks/latency.py [--clips 30]

Recorded clips are played at the speed of life into `Speech.dictate`. When each word ends is taken from PocketSphinx's
forced alignment of the true transcript. A word counts when it is recognised: an event's words hold it as often as the
transcript does up to there. Words that only the final got right are counted apart. Takes as long as the sound. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "speech"


def aligned(decoder: Any, path: str, text: str) -> list[tuple[str, float]]:
    """Return (word, end in seconds) by forced alignment; nothing where a word is not in the dictionary."""
    import soundfile

    pcm, _ = soundfile.read(DATA / path, dtype="int16")
    try:
        decoder.set_align_text(text)
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        segments = list(decoder.seg() or ())
    except RuntimeError:
        return []
    return [
        (re.sub(r"\(\d+\)", "", segment.word), (segment.end_frame + 1) / 100)
        for segment in segments
        if segment.word[0] not in "<["
    ]


def heard(speech: Any, path: str) -> list[tuple[float, str, list[str]]]:
    """Dictate a clip at the speed of life and return (seconds since it began, kind, words) of each event."""
    from lowvox.audio import pacing, reading

    with reading.opened(DATA / path) as recording:
        begun = time.monotonic()
        events = speech.dictate(partial(pacing.paced, recording.blocks()))
        return [(time.monotonic() - begun, event.kind, event.text.split()) for event in events]


def delays(words: list[tuple[str, float]], events: list[tuple[float, str, list[str]]]) -> list[tuple[str, float]]:
    """Return what first showed each word, and how long after its end; words never understood are left out."""
    found = []
    for index, (word, end) in enumerate(words):
        times = sum(other == word for other, _ in words[: index + 1])
        done: list[str] = []
        for at, kind, shown in events:
            if at >= end - 0.1 and (done + shown).count(word) >= times:
                found.append((kind, at - end))
                break
            if kind == "final":
                done += shown
    return found


def spread(name: str, values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile in milliseconds."""
    ordered = sorted(values)
    return {
        f"{name}_median_ms": round(1000 * statistics.median(ordered)),
        f"{name}_p95_ms": round(1000 * ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]),
    }


def main() -> None:
    """Play the clips and print."""
    import pocketsphinx

    from lowvox import Speech

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=30)
    rows = [json.loads(line) for line in (DATA / "manifest.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["path"].startswith("en/") and 3 < row["seconds"] < 16]
    rows = rows[:: max(1, len(rows) // parser.parse_args().clips)]
    aligner = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    words: list[tuple[str, float]] = []
    finals: list[float] = []
    said = 0
    with Speech(language="en", model="pocketsphinx-en-us", punctuation=False) as speech:
        heard(speech, rows[0]["path"])  # loading is not what is measured
        for row in rows:
            text = " ".join(re.sub(r"[^a-z' ]+", " ", row["text"].lower()).split())
            reference = aligned(aligner, row["path"], text)
            if not reference:
                continue
            events = heard(speech, row["path"])
            found = delays(reference, events)
            words += found
            said += len(reference)
            if events:
                finals.append(events[-1][0] - reference[-1][1])
            print(
                f"{row['path']:32} {len(found):3} of {len(reference):3} words, "
                f"median {statistics.median([late for _, late in found] or [0]):.2f} s"
            )
    partials = [late for kind, late in words if kind == "partial"]
    line = {"benchmark": "latency", "clips": len(finals), "words": said, "understood": len(words)}
    line |= {"in_a_partial": len(partials)}
    figures = spread("partial", partials) | spread("word", [late for _, late in words]) | spread("final", finals)
    print(json.dumps(line | figures))


if __name__ == "__main__":
    main()
