"""How long F5 speaks: pace, room and chunks, for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.f5.plan import HOP, LONGEST, RATE, chunks, pace, size
from lowvox.errors import UsageError

SAID = "xin chào các bạn, tôi là người máy. "
texts = st.one_of(st.text(), st.text("ab cđế.,!?。 ", min_size=50, max_size=2000), st.just("x" * 5000))


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("abc", 3), ("đế", 5), ("a.", 5), ("a...", 13), ("a, b! c?", 17), ("好。", 9)]
)
def test_marks_are_counted_one_by_one(text: str, length: int) -> None:
    assert size(text) == length


def test_a_text_like_that_of_the_reference_takes_as_long() -> None:
    found = pace(5 * RATE, SAID)
    assert found.frames == 5 * RATE // HOP + 1
    assert found.frames_for(SAID) == 2 * found.frames
    assert pace(5 * RATE, SAID, rate=2).frames_for(SAID) == found.frames + -(-found.frames // 2)


def test_a_short_text_takes_a_second() -> None:
    found = pace(5 * RATE, SAID)
    assert found.frames_for("à") - found.frames == RATE // HOP


@given(st.integers(RATE // 2, 30 * RATE), st.text("xyế ,.", min_size=1, max_size=200), st.floats(0.5, 4), texts)
def test_whatever_is_said_fits(samples: int, said: str, rate: float, text: str) -> None:
    try:
        found = pace(samples, said, rate, 40.0)
    except UsageError:
        return
    for chunk in chunks(text, found.most):
        frames = found.frames_for(chunk)
        assert found.frames + RATE // HOP <= frames <= min(LONGEST, 40 * RATE // HOP)
        assert len(said + chunk) <= frames  # the characters are laid along the frames
        assert frames - found.frames >= found.frames * size(chunk) / found.said / rate - 1e-6 or len(chunk) == 1


@given(texts, st.integers(8, 300))
def test_chunks_hold_all_of_the_text_in_order(text: str, most: int) -> None:
    found = list(chunks(text, most))
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(chunk and chunk == chunk.strip() for chunk in found)
    assert all(size(chunk) <= most for chunk in found)


@given(st.text("ab. ,", max_size=800))
def test_only_what_is_long_is_cut(text: str) -> None:
    assert list(chunks(text, 10_000)) == ([text.strip()] if text.strip() else [])


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One two. Three four, five six seven.", "One two. Three four,"),
        ("One two three four. Five, six seven.", "One two three four."),
        ("'One two three!' 'Four,' she five six.", "'One two three!'"),
        ("Three is not 3.14 and it is not 4,15 at all.", "Three is not 3.14 and it is"),
        ("一二三四五。六七八九十一二三四五", "一二三四五。"),
        ("a" * 100, "a" * 40),
    ],
)
def test_where_text_is_cut(text: str, first: str) -> None:
    assert next(chunks(text, 40)) == first


def test_no_crumb_is_left_and_no_letter_is_cut_from_its_accent() -> None:
    assert [len(chunk) for chunk in chunks("word " * 21, 100)] == [59, 44]
    assert next(chunks("e\u0301" * 60, 100)).endswith("\u0301")


def test_a_hundred_thousand_characters_without_a_space() -> None:
    found = list(chunks("x" * 100_000, 150))
    assert sum(map(len, found)) == 100_000
    assert len(found) <= 668


@pytest.mark.parametrize(
    ("seconds", "chunk_s", "longest", "told"),
    [
        (13.5, 15.0, LONGEST, r"13.5 s long and may be at most 13.0 .*or raise max_chunk_duration"),
        (7.0, 8.0, LONGEST, r"at most 6.0 "),
        (45.0, 60.0, LONGEST, r"at most 41.7 .*the model takes no more"),
        (5.0, 60.0, 500, r"at most 3.3 .*the model takes no more"),
    ],
)
def test_a_reference_that_leaves_no_room(seconds: float, chunk_s: float, longest: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        pace(round(seconds * RATE), SAID * 5, 1.0, chunk_s, longest)


@pytest.mark.parametrize("said", ["a", SAID * 30])
def test_a_transcript_of_something_else(said: str) -> None:
    with pytest.raises(UsageError, match="give the words of the recording"):
        pace(5 * RATE, said)
