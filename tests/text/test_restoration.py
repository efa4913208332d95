"""`text.restoration`: windows say what the whole would, words survive whatever they are, memory does not follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.text import restoration
from lowvox.text.restoration import LINES, MARGIN, TOGETHER, flowing, joined, labels, lines, punctuate
from lowvox.types import Label
from replicas.labels import Neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

words = st.lists(st.text("abcxyz", min_size=1, max_size=6), max_size=150)
anything = st.text(st.one_of(st.characters(), st.sampled_from(" \t\u00a0\u2028.,?!'-")), max_size=300)


def bare(text: str) -> list[str]:
    """What is left when marks and capitals are taken away."""
    return [word for word in (re.sub(r"[.,?]", "", word.lower()) for word in text.split()) if word]


@given(words)
def test_windows_say_what_the_whole_would(some: list[str]) -> None:
    whole = Neighbours(window=1000)
    assert labels(some, Neighbours(window=40)) == labels(some, whole)


@given(words, st.booleans(), st.booleans())
def test_begin_and_end_are_those_of_the_whole(some: list[str], begins: bool, ends: bool) -> None:
    found = labels(some, Neighbours(window=35), begins=begins, ends=ends)
    assert found == labels(some, Neighbours(window=1000), begins=begins, ends=ends)


@given(words)
def test_pauses_go_with_their_words(some: list[str]) -> None:
    pauses = [0.5 if "x" in word else 0.0 for word in some]
    found = labels(some, Neighbours(), pauses, ends=False)
    assert all(label.mark == "." for label, pause in zip(found, pauses, strict=True) if pause)
    assert found == labels(some, Neighbours(window=1000), pauses, ends=False)


@given(anything)
def test_nothing_but_marks_and_capitals_is_added(text: str) -> None:
    found = punctuate(text, Neighbours(), "en")
    assert re.sub(r"\S+", "", found) == re.sub(r"\S+", "", text)  # white space stays
    for before, after in zip(text.split(), found.split(), strict=True):
        assert after[: len(before)].lower() == before.lower()
        assert after[len(before) :] in ("", ".", ",", "?")


@given(st.lists(words.map(" ".join), max_size=40))
def test_lines_together_are_as_lines_alone(texts: list[str]) -> None:
    stream = Neighbours()
    assert list(lines(texts, stream, "en")) == [punctuate(text, Neighbours(), "en") for text in texts]
    assert all(size <= max(TOGETHER, stream.window) for size in stream.asked)


@given(st.lists(words.map(" ".join), max_size=6), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_text_in_pieces_is_as_text_at_once(texts: list[str], cuts: list[int]) -> None:
    text = "\n".join(texts)
    pieces: list[str] = []
    at = 0
    while at < len(text):
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(text[at : at + size])
        at += size
    whole = "\n".join(lines(texts, Neighbours(), "en"))
    assert "".join(flowing(pieces, Neighbours(), "en")) == whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restoration, "LONG", 60)
        assert "".join(flowing(pieces, Neighbours(), "en")) == whole


def test_a_line_without_end_is_written_as_it_comes() -> None:
    stream = Neighbours()
    given_, written = 0, 0
    endless = ("word " * 1000 for _ in range(100))

    def counted() -> Iterator[str]:
        nonlocal given_
        for piece in endless:
            given_ += 1000
            yield piece

    for piece in flowing(counted(), stream, "en"):
        written += piece.count("ord")
        assert given_ - written <= restoration.LONG / 5 + 1000 + stream.window
    assert written == given_ == 100_000
    assert max(stream.asked) <= stream.window


def test_no_more_lines_are_held_than_are_labelled_together() -> None:
    asked = 0

    def counted() -> Iterator[str]:
        nonlocal asked
        for _ in range(3 * LINES):
            asked += 1
            yield "one line"

    next(lines(counted(), Neighbours(), "en"))
    assert asked == LINES


def test_a_word_behind_the_end_of_a_sentence_has_a_capital() -> None:
    found = joined([Label("."), Label(""), Label("", "upper")], before=Label("?"))
    assert [label.case for label in found] == ["capital", "capital", "upper"]


def test_empty_lines_stay() -> None:
    assert "".join(flowing(["\n\n  \n", "a\n", "\n"], Neighbours(), "en")) == "\n\n  \nA.\n\n"
    assert "".join(flowing([], Neighbours(), "en")) == ""


def test_the_margin_lies_inside_the_smallest_window() -> None:
    assert Neighbours().window > 2 * MARGIN
