"""Graph level "extended" against "all", run by run: what lowvox has graphs in 8 bits optimised to, and why.

    python benchmarks/levels.py --folder FOLDER [--pairs 40]

--folder is that of benchmarks/profiles.py. Both sessions of a part are in one process, on one thread, and take turns,
the first to run changing from pair to pair. Ratios of the processor's time, "extended" to "all": their median and
quartiles. Flow and front see 4 s of sound, the decoder 90 frames. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.profiles import SHORT, Open, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Feeds = dict[str, NDArray[Any]]


def parts(folder: Path) -> dict[str, Feeds]:
    """Return what each part of a voice is given."""
    import numpy as np

    from lowvox.onnx import split

    told = split.read(folder / "voice.split.json")
    with np.load(folder.parent / "whole" / "utterance.npz") as saved:
        text: Feeds = dict(saved)
    front = Open(folder / told.front, Settings())
    handed = text | dict(zip(front.outputs, front.run({name: text[name] for name in front.inputs}), strict=True))
    decoder = told.stages[-1]
    with np.load(folder / "decoder.npz") as saved:
        cut = {
            name: saved[name].take(range(SHORT), decoder.along[name]) if name in decoder.along else saved[name]
            for name in saved
        }
    return {told.front: text, told.stages[0].file: handed, decoder.file: cut}


def compared(path: Path, feeds: Feeds, pairs: int) -> dict[str, float]:
    """Run a graph at both levels in turns."""
    both = [Open(path, Settings(shrinking=True, level=level)) for level in ("all", "extended")]
    given = {name: feeds[name] for name in both[0].inputs}
    for each in both:
        each.run(given)
    ratios = []
    for pair in range(pairs):
        taken = [0.0, 0.0]
        for at in (0, 1) if pair % 2 else (1, 0):
            begun = time.process_time()
            both[at].run(given)
            taken[at] = time.process_time() - begun
        ratios.append(taken[1] / taken[0])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {"median": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=40)
    asked = parser.parse_args()
    line: dict[str, Any] = {"benchmark": "levels", "pairs": asked.pairs}
    for precision in ("int8", "fp32"):
        for file, feeds in parts(asked.folder / precision).items():
            name = f"{precision} {file}"
            line[name] = compared(asked.folder / precision / file, feeds, asked.pairs)
            print(name, *line[name].values(), flush=True)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
