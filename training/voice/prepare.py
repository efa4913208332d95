"""The teacher's sentences as arrays: tokens, durations and frames, float16, one file a set.

    python prepare.py PREFIX OUT          # PREFIX from teacher.c -> OUT.frames.npy, OUT.npz

Phones are written as CMUdict writes them: no stress, and the reduced vowel `ax` is AH like the other. A sentence whose
pauses do not stand at its marks is left out. Knows no network.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from phones import IDS, PHONES, Tokens, mark
from teacher import Teacher

_FRAME = 0.005


def tokens(row: dict[str, Any]) -> Tokens:
    """Return what the network reads for a sentence of the teacher's; raises ValueError where it does not fit."""
    made, word, marks = Tokens(), [], ""
    rows = row["phones"]
    if rows[0][0] != "pau" or rows[-1][0] != "pau":
        raise ValueError("no pause at an end")
    for name, _, text, first, _, behind in rows[1:]:
        pause = name == "pau"
        # "'s" is a word of its own to the teacher, and to nobody else.
        if word and (pause or (first and not text.startswith("'"))):
            made.word(word)
            word = []
        if pause:
            made.pause(mark(marks or "."))
            marks = ""
        else:
            word.append({"ax": "AH"}.get(name, name.upper()))
            marks = behind
    if made.ids[-1] >= len(IDS) - len(PHONES) or len(made.ids) != len(rows):
        raise ValueError("pauses and marks differ")
    return made


def durations(row: dict[str, Any]) -> np.ndarray:
    """Return the lengths of the states in frames, [n, 3]."""
    ends = np.array([end for phone in row["phones"] for end in phone[1]]) / _FRAME
    return np.diff(ends, prepend=0.0).reshape(-1, 3).astype(np.float32)


def main(prefix: str, out: str) -> None:
    """Write both files."""
    said = Teacher(prefix)
    ids, places, lengths, sizes, kept = [], [], [], [], []
    frames = np.lib.format.open_memmap(
        out + ".frames.npy", "w+", np.float16, (sum(row["frames"] + row["frames"] % 2 for row in said.rows), 32)
    )
    begin = 0
    for at, row in enumerate(said.rows):
        try:
            made = tokens(row)
        except (ValueError, KeyError) as problem:
            print(at, problem, row["text"][:60], file=sys.stderr)
            continue
        these = said.frames(at)
        if len(these) % 2:
            these = np.concatenate([these, these[-1:]])
        frames[begin : begin + len(these)] = these
        begin += len(these)
        ids.append(made.ids)
        places.append(made.places)
        lengths.append(durations(row))
        sizes.append((len(made.ids), len(these)))
        kept.append(at)
    np.savez(
        out + ".npz",
        ids=np.concatenate(ids).astype(np.int16),
        places=np.concatenate(places).astype(np.int16),
        durations=np.concatenate(lengths),
        sizes=np.array(sizes),
        kept=np.array(kept),
    )
    print(len(kept), "of", len(said.rows), "sentences", begin / 200 / 3600, "hours")


if __name__ == "__main__":
    main(*sys.argv[1:])
