"""Whether a rounded voice is worth having instead of the one that it was made of: both are measured and judged.

By words where somebody here understands the voice at all; else by how near what its parts give is to what they gave.
Knows nothing of how a voice is rounded, nor where it goes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lowvox.errors import LowvoxError
from lowvox.shrink.trials import gate, quality
from lowvox.shrink.trials.material import Material
from lowvox.shrink.trials.measuring import measured
from lowvox.shrink.voices import voice_trial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lowvox.shrink.trials.quality import Judged
    from lowvox.shrink.trials.variant import Row, Verdict
    from lowvox.shrink.voices.voice import Voice
    from lowvox.types import Model

    Told = Callable[[float, float], object]

# Timed runs, of some seconds each.
RUNS = 6
# Per cent of the words that are wrong: a voice of which more are is not understood, and its words would tell nothing.
UNDERSTOOD = 50.0
_PROBED = 5  # sentences


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences in a voice's language, at least `gate.LEAST` of them, and who writes down what he understands."""

    texts: tuple[str, ...]
    language: str
    ears: Model


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows of the voice as it was and of the rounded one, and the verdict; `note` says why it is not by words."""

    rows: tuple[Row, Row]
    verdict: Verdict
    note: str | None


def judged(
    whole: Voice, rounded: Path, name: str, distance_db: float | None, words: Words | None, told: Told, lent: Path
) -> Finding:
    """Judge the voice whose parts are in the folder `rounded` and which is called `name`.

    `distance_db` is how near it is by its worst part, None where none is known; `told` hears how much is done, and of
    how much; `lent` is a folder for what is needed meanwhile. Raises WorkerDiedError, and what a voice raises that
    cannot speak.
    """
    share = 2 if words else 1
    pairs = ((whole.name or whole.graph.name, whole.graph), (name, rounded / whole.graph.name))
    feeds = whole.feeds(voice_trial.SYMBOLS)
    subjects = [voice_trial.subject(each, path, feeds, whole.rate) for each, path in pairs]
    (first,), (row,) = measured(subjects, (1,), RUNS, lambda done, of: told(done, share * of))
    heard, note = None, None
    if words:
        heard, note = _heard(whole, rounded, words, lambda done, of: told(of + done, 2 * of), lent)
    if heard:
        (first,), (row,) = heard[0].on([first]), heard[1].on([row])
    else:
        row = replace(row, distance_db=distance_db)
    return Finding((first, row), gate.judge([first], [row]), note)


def _heard(
    whole: Voice, rounded: Path, words: Words, told: Told, lent: Path
) -> tuple[tuple[Judged, Judged] | None, str | None]:
    """Return what is understood of both; None and the reason where the first is not understood, or cannot be had."""
    first, other = _model(_together(whole, lent)), _model(rounded)
    few = Material(words.language, words.texts[:_PROBED])
    try:
        (probe,) = quality.judged([first], few, words.ears, lambda done, of: told(done / 10, of))
    except LowvoxError as error:
        return None, f"Judged by its output, since its words cannot be had: {error}"
    assert probe.quality
    if probe.quality.value >= UNDERSTOOD:
        wrong = f"{probe.quality.value:.0f} % of the words of {len(few.texts)} sentences are wrong"
        return None, f"Judged by its output: {words.ears.name} does not understand the voice as it was ({wrong})."
    one, its = quality.judged([first, other], Material(words.language, words.texts), words.ears, told)
    return (one, its), None


def _together(whole: Voice, lent: Path) -> Path:
    """Return a folder that holds the voice as it was and no other."""
    folder = lent / "whole"
    for file in (whole.graph, *whole.others):
        target = folder / file.relative_to(whole.graph.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return folder


def _model(folder: Path) -> Model:
    from lowvox import models

    return models.find("synthesizer", name=str(folder))
