"""English sentences to sounds and tokens: words, guesses, letters, marks, and anything at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lowvox.engines.lowvox_voice.engine import SHIPPED
from lowvox.engines.lowvox_voice.g2p import Speller, spelled
from lowvox.engines.lowvox_voice.lexicon import lexicon
from lowvox.engines.lowvox_voice.reading import Reader
from lowvox.engines.lowvox_voice.tokens import COUNT, MARKS, PHONES, spots, tokens
from lowvox.types import Profile


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOWVOX_HOME", str(tmp_path_factory.mktemp("home")))
        words = lexicon()
    assert words
    with closing(Speller(SHIPPED / "g2p.onnx", Profile())) as speller, closing(words):
        yield Reader(words, speller)


def said(reader: Reader, text: str) -> str:
    """The sounds of a sentence, with a space between phones and two between words."""
    return " ".join(reader.sounds(text)).replace("   ", "  ").strip()


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("Hello, world", "HH AH L OW ,  W ER L D ."),
        ("Hello world!", "HH AH L OW  W ER L D !"),
        ("“Hello,” he said", "HH AH L OW ,  HH IY  S EH D ."),
        ('"Hello?" he said.', "HH AH L OW ?  HH IY  S EH D ."),
        ("the end", "DH IY  EH N D ."),
        ("THE dog", "DH AH  D AO G ."),
        ("it's and to", "IH T S  AE N D  T AH ."),
        ("it’s", "IH T S ."),
        ("well-known", "W EH L  N OW N ."),
        ("dog – cat -- dog (cat) dog", "D AO G ,  K AE T ,  D AO G ,  K AE T ,  D AO G ."),
        ("one: two; three...", "W AH N ;  T UW ;  TH R IY ."),
        ("café", "K AH F EY ."),
        ("'em 'dog'", "AH M  D AO G ."),
        ("BBC", "B IY B IY S IY ."),
        ("U S A", "Y UW  EH S  EY ."),
        ("A dog", "AH  D AO G ."),
        ("[[HH AH0 L OW1]] dog", "HH AH L OW  D AO G ."),
        ("the [[AA]]", "DH IY  AA ."),
    ],
)
def test_sentences(reader: Reader, text: str, sounds: str) -> None:
    assert said(reader, text) == sounds


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("XKVB", "EH K S K EY V IY B IY"),
        ("qrk", "K Y UW AA R K EY"),
        ("canoe's", "K AH N UW Z"),
        ("birch's", "B ER CH IH Z"),
        ("BirchCanoe", "B ER CH K AH N UW"),
        ("XMLCanoe", "EH K S EH M EH L K AH N UW"),
    ],
)
def test_words_that_are_in_no_lexicon(reader: Reader, word: str, sounds: str) -> None:
    assert said(reader, word) == f"{sounds} ."


@pytest.mark.parametrize(("word", "sounds"), [("blorving", "B L AO R V IH NG"), ("frip", "F R IH P")])
def test_new_words_are_guessed(reader: Reader, word: str, sounds: str) -> None:
    assert said(reader, word) == f"{sounds} ."


def test_a_word_without_end_is_bounded(reader: Reader) -> None:
    assert 5_000 < len(reader.sounds("kramblo" * 1429)) < 20_000
    assert len(reader.sounds("a" * 10_000)) < 10


def test_letters_are_all_there() -> None:
    assert spelled("abcdefghijklmnopqrstuvwxyz'")[:3] == ["EY", "B", "IY"]
    assert set(spelled("abcdefghijklmnopqrstuvwxyz")) <= set(PHONES)


def check(ids: list[int], places: list[int]) -> None:
    """What the network asks of its tokens."""
    pauses = [at for at, one in enumerate(ids) if one <= len(MARKS)]
    assert len(ids) == len(places) > 2
    assert ids[0] == 0
    assert 0 not in ids[1:]
    assert max(ids) < COUNT
    assert pauses[-1] == len(ids) - 1
    assert all(later - one > 1 for one, later in pairwise(pauses))
    assert [at for at, place in enumerate(places) if place == 4] == pauses
    assert spots(ids).shape == (4, len(ids))
    assert spots(ids).min() >= 0
    assert spots(ids).max() <= 1


@given(st.text() | st.text("aeT.', -[]?!éЖ1").map(lambda text: f"the {text}"))
@example("[[AA]] [[")
@example("[[AA] , . ]]!")
@example("''a'' ' b")
def test_any_text_gives_tokens_or_nothing(reader: Reader, text: str) -> None:
    ids, places = tokens(reader.sounds(text))
    if ids:
        check(ids, places)
    else:
        assert not places


@given(st.lists(st.sampled_from([*PHONES, *MARKS, " "]), max_size=30))
def test_any_sounds_give_tokens_or_nothing(sounds: list[str]) -> None:
    ids, places = tokens(sounds)
    if set(sounds) & set(PHONES):
        check(ids, places)
        assert [ids.count(6 + at) for at in range(len(PHONES))] == [sounds.count(phone) for phone in PHONES]
    else:
        assert ids == places == []


def test_places_and_spots() -> None:
    ids, places = tokens("DH AH   D AO G ,   AY".replace("   ", " | ").replace("|", "").split(" "))
    assert places == [4, 1, 2, 1, 0, 2, 4, 3, 4]
    assert (spots(ids) * 30).round().astype(int).tolist() == [
        [0, 1, 2, 3, 4, 5, 0, 1, 0],
        [0, 5, 4, 3, 2, 1, 0, 1, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        [8, 7, 6, 5, 4, 3, 2, 1, 0],
    ]
    assert spots(ids).dtype == np.float32
