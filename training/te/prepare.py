"""Reads the texts once and keeps what training needs as arrays: python prepare.py FOLDER [LANGUAGE...]

For each language FOLDER/LANG.npz holds `rows` int32 [n, 7], `mark`, `case` int8 [n], `flags` uint8 [n]
(1: an inverted mark stands before it, 2: its capital says nothing, 4: it ends a line, 8: held out). Half of the words
with hyphens are heard as several.

What is held out to choose by is whole documents of the training text. The files do not say where documents begin, so
eight stretches of lines are taken and what lies within a document's length of either side of each is used for nothing.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from corpus import Labelled, labelled, lines

from lowvox.engines.te_words import features
from lowvox.text.marks import CASES, MARKS

OPENS, UNSURE, LAST, HELD, UNUSED = 1, 2, 4, 8, 16
STRETCHES, SHARE, MARGIN = 6, 0.004, 0.005


def held_out(total: int) -> np.ndarray:
    """Say of each line whether it is trained on (0), held out (HELD) or neither (UNUSED)."""
    use = np.zeros(total, np.uint8)
    for number in range(STRETCHES):
        middle = round((number + 0.5) / STRETCHES * total)
        half, margin = round(SHARE * total / 2), round(MARGIN * total)
        use[max(0, middle - half - margin) : middle + half + margin] = UNUSED
        use[max(0, middle - half) : middle + half] = HELD
    return use


def parted(found: list[Labelled], chance: random.Random) -> list[Labelled]:
    """Write half of the words with hyphens as a recogniser would, apart."""
    out: list[Labelled] = []
    for word in found:
        pieces = [piece for piece in word.word.split("-") if piece]
        if len(pieces) < 2 or chance.random() < 0.5:
            out.append(word)
            continue
        for at, piece in enumerate(pieces):
            case = word.case if at == 0 or word.case in {"parts", "upper"} else "lower"
            case = "capital" if case == "parts" else case
            mark = word.mark if at == len(pieces) - 1 else ""
            out.append(word._replace(word=piece, mark=mark, case=case, opens=word.opens and at == 0))
    return out


def prepare(language: str, folder: Path, part: str = "train") -> None:
    """Keep one language's text as arrays."""
    chance = random.Random(1)
    text = lines(language, part)
    use = held_out(len(text)) if part == "train" else np.full(len(text), HELD, np.uint8)
    all_rows, marks, cases, flags = [], [], [], []
    numbered = labelled_with_number(text, language)
    for number, found in numbered:
        words = found if use[number] else parted(found, chance)
        all_rows.append(np.array([features(word.word) for word in words], np.int32))
        marks += [MARKS.index(word.mark) for word in words]
        cases += [CASES.index(word.case) for word in words]
        line = [OPENS * word.opens + UNSURE * (not word.sure) + int(use[number]) for word in words]
        line[-1] |= LAST
        flags += line
    np.savez(
        folder / f"{language}.{part}.npz",
        rows=np.concatenate(all_rows),
        mark=np.array(marks, np.int8),
        case=np.array(cases, np.int8),
        flags=np.array(flags, np.uint8),
    )
    print(language, part, len(marks), "words", flush=True)


def labelled_with_number(text: list[str], language: str):
    """Number the lines that have words, as they are in the file."""
    place = -1

    def counted():
        nonlocal place
        for line in text:
            place += 1
            yield line

    for found in labelled(counted(), language):
        yield place, found


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for code in sys.argv[2:] or ("en", "de", "es", "ru", "vi"):
        prepare(code, target)
        prepare(code, target, "dev")
