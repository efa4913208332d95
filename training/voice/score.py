"""How near the exported voice is to the teacher, and how well a recogniser understands both: one JSON line last.

    python score.py GRAPHS EVAL [--variants ,.int8] [--count 200] [--no-wer]

EVAL is what teacher.c wrote for eval.txt, `wave` asked for: sentences of documents that were never trained on. Spectral
and pitch errors are taken with the teacher's durations, so that frames answer to each other; words are recognised from
speech with the voice's own durations. `dictionary` reads words as PocketSphinx's CMUdict has them, as the package does.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from head import CEPSTRA, HOP, PITCH, RATE, VOICING, Head
from phones import MARKS, SYMBOLS, VOWELS, WEAK, Tokens, mark
from prepare import durations, tokens
from speak import Voice
from teacher import Teacher

import wer


def dictionary() -> dict[str, list[str]]:
    """Return the first pronunciation of each word of PocketSphinx's dictionary."""
    import pocketsphinx

    found: dict[str, list[str]] = {}
    for line in (Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict").read_text("utf-8").splitlines():
        word, *phones = line.split()
        found.setdefault(re.sub(r"\(\d+\)$", "", word), phones)
    return found | {word: phones.split() for word, phones in WEAK.items()}


def read(text: str, words: dict[str, list[str]]) -> Tokens:
    """Return the tokens of a sentence by the dictionary; every word must be in it."""
    made = Tokens()
    pieces = re.findall(r"[A-Za-z']*[A-Za-z][A-Za-z']*|[^A-Za-z]+", text)
    spoken = [(piece.lower().strip("'"), at) for at, piece in enumerate(pieces) if any(map(str.isalpha, piece))]
    for number, (word, at) in enumerate(spoken):
        phones = words[word]
        following = words[spoken[number + 1][0]] if number + 1 < len(spoken) else ["-"]
        made.word(["DH", "IY"] if word == "the" and following[0] in VOWELS else phones)
        behind = pieces[at + 1] if at + 1 < len(pieces) else ""
        if number == len(spoken) - 1:
            made.pause(mark(behind or "."))
        elif any(one in behind for one in (*MARKS, ":")):
            made.pause(mark(behind))
    return made


def mel(sound: np.ndarray, bands: int = 60) -> np.ndarray:
    """Return the logarithm of mel bands every 5 ms, natural, with a floor 80 dB below full scale."""
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(sound, 256), 512)[::HOP]
    power = np.abs(np.fft.rfft(pieces * np.hanning(512), axis=1)) ** 2 / 512
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    at = np.linspace(0, RATE / 2, 257)
    bank = np.stack([np.interp(at, edges[i : i + 3], [0, 1, 0]) for i in range(bands)], 1)
    return np.log(power @ (bank / bank.sum(0)) + 1e-8)


def nearness(voice: Voice | None, said: Teacher, chosen: list[int]) -> dict[str, float]:
    """Return distances with the teacher's durations; without a voice those of copy-synthesis."""
    totals: dict[str, list[float]] = defaultdict(list)
    late, spans = [], []
    for at in chosen:
        row, want = said.rows[at], said.frames(at)
        made = want
        if voice is not None:
            read = tokens(row)
            lengths = durations(row)
            made = voice.frames(read.ids, read.places, lengths)[: len(want)]
            own = voice.lengths(read.ids, read.places)
            late.append(np.abs(own.sum(1) - lengths.sum(1)) * 5)
            spans.append(own.sum() / lengths.sum())
        want, made = want[: len(made)], made[: len(want)]
        off = made - want
        voiced = (want[:, VOICING] > 0) & (made[:, VOICING] > 0)
        totals["mcd_db"].append(float(np.mean(10 / np.log(10) * np.sqrt(2 * (off[:, CEPSTRA][:, 1:] ** 2).sum(1)))))
        totals["voicing_error"].append(float(np.mean((want[:, VOICING] > 0) != (made[:, VOICING] > 0))))
        totals["cents"].append(float(np.mean((1200 / np.log(2) * off[voiced, PITCH]) ** 2)))
        head = Head(at)
        sound = np.concatenate([head.feed(made), head.flush()])
        one, other = mel(sound), mel(said.sound(at))
        size = min(len(one), len(other))
        totals["mel_db"].append(float(np.mean(np.abs(one[:size] - other[:size])) * 10 / np.log(10)))
    found = {name: float(np.mean(values)) for name, values in totals.items()}
    found["cents"] = found["cents"] ** 0.5
    if late:
        found |= {"phone_ms": float(np.mean(np.concatenate(late))), "length_ratio": float(np.mean(spans))}
    return {name: round(value, 4) for name, value in found.items()}


def heard(said: Teacher, chosen: list[int], kept: Path) -> list[tuple[int, int]]:
    """Return what the recogniser makes of the teacher, which is kept since it never changes."""
    if not kept.exists():
        texts = [said.rows[at]["text"] for at in chosen]
        kept.write_text(json.dumps(wer.recognised((said.sound(at) for at in chosen), texts)))
    found: list[tuple[int, int]] = json.loads(kept.read_text())
    return found[: len(chosen)]


def main() -> None:
    """Score."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("graphs", type=Path)
    options.add_argument("eval", type=Path)
    options.add_argument("--variants", default=",.int8")
    options.add_argument("--count", type=int, default=wer.COUNT)
    options.add_argument("--ways", default="teacher's phones,dictionary")
    options.add_argument("--no-wer", action="store_true")
    asked = options.parse_args()
    said = Teacher(asked.eval)
    texts = [row["text"] for row in said.rows]
    chosen = wer.chosen(texts, asked.count)
    words = dictionary()
    line: dict[str, Any] = {"benchmark": "voice", "sentences": len(chosen), "symbols": len(SYMBOLS)}
    line["copy"] = nearness(None, said, chosen)
    errors = {}
    if not asked.no_wer:
        errors["teacher"] = heard(said, chosen, asked.eval.with_suffix(".wer.json"))
        line["teacher"] = {"wer": round(wer.rate(errors["teacher"]), 2)}
    for variant in asked.variants.split(","):
        voice = Voice(asked.graphs, variant)
        name = variant.strip(".") or "fp32"
        line[name] = nearness(voice, said, chosen)
        spent, seconds = 0.0, 0.0
        for way in asked.ways.split(","):
            sounds = []
            for at in chosen:
                read_ = tokens(said.rows[at]) if way != "dictionary" else read(texts[at], words)
                begun = time.process_time()
                sounds.append(voice.say(read_.ids, read_.places, seed=at))
                spent, seconds = spent + time.process_time() - begun, seconds + len(sounds[-1]) / RATE
            if not asked.no_wer:
                key = f"{name}, {way}"
                errors[key] = wer.recognised(iter(sounds), [texts[at] for at in chosen])
                low, high = wer.interval(errors["teacher"], errors[key])
                line[name][way] = {"wer": round(wer.rate(errors[key]), 2), "above": [round(low, 2), round(high, 2)]}
                print(key, line[name][way], flush=True)
        line[name]["rtf"] = round(spent / seconds, 4)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
