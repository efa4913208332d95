from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.audio.level import bar, decibels


def test_levels() -> None:
    assert decibels(b"") == decibels(bytes(3200)) == -96
    assert decibels(np.full(1600, -32768, "<i2").tobytes()) == pytest.approx(0)
    assert decibels(np.full(1600, 3277, "<i2").tobytes()) == pytest.approx(-20, abs=0.01)


@given(st.floats(-200, 100), st.integers(1, 40))
def test_a_bar_keeps_its_width(level: float, width: int) -> None:
    assert len(bar(level, width)) == width


def test_bars() -> None:
    assert bar(-60, 4) == "    "
    assert bar(-30, 4) == "██  "
    assert bar(0, 4) == "████"
    assert bar(-37.5, 4) == "█▄  "
