"""Word error rate and speed on recorded English: lowvox against PocketSphinx called directly on each whole file.

    python benchmarks/wer.py [--every N]

Both run at the same time on the same clips, each with its cepstral mean reset for every file. PocketSphinx is called
in the better of its two ways (`full_utt=True`, the cepstral mean of the whole file: 0.48; without it 0.56).
Clips of one word are counted apart. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "speech"


def normalised(text: str) -> str:
    """Lower-case words without punctuation."""
    return " ".join(re.sub(r"[^a-z0-9' ]+", " ", text.lower().replace("’", "'")).split())


def clips(every: int) -> list[dict[str, str]]:
    """The English clips of the manifest; the long ones are joined from the same utterances and left out."""
    rows = [json.loads(line) for line in (DATA / "manifest.jsonl").read_text().splitlines()]
    return [row for row in rows if row["path"].startswith("en/")][::every]


def directly(paths: list[str]) -> tuple[list[str], float]:
    """PocketSphinx alone, one call for each file."""
    import pocketsphinx
    import soundfile

    decoder = pocketsphinx.Decoder(loglevel="FATAL")
    mean = decoder.get_cmn(False)
    texts = []
    begun = time.perf_counter()
    for path in paths:
        pcm, _ = soundfile.read(DATA / path, dtype="int16")
        decoder.reinit_feat()
        decoder.set_cmn(mean)
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        texts.append(found.hypstr if found else "")
    return texts, time.perf_counter() - begun


def through_lowvox(paths: list[str]) -> tuple[list[str], float]:
    """The same files through `Speech.transcribe`."""
    from lowvox import Speech

    with Speech(language="en", model="pocketsphinx-en-us", punctuation=False) as speech:
        speech.transcribe(DATA / paths[0])  # loading is not counted on either side
        begun = time.perf_counter()
        texts = [speech.transcribe(DATA / path).text for path in paths]
        return texts, time.perf_counter() - begun


def main() -> None:
    """Run both and print."""
    import jiwer

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take each N-th clip only")
    rows = clips(parser.parse_args().every)
    paths = [row["path"] for row in rows]
    with ProcessPoolExecutor(2) as pool:
        ways = {"direct": pool.submit(directly, paths), "lowvox": pool.submit(through_lowvox, paths)}
        results = {name: future.result() for name, future in ways.items()}
    seconds = sum(float(row["seconds"]) for row in rows)
    references = [normalised(row["text"]) for row in rows]
    line: dict[str, object] = {"benchmark": "wer", "clips": len(rows), "minutes": round(seconds / 60, 2)}
    for name, (texts, took) in results.items():
        pairs = [(want, normalised(got)) for want, got in zip(references, texts, strict=True)]
        for label, group in (
            ("", [pair for pair in pairs if " " in pair[0]]),
            ("_one_word", [pair for pair in pairs if " " not in pair[0]]),
        ):
            if group:
                line[f"{name}_wer{label}"] = round(jiwer.wer([want for want, _ in group], [got for _, got in group]), 4)
        line[f"{name}_rtf"] = round(took / seconds, 4)
        sources = sorted({path.partition("/")[2].partition("-")[0] for path in paths})
        for source in sources:
            chosen = [pair for pair, path in zip(pairs, paths, strict=True) if path.startswith(f"en/{source}-")]
            rate = jiwer.wer([want for want, _ in chosen], [got for _, got in chosen])
            print(f"{name:8} {source:8} {len(chosen):4} clips  WER {rate:.3f}")
    line["ratio"] = round(float(str(line["lowvox_wer"])) / float(str(line["direct_wer"])), 4)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
