"""Print to labels and back, and what is counted of them."""

from __future__ import annotations

from lowvox.shrink.trials.marked import counts, paragraphs
from lowvox.text.marks import write
from lowvox.types import Label

TEXT = "Is Jean-Paul from the USA? No, he “only” reads IBM papers."


def test_marks_and_capitals_become_labels() -> None:
    (words,) = paragraphs([TEXT])
    assert [word for word, _ in words] == [
        "is",
        "jean-paul",
        "from",
        "the",
        "usa",
        "no",
        "he",
        "only",
        "reads",
        "ibm",
        "papers",
    ]
    by_word = dict(words)
    assert by_word["usa"] == Label("?", "upper")
    assert by_word["no"] == Label(",", "capital")
    assert by_word["jean-paul"].case == "parts"
    assert by_word["papers"] == Label(".")
    assert " ".join(write(*word, "en") for word in words) == "Is Jean-Paul from the USA? No, he only reads IBM papers."


def test_texts_are_joined_to_paragraphs() -> None:
    found = list(paragraphs(["one two three."] * 40))
    assert [len(each) for each in found] == [42, 42, 36]
    assert list(paragraphs(["—", ""])) == []


def test_counts_are_right_found_and_there() -> None:
    truth = [Label(",", "capital"), Label("."), Label("", "upper"), Label("?")]
    found = [Label(",", "capital"), Label(","), Label("", "capital"), Label("?")]
    assert counts(truth, found) == [1, 2, 1, 0, 0, 1, 1, 1, 1, 1, 2, 2]
