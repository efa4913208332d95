"""Word error rate of PocketSphinx on sentences read by the teacher and by ours: the same text, the same recogniser.

    errors = recognised(sounds, texts)       # one (words wrong, words) per sentence

Runs where PocketSphinx and jiwer are installed (no PyTorch). `chosen` picks the sentences whose words PocketSphinx
knows, in the order in which corpus.py drew them. Knows no network.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

COUNT = 200


def plain(text: str) -> str:
    """Return lower-case words without punctuation."""
    return " ".join(re.sub(r"[^a-z' ]+", " ", text.lower()).split())


def known() -> set[str]:
    """Return the words that the recogniser can say."""
    import pocketsphinx

    path = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
    return {line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}


def chosen(texts: list[str], count: int = COUNT) -> list[int]:
    """Return which sentences to score."""
    words = known()
    fit = [at for at, text in enumerate(texts) if all(word.strip("'") in words for word in plain(text).split())]
    return fit[:count]


def recognised(sounds: Iterable[NDArray[np.float32]], texts: list[str]) -> list[tuple[int, int]]:
    """Return words wrong and words there, for each sentence; `sounds` in [-1, 1] at 16 kHz."""
    import jiwer
    import pocketsphinx

    decoder = pocketsphinx.Decoder(loglevel="FATAL")
    mean = decoder.get_cmn(False)
    found = []
    for sound, text in zip(sounds, texts, strict=True):
        pcm = np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2")
        decoder.reinit_feat()
        decoder.set_cmn(mean)
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        got = plain(hypothesis.hypstr if hypothesis else "")
        want = plain(text)
        out = jiwer.process_words(want, got)
        found.append((out.substitutions + out.deletions + out.insertions, len(want.split())))
    return found


def interval(one: list[tuple[int, int]], other: list[tuple[int, int]], draws: int = 2000) -> tuple[float, float]:
    """Return the paired 95 % interval, by drawing sentences again, of the difference `other` - `one` in points."""
    a, b = np.array(one), np.array(other)
    at = np.random.default_rng(0).integers(0, len(a), (draws, len(a)))
    rates = [100 * part[at, 0].sum(1) / part[at, 1].sum(1) for part in (a, b)]
    low, high = np.percentile(rates[1] - rates[0], [2.5, 97.5])
    return float(low), float(high)


def rate(errors: list[tuple[int, int]]) -> float:
    """Return the word error rate in points."""
    return 100 * sum(wrong for wrong, _ in errors) / sum(words for _, words in errors)
