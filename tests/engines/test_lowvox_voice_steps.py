"""Steps and the head: what comes in pieces is what comes whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.engines.lowvox_voice.head import HOP, PITCH, RATE, VOICING, WIDTH, Head
from lowvox.engines.lowvox_voice.steps import Steps

LENGTHS = st.lists(st.lists(st.floats(0, 40, width=32), min_size=3, max_size=3), min_size=1, max_size=9)


@given(LENGTHS, st.integers(1, 7))
def test_steps_in_pieces_are_those_of_the_whole(lengths: list[list[float]], size: int) -> None:
    steps = Steps(np.array(lengths, np.float32))
    tokens, where = steps.tokens(0, steps.count), steps.where(0, steps.count)
    cuts = [(begin, min(begin + size, steps.count)) for begin in range(0, steps.count, size)]
    assert np.concatenate([steps.tokens(*cut) for cut in cuts]).tolist() == tokens.tolist()
    assert (np.concatenate([steps.where(*cut) for cut in cuts], 1) == where).all()
    assert (np.diff(tokens) >= 0).all()
    assert 0 <= tokens[0] <= tokens[-1] < len(lengths)
    assert where.min() >= 0
    assert where.max() <= 1
    assert (where[:3].sum(0) == 1).all()


def test_a_token_lasts_as_long_as_it_is_told() -> None:
    steps = Steps(np.array([[4, 4, 4], [2, 10, 2], [0, 0, 0]], np.float32))
    assert steps.count == 14
    assert np.bincount(steps.tokens(0, 14)).tolist() == [6, 7, 1]
    assert steps.where(0, 1)[:, 0].tolist() == pytest.approx([1, 0, 0, 1 / 8, 1 / 40, 7 / 40, 1 / 24, 12 / 60])


def frames(count: int) -> np.ndarray:
    made = np.random.default_rng(0).normal(0, 0.1, (count, WIDTH)).astype(np.float32)
    made[:, PITCH] = np.log(120)
    made[:, VOICING] = np.where(np.arange(count) // 20 % 3, 1, -1)
    made[:, 2:7] = 0.8
    return made


@pytest.mark.parametrize("size", [1, 7, 50])
def test_the_head_says_the_same_however_frames_are_cut(size: int) -> None:
    whole, cut, given = Head(), Head(), frames(100)
    expected = np.concatenate([whole.feed(given), whole.flush()])
    pieces = [cut.feed(given[begin : begin + size]) for begin in range(0, 100, size)]
    assert np.abs(np.concatenate([*pieces, cut.flush()]) - expected).max() < 1e-5
    assert sum(map(len, pieces)) == 99 * HOP
    assert np.isfinite(expected).all()


def test_the_head_pulses_at_the_pitch() -> None:
    given = frames(101)
    given[:, VOICING], given[:, 2:7], given[:, 7:] = 1, 1, 0
    sound = Head().feed(given)[800:-800]
    alike = np.correlate(sound, sound, "full")[sound.size - 1 :]
    assert RATE / (60 + int(alike[60:200].argmax())) == pytest.approx(120, rel=0.02)


def test_a_head_that_heard_nothing_is_silent() -> None:
    assert not Head().flush().size
    assert not Head().feed(frames(1)).size
