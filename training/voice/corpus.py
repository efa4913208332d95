"""Which sentences the teacher reads: training, validation, calibration and, from other documents, evaluation.

    python corpus.py FOLDER        # train.txt, valid.txt, calib.txt, eval.txt, single.txt

One sentence a line, without digits or abbreviations, so that what is written is what is said. `single.txt` holds rows
of words drawn at random: rare neighbours of phones, and short utterances. Knows nothing of sound.
"""

from __future__ import annotations

import lzma
import random
import re
import sys
from pathlib import Path

TEXT = Path(__file__).resolve().parents[3] / "shared" / "data" / "text"
SEED = 20
TRAIN, VALID, CALIBRATION, EVALUATION, SINGLE = 14000, 200, 96, 200, 1500
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": ",", "–": ",", "…": "."})
_END = re.compile(r"(?<=[.?!])[\"')]*\s+(?=[\"'(]*[A-Z])")
_ABBREVIATED = re.compile(r"\b(?:[A-Z]|Mrs?|Dr|St|Messrs|Mdme|Mme|Esq|Prof|Rev|Hon|Gen|Col|Capt|Lieut|etc|viz|No)\.")
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")


def sentences(name: str) -> list[str]:
    """Return the plain sentences of a text, in order, each once."""
    with lzma.open(TEXT / name, "rt", encoding="utf-8") as file:
        lines = file.read().translate(_PLAIN).splitlines()
    found: dict[str, None] = {}
    for line in lines:
        for piece in _END.split(_ABBREVIATED.sub("#", line)):
            sentence = " ".join(piece.replace(" ,", ",").strip("\"'() ").split())
            if _fit(sentence):
                found[sentence] = None
    return list(found)


def _fit(sentence: str) -> bool:
    words = sentence.split()
    return (
        1 <= len(words) <= 28
        and sentence[-1:] in ".?!"
        and re.fullmatch(r"[A-Za-z ,.;:?!'\"-]+", sentence) is not None
        and not any(word.isupper() and len(word) > 1 for word in words)
    )


def main(folder: Path) -> None:
    """Draw and write."""
    draw = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    train = sentences("en.train.txt.xz")
    draw.shuffle(train)
    # Many short lines: books have long sentences, and what is read aloud often has not.
    train = [line for line in train if len(line.split()) <= 12 or draw.random() < 0.45]
    held = sentences("en.dev.txt.xz")
    draw.shuffle(held)
    sets = {"train": train[:TRAIN], "valid": train[TRAIN : TRAIN + VALID]}
    sets["calib"] = train[TRAIN + VALID : TRAIN + VALID + CALIBRATION]
    sets["eval"] = [line for line in held if 4 <= len(line.split()) <= 15][: EVALUATION * 3]
    vocabulary = sorted({word for line in train for word in _WORD.findall(line)})
    rows = [draw.sample(vocabulary, draw.choice((1, 1, 2, 3, 4, 6))) for _ in range(SINGLE)]
    sets["single"] = [draw.choice((" ", ", ")).join(row) + draw.choice("...?!") for row in rows]
    for name, lines in sets.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        print(name, len(lines), sum(len(line.split()) for line in lines), "words")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
