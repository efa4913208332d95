"""How well lowvox-voice is understood at several precisions: the same sentences, the same recogniser, in pairs.

    python benchmarks/voice_int8.py FP32 OTHER... [--count 1500] [--kept FOLDER]

Each folder has encoder.onnx, decoder.onnx and g2p.onnx; the first is what the others are compared with. One that also
has decoder.pte (`lowvox shrink lower decoder.onnx --window 32`) runs that in ExecuTorch instead. Sentences are
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
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.voice import scoring

from lowvox.engines.lowvox_voice.engine import LowvoxVoice
from lowvox.types import Audio, Model, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Say = Callable[[str], NDArray[np.float32]]
    Errors = list[tuple[int, int]]
LIMIT = 0.5  # points
PROGRAM = "decoder.pte"
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
    with ExitStack() as stack:
        kept = asked.kept or Path(stack.enter_context(TemporaryDirectory()))
        errors = heard(asked.folders, texts, wer, kept)
    line = {"benchmark": "voice_int8", "sentences": len(texts), "words": sum(words for _, words in errors[0])}
    found: dict[str, Any] = {}
    for at, (folder, own) in enumerate(zip(asked.folders, errors, strict=True)):
        low, high = wer.interval(errors[0], own)
        verdict = "passes" if high <= LIMIT else "fails" if low > LIMIT else "undecided"
        found[folder.name] = {"wer": round(wer.rate(own), 2), "worse": [round(low, 2), round(high, 2)]}
        found[folder.name] |= {"verdict": verdict} if at else {}
        print(f"{folder.name:16}", found[folder.name], flush=True)
    print(json.dumps(line | {"variants": found}))


def heard(folders: list[Path], texts: list[str], wer: Any, kept: Path) -> list[Errors]:
    """Return words wrong and words there of each sentence, for each voice."""
    files = [kept / f"{folder.name}.jsonl" for folder in folders]
    found: list[Errors] = [_read(file) for file in files]
    with ExitStack() as stack:
        voices = [opened(folder, stack) for folder in folders]
        for at in range(0, len(texts), SOME):
            for errors, say, file in zip(found, voices, files, strict=True):
                some = texts[max(at, len(errors)) : at + SOME]
                made = wer.recognised(map(say, some), some)
                errors.extend(made)
                with file.open("a") as lines:
                    lines.writelines(json.dumps(pair) + "\n" for pair in made)
    return [errors[: len(texts)] for errors in found]


def _read(file: Path) -> Errors:
    lines = file.read_text().splitlines() if file.exists() else []
    return [(wrong, words) for wrong, words in map(json.loads, lines)]


def opened(folder: Path, stack: ExitStack) -> Say:
    """Load a voice until the stack ends; return what speaks a sentence with it."""
    resident = LowvoxVoice().load(Model(folder.name, "lowvox-voice", "synthesizer", ("en",), folder), Profile())
    stack.enter_context(closing(resident))
    if (folder / PROGRAM).exists():
        from lowvox.shrink.executorch.run import Program

        resident._voice._decoder = Program(folder / PROGRAM)  # type: ignore[assignment]  # has the calls of a session
    return lambda text: Audio(b"".join(resident.open().speak(text)), 16000).samples


if __name__ == "__main__":
    main()
