"""Every family of models that lowvox ships or converts, in floats and in 8 bits, in one table of one run.

    python benchmarks/families.py [--batch 1,2,4,8] [--runs 20] [--only NAME,...]
        [--voice FOLDER] [--te FILE] [--text FILE]
        [--pocket FOLDER --pocket-int8 FOLDER --pocket-voice VOICE.safetensors]
        [--upstream PYTHON [--config CONFIG.yaml] [--silero FILE.pt]]
    python benchmarks/families.py --only piper,vosk-tts --write-recipes

What is not given is left out, with the reason in one line. Where each comes from:

- lowvox-voice, lowvox-te: shipped in 8 bits. --voice is a folder of encoder.onnx, decoder.onnx and g2p.onnx in floats
  (`training/voice/export.py`, `training/g2p/ship.py`), --te the graph that was rounded (`training/te/export.py`). Words
  wrong are PocketSphinx's on fifty sentences, F1 is of those, or of --text.
- piper, vosk-tts: stand-ins of the tests at full size (36 and 43 M weights, random): whole in floats, as such voices
  are published, and what `lowvox shrink quantize VOICE` makes of them.
- pocket: two folders of `lowvox shrink export pocket-tts --config CONFIG.yaml`, the second with --int8, and a voice of
  that model; `tests/replicas/pocket_full.py` makes a CONFIG of the true size. --upstream is a Python with pocket-tts
  4.0.1; its own 8 bits, in torch, are measured with --config.
- silero-te: needs --upstream, a Python with torch and what lowvox needs; without --silero the model is the stand-in of
  the tests at full size. The released file is in 8 bits already; torch runs it, and lowvox what it converted.

Recipes are replayed on each run and must give the same file bit by bit: those of the shipped models from their floats,
those of the stand-ins in benchmarks/recipes from what the voice is cut into. --write-recipes makes the latter anew.

Each variant and batch has a process of its own on one thread; floats and 8 bits take turns, torch's own runs come
after. Time is the processor's: seconds for a second of sound (RTF), or milliseconds for a paragraph of 80 words, with
quarters. `load` and `first` are by the clock, without importing libraries. Large voices are timed a quarter of --runs
times, and Pocket TTS with two at once at most: more wait for each other. Peak is the kernel's (RSS) of the whole
process; USS the most that was seen while it loaded and warmed up, of torch what it had at the end. dB: what comes out
over its difference to floats. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from benchmarks import families_table, families_torch, families_voices

from lowvox import models
from lowvox.errors import LowvoxError
from lowvox.shrink.rounding import graph_int8, recipe
from lowvox.shrink.trials import comparison
from lowvox.shrink.trials.comparison import How
from lowvox.shrink.trials.material import material

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.families_table import Line

    from lowvox.types import Model

ROOT = Path(__file__).resolve().parents[1]
_PARTS = {"encoder": "voice", "decoder": "voice", "g2p": "g2p"}  # and where their recipes lie
_EARS = "pocketsphinx-en-us"
_SLOW, _LEAST = 4, 3  # a large voice is timed so much less often, but so often at least


class LeftOut(Exception):  # noqa: N818  # it is no error
    """A family is not measured, and why."""


class Families:
    """What was asked for, and what was found besides lines: `said` of recipes and conversions, by family."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self._asked, self._folder = asked, folder
        self._batches = tuple(sorted(map(int, asked.batch.split(","))))
        self._slow = max(_LEAST, asked.runs // _SLOW)
        self.said: dict[str, str] = {}

    def lowvox_voice(self) -> Iterator[Line]:
        """Measure what lowvox speaks with."""
        folder = self._given("voice")
        recipes = {part: ROOT / "training" / room / f"{part}.recipe.json" for part, room in _PARTS.items()}
        self._replayed("lowvox-voice", {folder / f"{part}.onnx": file for part, file in recipes.items()})
        shipped = models.find("synthesizer", name="lowvox-voice")
        yield from self._both("lowvox-voice", shipped, folder, None)

    def lowvox_te(self) -> Iterator[Line]:
        """Measure what lowvox punctuates with."""
        file = self._given("te")
        self._replayed("lowvox-te", {file: ROOT / "training" / "te" / "lowvox-te.recipe.json"})
        yield from self._both("lowvox-te", models.find("punctuator", name="lowvox-te"), file, self._asked.text)

    def piper(self) -> Iterator[Line]:
        """Measure a voice of Piper's."""
        return self._voice("piper", families_voices.piper)

    def vosk_tts(self) -> Iterator[Line]:
        """Measure a voice of vosk-tts's."""
        return self._voice("vosk-tts", families_voices.vosk)

    def pocket(self) -> Iterator[Line]:
        """Measure Pocket TTS."""
        given = (self._given(name) for name in ("pocket", "pocket_int8", "pocket_voice"))
        of = families_torch.Voices(*given)
        few = [batch for batch in self._batches if batch <= 2] or self._batches[:1]
        rows = families_torch.pocket_rows(of, few, self._slow)
        yield from families_table.lines("Pocket TTS", rows)
        asked = self._asked
        if asked.upstream and asked.config:
            yield from families_torch.pocket_upstream(asked.upstream, asked.config, of.voice, _LEAST)
        else:
            self.said["pocket"] = "the package's own INT8 is left out: give --upstream and --config"

    def silero_te(self) -> Iterator[Line]:
        """Measure Silero TE."""
        python, runs = str(self._given("upstream")), self._asked.runs
        file, folder = self._asked.silero or self._folder / "v2_4lang_q.pt", self._folder / "silero-te"
        near = families_torch.silero(python, file, folder)
        rows = families_torch.silero_rows(folder, self._batches, runs)
        yield families_torch.silero_upstream(python, file, runs)
        yield from (replace(line, quality=near) for line in families_table.lines("Silero TE", [rows]))

    def _given(self, name: str) -> Path:
        found: Path | None = getattr(self._asked, name)
        option = f"--{name.replace('_', '-')}"
        if found is None:
            raise LeftOut(f"give {option}")
        if not found.exists():
            raise LeftOut(f"there is no {found} ({option})")
        return found

    def _replayed(self, name: str, pairs: dict[Path, Path]) -> None:
        """Make what is shipped again of its floats, and say whether it is the same."""
        failed = []
        for source, file in pairs.items():
            try:
                graph_int8.remake(source, recipe.read(file))
            except LowvoxError as error:
                failed.append(f"{source.name}: {error}".rstrip("."))
        same = f"{len(pairs) - len(failed)} of {len(pairs)} graphs by their recipes the same, bit by bit"
        self.said[name] = "; ".join([same, *failed])

    def _both(self, name: str, shipped: Model, floats: Path, text: Path | None) -> Iterator[Line]:
        """Measure a model of lowvox's own beside itself in floats."""
        role = shipped.role
        twin = replace(shipped, path=floats.resolve(), digest=str(floats))
        ears = models.find("recognizer", name=_EARS) if role == "synthesizer" else None
        how = How(self._batches, self._asked.runs)
        given = material(role, "en", text)
        found = comparison.models([("FP32", twin), ("INT8", shipped)], given, how, ears, _nobody, _nobody)
        return families_table.lines(name, [found.rows])

    def _voice(self, name: str, make: Callable[[Path], Path]) -> Iterator[Line]:
        """Measure a large voice."""
        write = self._asked.write_recipes
        found = families_voices.compared(name, make(self._folder / name), self._batches, self._slow, write=write)
        self.said[name] = found.recipes
        return families_table.lines(name, found.rows)


FAMILIES: dict[str, Callable[[Families], Iterable[Line]]] = {
    "lowvox-voice": Families.lowvox_voice,
    "lowvox-te": Families.lowvox_te,
    "silero-te": Families.silero_te,
    "piper": Families.piper,
    "vosk-tts": Families.vosk_tts,
    "pocket": Families.pocket,
}


def _nobody(done: int, of: int) -> None:
    """Hear how much is done, and tell nobody."""


def main() -> None:
    """Measure; print a table in Markdown, what is left out and why, and one JSON line."""
    asked = _arguments()
    only = asked.only.split(",") if asked.only else [*FAMILIES]
    found: list[Line] = []
    left: dict[str, str] = {}
    with ExitStack() as stack:
        families = Families(asked, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        loads = [os.getloadavg()[0]]
        for name in only:
            try:
                found += FAMILIES[name](families)
            except LeftOut as why:
                left[name] = str(why)
            loads.append(os.getloadavg()[0])
            print(f"{name}: {left.get(name, 'measured')}", file=sys.stderr, flush=True)
    print(families_table.markdown(found))
    for title, told in (("left out", left), ("of recipes and conversions", families.said)):
        for name, sentence in told.items():
            print(f"\n{name}, {title}: {sentence}.")
    told_line: dict[str, Any] = {"benchmark": "families", "runs": asked.runs, "rows": families_table.objects(found)}
    told_line |= {"left_out": left, "said": families.said, "load_average": [round(each, 1) for each in loads]}
    print(json.dumps(told_line, ensure_ascii=False))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", default="1,2,4,8")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", metavar="NAME,...", help=", ".join(FAMILIES))
    for name in ("voice", "te", "text", "pocket", "pocket-int8", "pocket-voice", "upstream", "config", "silero"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--write-recipes", action="store_true")
    asked = parser.parse_args()
    if unknown := {*(asked.only or "").split(",")} - {*FAMILIES, ""}:
        parser.error(f"there is no family {unknown.pop()!r}")
    return asked


if __name__ == "__main__":
    main()
