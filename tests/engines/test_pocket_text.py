"""What Pocket TTS wants of a text: as pocket-tts writes and cuts it, and never more than a chunk may have."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.pocket import text as pocket_text
from lowvox.engines.pocket.sentencepiece import SentencePiece
from lowvox.engines.pocket.text import Rules
from replicas import pocket_tokens as replica

TOKENIZER = SentencePiece(replica.model(replica.pieces()))
PLAIN = Rules(append_terminal=False, capitalize=False)
WORDS = st.sampled_from(["the", "fox", "a", "3.14", "so", "x" * 80, "é", "…", "no.", "yes!", "well,", "if;", '"'])


def cut(text: str, most: int = 12, rules: Rules = PLAIN) -> list[str]:
    return list(pocket_text.chunks(text, TOKENIZER, rules, most))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" hello there\nfox ", "Hello there fox."),
        ("Why?", "Why?"),
        ("hello -", "Hello."),
        ('"hello,"', '"hello."'),
        ("hello) ", "Hello)."),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_a_text_is_written_as_the_model_knows_it(text: str, expected: str) -> None:
    assert pocket_text.prepared(text, Rules()) == expected


def test_a_model_has_rules_of_its_own() -> None:
    assert pocket_text.prepared("a;b", Rules(remove_semicolons=True)) == "A,b."
    assert pocket_text.prepared("a b", Rules(pad_short=True)) == "        A b."
    assert pocket_text.prepared("a b c d e", Rules(pad_short=True)) == "A b c d e."
    assert pocket_text.prepared("salam", PLAIN) == "salam"
    quotes = Rules(replace={"–": ",", '"': "", "’": "'"})
    assert pocket_text.prepared('"hi?"–  it’s', quotes) == "Hi? it's."
    assert pocket_text.prepared('""', quotes) == ""


def test_short_texts_fade_longer() -> None:
    assert pocket_text.fading("one two three four", PLAIN) == 5
    assert pocket_text.fading("one two three four five", PLAIN) == 3


def test_sentences_are_kept_together_as_far_as_they_fit() -> None:
    assert cut("the fox. a fox. the the the the the the. a fox.") == [
        "the fox. a fox.",
        "the the the the the the. a fox.",
    ]


def test_long_sentences_are_cut_at_clauses_and_points_between_digits_are_left() -> None:
    assert cut("the the the the the the, the the the the the the the.") == [
        "the the the the the the,",
        "the the the the the the the.",
    ]
    assert cut("a 3.1 fox. the the the the the the") == ["a 3.1 fox.", "the the the the the the"]


def test_nothing_comes_of_nothing() -> None:
    assert cut("") == []
    assert cut(" ", rules=Rules()) == []


@given(st.lists(WORDS, max_size=30), st.integers(8, 50))
def test_chunks_are_bounded_and_hold_every_letter(words: list[str], most: int) -> None:
    text = " ".join(words)
    found = cut(text, most)
    assert all(len(TOKENIZER.encode(chunk)) <= most for chunk in found)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)


def test_a_word_of_ten_thousand_letters_is_cut() -> None:
    found = cut("x" * 10_000, 50)
    assert "".join(found) == "x" * 10_000
    assert max(len(TOKENIZER.encode(chunk)) for chunk in found) <= 50
