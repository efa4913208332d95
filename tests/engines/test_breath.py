"""`engines.breath`: long sentences in parts that are short enough, with nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.breath import parts

TEXT = st.text(st.sampled_from("abc ,.;"), max_size=200)


@given(TEXT, st.integers(1, 50))
def test_no_part_counts_more_and_nothing_is_lost(text: str, most: int) -> None:
    found = list(parts(text, len, most))
    assert "".join(found) == text
    assert all(len(part) <= most for part in found)


@given(st.lists(st.sampled_from(["aɪ", " ", "n"]), min_size=1), st.integers(1, 20))
def test_phonemes_are_cut_between_each_other(sounds: list[str], most: int) -> None:
    found = list(parts(sounds, lambda some: 2 * len(some) + 3, most))
    assert [sound for part in found for sound in part] == sounds
    assert all(2 * len(part) + 3 <= most or len(part) == 1 for part in found)


def test_what_is_short_enough_stays_whole() -> None:
    assert list(parts("one, two, three", len, 15)) == ["one, two, three"]
    assert list(parts("", len, 1)) == [""]


def test_it_breathes_at_marks_before_spaces() -> None:
    assert list(parts("one two three, four five", len, 20)) == ["one two three,", " four five"]
    assert list(parts("one two three four", len, 15)) == ["one two ", "three four"]
    assert list(parts("a, onetwothreefour", len, 15)) == ["a, onetwo", "threefour"]
