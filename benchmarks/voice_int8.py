"""How well lowvox-voice is understood at several precisions: the same sentences, the same recogniser, in pairs.

    python benchmarks/voice_int8.py FP32 OTHER... [--count 1500] [--kept FILE.jsonl]

Each folder has encoder.onnx, decoder.onnx and g2p.onnx; the first is what the others are compared with. Sentences are
of books that were never trained on (4 to 15 words, every word in PocketSphinx's dictionary), read as `lowvox say` reads
them. Voices take turns, twenty sentences each, and --kept goes on where a run before was ended. A variant passes when
the upper end of the paired 95 % interval (sentences drawn again, 2,000 times, seed 0) is at most half a point above the
first, fails when the lower end is above that, and is undecided between. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.voice import scoring

from lowvox.engines.lowvox_voice import LowvoxVoice
from lowvox.types import Audio, Model, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Say = Callable[[str], NDArray[np.float32]]
LIMIT = 0.5  # points
SOME = 20  # sentences that a voice speaks in turn


def main() -> None:
    """Speak, recognise, compare; print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--kept", type=Path)
    asked = parser.parse_args()
    corpus, wer = scoring("corpus"), scoring("wer")
    texts = [line for line in corpus.sentences("en.dev.txt.xz") if 4 <= len(line.split()) <= 15]
    random.Random(7).shuffle(texts)
    texts = [texts[at] for at in wer.chosen(texts, asked.count)]
    rows = heard(asked.folders, texts, wer, asked.kept)
    line = {"benchmark": "voice_int8", "sentences": len(rows), "words": sum(row[0][1] for row in rows)}
    first = [row[0] for row in rows]
    found: dict[str, Any] = {}
    for at, folder in enumerate(asked.folders):
        own = [row[at] for row in rows]
        low, high = wer.interval(first, own)
        verdict = "passes" if high <= LIMIT else "fails" if low > LIMIT else "undecided"
        found[folder.name] = {"wer": round(wer.rate(own), 2), "worse": [round(low, 2), round(high, 2)]}
        found[folder.name] |= {"verdict": verdict} if at else {}
        print(f"{folder.name:16}", found[folder.name], flush=True)
    print(json.dumps(line | {"variants": found}))


def heard(folders: list[Path], texts: list[str], wer: Any, kept: Path | None) -> list[Any]:
    """Return words wrong and words there, for each sentence and each voice."""
    lines = kept.read_text().splitlines() if kept and kept.exists() else []
    rows: list[Any] = [[tuple(pair) for pair in json.loads(line)] for line in lines][: len(texts)]
    with ExitStack() as stack:
        voices = [opened(folder, stack) for folder in folders]
        for at in range(len(rows), len(texts), SOME):
            some = texts[at : at + SOME]
            made = list(zip(*(wer.recognised(map(say, some), some) for say in voices), strict=True))
            rows += made
            if kept:
                with kept.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in made)
    return rows


def opened(folder: Path, stack: ExitStack) -> Say:
    """Load a voice until the stack ends; return what speaks a sentence with it."""
    resident = LowvoxVoice().load(Model(folder.name, "lowvox-voice", "synthesizer", ("en",), folder), Profile())
    stack.enter_context(closing(resident))
    return lambda text: Audio(b"".join(resident.open().speak(text)), 16000).samples


if __name__ == "__main__":
    main()
