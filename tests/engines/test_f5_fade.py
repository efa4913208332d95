"""Chunks joined: nothing is lost, no step at a joint, no chunk much quieter than the first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.f5.fade import joined

lengths = st.lists(st.integers(0, 60), min_size=1, max_size=6)


def flat(length: int, level: float = 1000) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.full(length, level, np.float32)


@given(lengths, st.integers(0, 40))
def test_what_is_even_stays_even(sizes: list[int], overlap: int) -> None:
    found = np.concatenate(list(joined(map(flat, sizes), overlap)))
    assert found == pytest.approx(1000)
    lost = sum(sizes) - len(found)
    assert 0 <= lost <= overlap * (len(sizes) - 1)
    assert len(found) >= max(sizes)


def test_each_joint_takes_the_overlap() -> None:
    pieces = list(joined([flat(100), flat(100), flat(100)], 10))
    assert [len(piece) for piece in pieces] == [90, 90, 90, 10]


def test_one_sound_is_left_as_it_is() -> None:
    sound = np.arange(50, dtype=np.float32)
    assert np.array_equal(np.concatenate(list(joined([sound], 10))), sound)
    assert list(joined([], 10)) == []


def test_the_first_piece_comes_before_the_second_sound_is_made() -> None:
    made: list[int] = []

    def sounds() -> object:
        for number in range(3):
            made.append(number)
            yield flat(100)

    pieces = joined(sounds(), 10)  # type: ignore[arg-type]
    next(pieces)
    assert made == [0]


def test_chunks_are_as_loud_as_the_first_within_reason_and_never_fade_away() -> None:
    levels = (1000, 800, 2000, 200, 1000)
    pieces = list(joined([flat(100, level) for level in levels], 0))
    assert [piece[50] for piece in pieces if len(piece)] == pytest.approx([1000, 1000, 1400, 300, 1000], rel=1e-3)
    falling = [np.linspace(2000, 500, 100, dtype=np.float32)] * 20
    *_, last = (piece for piece in joined(falling, 10) if len(piece) > 10)
    assert last.max() == pytest.approx(2000, rel=0.2)


def test_silence_makes_nothing_louder() -> None:
    pieces = list(joined([flat(100, 0), flat(100, 1000), flat(100, 5)], 0))
    assert [piece[50] for piece in pieces if len(piece)] == [0, 1000, 5]
