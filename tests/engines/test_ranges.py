"""`engines.ranges`: what is out of its range is refused with the range."""

from __future__ import annotations

import pytest

from lowvox.engines import ranges
from lowvox.errors import UsageError


def test_what_is_in_its_range_or_the_voices_own_is_taken() -> None:
    ranges.check(ranges.VITS, rate=0.5, volume=2.0, noise=None, noise_w=0.0)


@pytest.mark.parametrize("value", [0.49, 4.01, -1.0, float("nan")])
def test_what_is_not_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=r"The rate must be from 0\.5 to 4, not "):
        ranges.check(ranges.SPOKEN, rate=value)
