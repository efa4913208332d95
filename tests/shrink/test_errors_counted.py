"""Errors counted as jiwer counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.shrink.trials.errors_counted import errors, words

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8)


def test_words_lose_marks_and_capitals() -> None:
    assert words("“Don’t,” he said – 'twice'; on_the 3rd!") == ["don't", "he", "said", "twice", "on", "the", "3rd"]
    assert words("Œuvre über Straße") == ["œuvre", "über", "straße"]


def test_each_kind_of_error_counts_one() -> None:
    assert errors(["the", "old", "cat", "sat"], ["the", "old", "hat", "sat", "down"]) == 2
    assert errors([], ["a"]) == errors(["a"], []) == 1
    assert errors("kitten", "sitting") == 3


@given(WORDS, WORDS)
def test_as_jiwer_counts(truth: list[str], found: list[str]) -> None:
    jiwer = pytest.importorskip("jiwer", reason="needs jiwer to compare with")
    if truth:
        told = jiwer.process_words(" ".join(truth), " ".join(found))
        assert errors(truth, found) == told.substitutions + told.deletions + told.insertions
