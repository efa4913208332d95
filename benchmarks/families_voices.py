"""Voices of Piper's and of vosk-tts's for benchmarks/families.py: full-size stand-ins, their 8 bits and their recipes.

What is measured is what somebody has: the whole graph as it is published, and what `lowvox shrink quantize` makes of
it. Recipes lie in benchmarks/recipes, one for each part; the stand-ins come of seeded code, so that they fit.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox.errors import LowvoxError
from lowvox.shrink.rounding import RECIPE
from lowvox.shrink.trials.measuring import measured
from lowvox.shrink.voices import voice as voices
from lowvox.shrink.voices import voice_int8, voice_trial
from replicas import vits, vosk_tts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lowvox.shrink.trials.variant import Row
    from lowvox.shrink.voices.voice_int8 import Rounded

RECIPES = Path(__file__).with_name("recipes")


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows of a voice in floats and in 8 bits, and what came of its recipes."""

    rows: tuple[list[Row], ...]
    recipes: str


def piper(folder: Path) -> Path:
    """Write a voice as large as Piper's "high" ones, 36 M weights; return its graph."""
    return vits.voice(folder, "en_US-test-high", "text", rate=22050, shape=vits.FULL)


def vosk(folder: Path) -> Path:
    """Write a voice of vosk-tts's newest family of the same size, with attention in its flow; return its graph."""
    return vosk_tts.voice(folder, "v3", speakers=57, shape=vits.FULL) / "model.onnx"


def compared(name: str, whole: Path, batches: Sequence[int], runs: int, *, write: bool) -> Compared:
    """Round a voice, by its recipes unless they are to be written anew, and measure it and what it was made of.

    Each speaks the same symbols, `voice_trial.SYMBOLS` of them. The distance is that of the worst part that runs in
    windows, each given what it was given in floats.
    """
    out = whole.parent / "int8"
    done, said = _rounded(name, whole, out, write=write)
    voice = voices.found(str(whole))
    feeds = voice.feeds(voice_trial.SYMBOLS)
    pairs = (("FP32, whole", whole), ("INT8, in parts", out / whole.name))
    subjects = [voice_trial.subject(each, path, feeds, voice.rate) for each, path in pairs]
    first, other = measured(subjects, batches, runs)
    far = -max(done.noise.values())
    return Compared((first, [replace(row, distance_db=far) for row in other]), said)


def _rounded(name: str, whole: Path, out: Path, *, write: bool) -> tuple[Rounded, str]:
    if not write:
        try:
            done = voice_int8.quantize(str(whole), out, how=RECIPES)
        except LowvoxError as error:
            return voice_int8.quantize(str(whole), out, force=True), f"made anew: {error}".rstrip(".")
        return done, f"its {len(done.made)} parts by their recipes: the same, bit by bit"
    done = voice_int8.quantize(str(whole), out, force=True)
    RECIPES.mkdir(exist_ok=True)
    kept = sorted(out.glob(f"*{RECIPE}"))
    for recipe in kept:
        shutil.copyfile(recipe, RECIPES / f"{name}{recipe.name.removeprefix(whole.stem)}")
    return done, f"{len(kept)} recipes written"
