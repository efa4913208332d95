"""`text.marks`: what is added to a word, and that the word itself survives it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.text.marks import CASES, DASH, MARKS, cased, write
from lowvox.types import Case, Label

labels = st.builds(Label, st.sampled_from(MARKS), st.sampled_from(CASES), st.sampled_from(["", "¿", "¡"]))


@pytest.mark.parametrize(
    ("word", "case", "text"),
    [
        ("hello", "capital", "Hello"),
        ("nasa", "upper", "NASA"),
        ("jean-paul's", "parts", "Jean-Paul's"),
        ("o'brien", "parts", "O'Brien"),
        ("o’brien's", "parts", "O’Brien's"),
        ("élan", "capital", "Élan"),
        ("(hello", "capital", "(Hello"),
        ("hello", "lower", "hello"),
        ("3rd", "capital", "3rd"),
        ("iPhone", "upper", "iPhone"),
        ("http://example.org", "capital", "http://example.org"),
        ("user_name", "upper", "user_name"),
        ("lowvox.org", "capital", "lowvox.org"),
        ("ßen", "upper", "ßen"),  # "SS" could not be undone
        ("ŉa", "capital", "ŉa"),
        ("-", "capital", "-"),
    ],
)
def test_capitals(word: str, case: Case, text: str) -> None:
    assert cased(word, case) == text


@pytest.mark.parametrize(
    ("word", "label", "language", "text"),
    [
        ("hello", Label(",", "capital"), "en", "Hello,"),
        ("hello", Label(DASH), "en", "hello —"),
        ("hallo", Label(DASH), "de-at", "hallo –"),
        ("qué", Label("?", "capital", "¿"), "es", "¿Qué?"),
        ("50%", Label("."), "en", "50%."),
        ("done.", Label(","), "en", "done."),  # marked already
        ("🙂", Label("."), "en", "🙂"),
        ("...", Label(".", "upper"), "en", "..."),
        ('"quoted"', Label(","), "en", '"quoted",'),
        ("—", Label(","), "en", "—"),
    ],
)
def test_writing(word: str, label: Label, language: str, text: str) -> None:
    assert write(word, label, language) == text


@given(st.text(min_size=1).filter(lambda text: len(text.split()) == 1 and text == text.strip()), labels)
def test_taking_away_what_was_added_gives_the_word_back(word: str, label: Label) -> None:
    text = write(word, label, "en")
    core = text.removeprefix(label.opens) if label.opens and not word.startswith(label.opens) else text
    assert core[: len(word)] == word or core[: len(word)].lower() == word
    assert core[len(word) :] in ("", label.mark, f" {label.mark}")
