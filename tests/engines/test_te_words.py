"""`engines.te_words`: what the network sees of a word, and that it is the same on every machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.te_words import (
    BEGIN,
    END,
    LANGUAGE_ROW,
    LONG_PAUSE,
    NO_PAUSE,
    NO_ROW,
    ROWS,
    SHORT_PAUSE,
    WIDTH,
    features,
    plain,
    rows,
)


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("Hello,", "hello"),
        ("«Привет»", "привет"),
        ("don’t", "don't"),
        ("1914", "0000"),
        ("e\u0301tude", "\u00e9tude"),
        ("...", "..."),
        ("", ""),
    ],
)
def test_a_word_is_known_without_its_looks(word: str, known: str) -> None:
    assert plain(word) == known


def test_rows_are_those_that_the_network_was_trained_on() -> None:
    """They are in its weights: another hash would make noise of every word."""
    assert features("hello") == [22247, 9537, 28572, 25080, 30057, 31892, NO_ROW]
    assert features("здравствуйте")[-1] != NO_ROW


@given(st.lists(st.text(), max_size=20), st.sampled_from(["", "en", "vi", "xx"]), st.booleans(), st.booleans())
def test_every_word_has_a_place_and_every_row_is_in_the_table(
    words: list[str], language: str, begins: bool, ends: bool
) -> None:
    found = rows(words, language, begins=begins, ends=ends)
    assert len(found) == len(words) + begins + ends
    assert all(len(row) == WIDTH and all(0 < number < ROWS for number in row) for row in found)


def test_surrogates_and_control_characters_are_words_too() -> None:
    assert len(rows(["\ud800", "a\0b", "🙂" * 3000])) == 5


def test_begin_end_language_and_pauses() -> None:
    first, *middle, last = rows(["a", "b", "c"], "de", [0.0, 0.2, 1.0])
    assert (first[0], last[0]) == (BEGIN, END)
    assert {row[-2] for row in (first, *middle, last)} == {LANGUAGE_ROW + 2}
    assert [row[-1] for row in middle] == [NO_PAUSE, SHORT_PAUSE, LONG_PAUSE]
    assert rows(["a"], "de")[1][-1] == NO_ROW  # nothing is known of pauses
