"""Cues keep every promise for any segments, however wrong their times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.report.cues import LINES, LONGEST_MS, WIDTH, cues
from lowvox.types import Segment, Word

seconds = st.floats(-10, 500_000, allow_nan=False)
writing = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    """A segment with words for its text, for another text, or none; times in any order."""
    text = draw(writing)
    spoken = draw(st.sampled_from([text.split(), draw(writing).split(), []]))
    words = tuple(Word(draw(seconds), draw(seconds), word.lower()) for word in spoken)
    return Segment(draw(seconds), draw(seconds), text, words)


@given(st.lists(segments(), max_size=4))
def test_every_promise_holds_for_any_segments(given_segments: list[Segment]) -> None:
    found = list(cues(given_segments))
    shown_until = 0
    for cue in found:
        assert shown_until <= cue.start < cue.end <= cue.start + LONGEST_MS
        assert 1 <= len(cue.lines) <= LINES
        assert all(0 < len(line) <= WIDTH for line in cue.lines)
        shown_until = cue.end
    shown = "".join(line for cue in found for line in cue.lines)
    assert "".join(shown.split()) == "".join("".join(segment.text for segment in given_segments).split())


def test_words_are_kept_whole_and_lines_filled() -> None:
    text = "The quick brown fox jumps over the lazy dog and then it sleeps in the warm sun until the evening comes."
    words = tuple(Word(i * 0.3, i * 0.3 + 0.2, word) for i, word in enumerate(text.split()))
    found = list(cues([Segment(0, 6.2, text, words)]))
    assert [cue.lines for cue in found] == [
        ("The quick brown fox jumps over the lazy", "dog and then it sleeps in the warm sun"),
        ("until the evening comes.",),
    ]
    assert [(cue.start, cue.end) for cue in found] == [(0, 5000), (5100, 6200)]


def test_punctuated_text_takes_the_times_of_its_words() -> None:
    segment = Segment(9, 99, "Yes, Peter.", (Word(10, 10.5, "yes"), Word(11, 12, "peter")))
    assert [(cue.start, cue.end, cue.text) for cue in cues([segment])] == [(10_000, 12_000, "Yes, Peter.")]


def test_another_number_of_words_shares_the_segment_out_by_characters() -> None:
    # 100 characters in 10 seconds; the first two lines together would stand for 8.4 s.
    segment = Segment(10, 20, f"{'a' * 42} {'b' * 42} {'c' * 16}", (Word(0, 1, "twenty"),))
    assert [(cue.start, cue.end) for cue in cues([segment])] == [(10_000, 14_200), (14_200, 20_000)]


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_segment_without_text_shows_nothing(text: str) -> None:
    assert list(cues([Segment(0, 5, text, (Word(0, 5, "uh"),))])) == []


def test_long_speech_is_split_by_time() -> None:
    words = tuple(Word(i * 4.0, i * 4.0 + 1, "well") for i in range(4))
    found = list(cues([Segment(0, 13, "well well well well", words)]))
    assert [(cue.start, cue.end) for cue in found] == [(0, 5000), (8000, 13_000)]


def test_a_word_longer_than_a_line_is_cut_and_keeps_its_time() -> None:
    found = list(cues([Segment(0, 2, "x" * 100, (Word(0, 2, "x" * 100),))]))
    assert [tuple(map(len, cue.lines)) for cue in found] == [(42, 42), (16,)]
    assert (found[0].start, found[-1].end) == (0, 2000)
