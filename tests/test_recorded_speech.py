"""People's recorded voices instead of a machine's: the main job on a few of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jiwer
import pytest

import lowvox

CLEAR = ("en/ps-cards-005.flac", "en/lj-LJ001-0016.flac", "en/lj-LJ001-0022.flac")
SILENT = ("vad/aeneas-zero.flac", "vad/pv-empty.flac", "vad/sb-noise2.flac")


@pytest.fixture
def speech(home: Path) -> Iterator[lowvox.Speech]:
    with lowvox.Speech(language="en", model="pocketsphinx-en-us") as opened:
        yield opened


def words(text: str) -> str:
    return " ".join("".join(letter if letter.isalpha() or letter == "'" else " " for letter in text.lower()).split())


def test_clear_speech_is_mostly_understood(recorded: Path, speech: lowvox.Speech) -> None:
    rows = [json.loads(line) for line in (recorded / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    said = {row["path"]: words(row["text"]) for row in rows}
    heard = [words(speech.transcribe(recorded / path).text) for path in CLEAR]
    assert jiwer.wer([said[path] for path in CLEAR], heard) < 0.45


def test_live_speech_ends_like_recorded_speech(recorded: Path, speech: lowvox.Speech) -> None:
    from lowvox.audio.reading import opened

    with opened(recorded / CLEAR[1]) as recording:
        finals = [event.text for event in speech.dictate(recording.blocks()) if event.kind == "final"]
    offline = speech.transcribe(recorded / CLEAR[1]).text
    assert jiwer.wer(offline, " ".join(finals)) < 0.2


@pytest.mark.parametrize("path", SILENT)
def test_where_nobody_speaks_nothing_is_written(recorded: Path, speech: lowvox.Speech, path: str) -> None:
    assert len(speech.transcribe(recorded / path).text.split()) <= 1
