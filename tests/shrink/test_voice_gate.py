"""The gate of a voice: by words where the voice is understood, else by what its parts give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowvox.errors import EngineError
from lowvox.shrink.trials import quality as trials
from lowvox.shrink.trials.bootstrap import Tally, quality
from lowvox.shrink.trials.quality import Judged
from lowvox.shrink.trials.variant import Row
from lowvox.shrink.voices import voice as voices
from lowvox.shrink.voices import voice_gate
from lowvox.shrink.voices.voice_gate import Words
from lowvox.types import Model
from replicas import vits

EARS = Model("ears", "pocketsphinx", "recognizer", ("en",))
WORDS = Words(("One two three four.",) * 40, "en", EARS)


def row(name: str, factor: float) -> Row:
    run = 0.1 * factor
    return Row(name, 1, "cpu", 1, 10 * factor, 0.1, 0.1, run, (run, run), 0.1, 100 * factor, 30.0, 6)


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> voices.Voice:
    """A voice, and a rounded one in `int8` that is half of it in all that is measured."""
    path = vits.voice(tmp_path / "voices", "en_US-test-low", "text")
    vits.voice(tmp_path / "int8", "en_US-test-low", "text", seed=1)
    pairs = [[row("whole", 1.0)], [row("small", 0.5)]]
    monkeypatch.setattr(voice_gate, "measured", lambda _, __, ___, told: [told(1, 1), pairs][1])
    return voices.found(str(path))


def understood(patch: pytest.MonkeyPatch, *wrong: list[int]) -> list[tuple[Any, int]]:
    """Have of the four words of each sentence so many be wrong, by variant; return who was judged, on how many."""
    asked: list[tuple[Any, int]] = []

    def judged(found: list[Model], material: Any, ears: Model, told: Any) -> list[Judged]:
        assert ears is EARS
        asked.append(([model.path for model in found], len(material.texts)))
        counts = [np.array([(each, 4) for each in wrong[at][: len(material.texts)]]) for at in range(len(found))]
        tallies = [Tally("wer", each, "ears") for each in counts]
        told(1, 1)
        return [Judged(quality(each, tallies[0] if at else None)) for at, each in enumerate(tallies)]

    patch.setattr(trials, "judged", judged)
    return asked


def judge(whole: voices.Voice, tmp_path: Path, words: Words | None) -> tuple[voice_gate.Finding, list[float]]:
    told: list[float] = []
    finding = voice_gate.judged(
        whole, tmp_path / "int8", "small", 30.0, words, lambda done, of: told.append(done / of), tmp_path
    )
    return finding, told


def test_by_its_output_where_there_are_no_words(voice: voices.Voice, tmp_path: Path) -> None:
    finding, told = judge(voice, tmp_path, None)
    assert finding.verdict.passed
    assert finding.verdict.checks[-1].sentence.startswith("Near enough: its output is 30.0 dB above")
    assert (finding.rows[0].distance_db, finding.rows[1].distance_db) == (None, 30.0)
    assert finding.note is None
    assert told == [1.0]


def test_by_words_where_it_is_understood(voice: voices.Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = understood(monkeypatch, [1, 0] * 20, [1, 0] * 20)
    finding, told = judge(voice, tmp_path, WORDS)
    assert finding.verdict.checks[-1].sentence.startswith("As good: word errors 12.50 %")
    assert [count for _, count in asked] == [5, 40]
    assert asked[1][0] == [(tmp_path / "whole").resolve(), (tmp_path / "int8").resolve()]
    assert finding.note is None
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_voice_that_is_understood_less_fails(
    voice: voices.Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    understood(monkeypatch, [0] * 40, [2] * 40)
    finding, _ = judge(voice, tmp_path, WORDS)
    assert [check.name for check in finding.verdict.checks if check.passed is False] == ["quality"]
    assert "worse by 50.00 to 50.00 points on 40 inputs" in finding.verdict.checks[-1].sentence


def test_words_of_a_voice_that_nobody_understands_tell_nothing(
    voice: voices.Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = understood(monkeypatch, [2] * 40)
    finding, _ = judge(voice, tmp_path, WORDS)
    assert [count for _, count in asked] == [5]
    assert finding.rows[1].distance_db == 30.0
    assert finding.verdict.passed
    assert finding.note == (
        "Judged by its output: ears does not understand the voice as it was (50 % of the words of 5 sentences are "
        "wrong)."
    )


def test_a_voice_that_cannot_speak_text_here(
    voice: voices.Voice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mute(*_: Any) -> Any:
        raise EngineError("No espeak.")

    monkeypatch.setattr(trials, "judged", mute)
    finding, _ = judge(voice, tmp_path, WORDS)
    assert finding.note == "Judged by its output, since its words cannot be had: No espeak."
    assert finding.verdict.passed
