"""The front of peak against speed, against what it promises."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.front import SAME_PEAK, Way, by_threads, front
from lowvox.types import Profile

ways = st.builds(
    Way,
    st.builds(
        Profile,
        st.sampled_from(["default", "no-arena", "apart"]),
        st.integers(1, 3),
        st.sampled_from([None, 16, 32]),
    ),
    st.integers(1, 2000),
    st.floats(0.001, 10),
)
lists = st.lists(ways, min_size=1, max_size=12, unique_by=lambda way: way.profile)
tolerances = st.floats(0, 0.5)


def way(name: str, peak: int, rtf: float, threads: int = 1) -> Way:
    return Way(Profile(name, threads), peak, rtf)


@given(lists, tolerances)
def test_each_is_smaller_than_all_before_it_and_slower(found: list[Way], tolerance: float) -> None:
    best = front(found, tolerance)
    assert set(best) <= set(found)
    for faster, smaller in pairwise(best):
        assert smaller.peak < faster.peak * (1 - SAME_PEAK)
        assert smaller.rtf > faster.rtf


@given(lists, tolerances)
def test_whoever_is_not_on_it_is_no_better_than_one_who_is(found: list[Way], tolerance: float) -> None:
    best = front(found, tolerance)
    for other in found:
        assert any(
            one.rtf <= other.rtf * (1 + tolerance) * (1 + 1e-9) and one.peak <= other.peak * (1 + SAME_PEAK) ** 2
            for one in best
        )


@given(lists, tolerances)
def test_the_first_is_as_fast_as_the_fastest(found: list[Way], tolerance: float) -> None:
    assert front(found, tolerance)[0].rtf <= min(one.rtf for one in found) * (1 + tolerance)


@given(lists, tolerances, st.integers(1, 3))
def test_the_best_of_fewer_threads_are_kept_too(found: list[Way], tolerance: float, threads: int) -> None:
    def within(some: list[Way]) -> list[Way]:
        return [one for one in some if one.profile.threads == threads]

    kept = [one for one in found if one in by_threads(found, tolerance)]
    assert front(within(kept), tolerance) == front(within(found), tolerance)


def test_a_time_within_the_noise_is_equal_and_the_smaller_peak_wins() -> None:
    usual, small, slow = way("default", 1000, 0.100), way("small", 900, 0.104), way("slow", 700, 0.2)
    assert front([usual, small, slow], 0.05) == (small, slow)
    assert front([usual, small, slow], 0.01) == (usual, small, slow)


def test_of_equal_ways_the_first_stays() -> None:
    usual, other = way("default", 1000, 0.100), way("other", 995, 0.0999)
    assert front([usual, other], 0.02) == (usual,)


def test_nothing_has_no_front() -> None:
    assert front([], 0.1) == by_threads([], 0.1) == ()
