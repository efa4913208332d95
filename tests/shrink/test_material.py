"""Texts and recordings: those that come with lowvox, those of a folder, and what is wrong with others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lowvox.audio.clip import PATH, TEXT
from lowvox.errors import DamagedError, NotFoundError, UsageError
from lowvox.shrink.trials.material import Clip, clips, material, texts


def test_the_sentences_that_come_with_lowvox() -> None:
    found = material("synthesizer", "en").texts
    assert len(found) == len(set(found)) == 50
    assert all(4 <= len(sentence.split()) <= 15 and sentence[-1] in ".?" for sentence in found)
    assert not any(char.isdigit() for sentence in found for char in sentence)  # nobody writes them as they are said
    with pytest.raises(UsageError, match="name a file of 'de' with --text"):
        material("punctuator", "de")


def test_the_clip_that_comes_with_lowvox_and_noise_for_a_vad() -> None:
    (clip,) = material("recognizer", "en").clips
    assert (clip.text, len(clip.pcm())) == (TEXT, len(clip.pcm()))
    noisy = material("vad", "en").clips
    assert len(noisy) == 5
    sounds = [each.pcm() for each in noisy]
    assert len(set(sounds)) == 5
    assert len({len(sound) for sound in sounds}) == 1
    assert sounds[1] == noisy[1].pcm()  # drawn from a fixed seed


def test_a_file_of_texts(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("One.\n\n  Zwei.  \n", "utf-8")
    assert texts(file) == ("One.", "Zwei.")
    assert material("synthesizer", "de", file).texts == ("One.", "Zwei.")
    file.write_text("\n")
    with pytest.raises(UsageError, match="holds no text"):
        texts(file)
    file.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DamagedError, match="not UTF-8"):
        texts(file)
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(NotFoundError, match="no text file"):
            texts(missing)


def test_a_folder_with_a_manifest(tmp_path: Path) -> None:
    shutil.copy(PATH, tmp_path / "a.flac")
    lines = [
        {"path": "a.flac", "text": "good morning", "lang": "en", "speaker": "x"},
        {"path": "a.flac", "text": "guten Morgen", "lang": "de"},
        {"path": "a.flac", "lang": "en"},
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert clips(tmp_path, "en-us") == (Clip(tmp_path / "a.flac", "good morning"),)
    assert clips(tmp_path, told=False) == (Clip(tmp_path / "a.flac"),)
    with pytest.raises(UsageError, match="no recordings of at most 30 s with what is said in them in 'ru'"):
        clips(tmp_path, "ru")
    (tmp_path / "manifest.jsonl").write_text("{")
    with pytest.raises(DamagedError, match="line 1"):
        clips(tmp_path)


def test_a_folder_with_texts_beside(tmp_path: Path) -> None:
    shutil.copy(PATH, tmp_path / "a.flac")
    shutil.copy(PATH, tmp_path / "b.flac")
    (tmp_path / "a.txt").write_text("good\nmorning\n")
    assert [clip.text for clip in material("recognizer", "en", speech=tmp_path).clips] == ["good morning"]
    assert len(material("vad", "en", speech=tmp_path).clips) == 2
    with pytest.raises(NotFoundError, match="no folder"):
        clips(tmp_path / "none")
