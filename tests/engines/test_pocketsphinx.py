from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from lowvox.audio.clip import TEXT, clip
from lowvox.engines.pocketsphinx import PocketSphinx, PocketSphinxResident, PocketSphinxStream, _spoken
from lowvox.errors import DamagedError
from lowvox.types import Model, Profile

EARS = Model("pocketsphinx-en-us", "pocketsphinx", "recognizer", ("en",))
SAID = TEXT.lower().replace(".", "").replace(",", "").split()


@pytest.fixture(scope="module")
def stream() -> Iterator[PocketSphinxStream]:
    resident = PocketSphinx().load(EARS, Profile())
    opened = resident.open()
    yield opened
    opened.close()
    resident.close()


def test_words_with_times_and_confidence(stream: PocketSphinxStream) -> None:
    stream.reset()
    stream.accept(clip())
    words = stream.finish()
    assert [word.word for word in words] == SAID
    assert all(0 <= (word.confidence or 0) <= 1 for word in words)
    assert all(word.start < word.end for word in words)
    assert all(first.end <= second.start + 0.011 for first, second in pairwise(words))
    assert words[-1].end < len(clip()) / 32000


def test_partials_grow_and_do_not_change_the_final(stream: PocketSphinxStream) -> None:
    sound = clip()
    stream.reset()
    partials = []
    for at in range(0, len(sound), 9600):
        stream.accept(sound[at : at + 9600])
        partials.append(stream.partial())
    assert len(partials[-1].split()) > 15
    assert not any("<" in text or "(" in text for text in partials)
    assert [word.word for word in stream.finish()] == SAID


def test_a_new_speaker_starts_from_nothing(stream: PocketSphinxStream) -> None:
    def once() -> list[tuple[float, str]]:
        stream.accept(clip()[:96000])
        return [(word.start, word.word) for word in stream.finish()]

    stream.reset()
    fresh = once()
    once()
    stream.reset()
    assert once() == fresh


def test_discarding_forgets_the_utterance(stream: PocketSphinxStream) -> None:
    stream.accept(clip()[:64000])
    stream.partial()
    stream.discard()
    assert stream.finish() == ()
    assert stream.partial() == ""


@pytest.mark.parametrize(
    ("token", "word"),
    [("our(2)", "our"), ("<sil>", ""), ("</s>", ""), ("[NOISE]", ""), ("don't", "don't"), ("a", "a")],
)
def test_tokens(token: str, word: str) -> None:
    assert _spoken(token) == word


def test_a_missing_model_is_damage(tmp_path: Path) -> None:
    paths = {"hmm": str(tmp_path), "lm": str(tmp_path / "lm"), "dict": str(tmp_path / "dict")}
    with pytest.raises(DamagedError, match="force-reinstall"):
        PocketSphinxResident(paths).open()
