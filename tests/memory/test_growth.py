from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.growth import Growth
from lowvox.types import Footprint
from replicas.standins import MB

WORK = 20 * MB


def new(size: int = 100 * MB, work: int = WORK) -> Growth:
    growth = Growth(Footprint(size, 0, work, 1.0))
    growth.begin(size)
    return growth


def test_what_it_held_when_it_was_new_is_no_growth() -> None:
    large = new(400 * MB, work=1)
    assert not large.grown(420 * MB)
    assert large.grown(420 * MB + 1)
    small = new(10 * MB, work=1)
    assert not small.grown(13 * MB)
    assert small.grown(13 * MB + 1)
    assert small.add(14 * MB)
    assert not small.add(12 * MB)


def test_what_its_work_takes_may_stay_in_its_heap() -> None:
    assert not new().add(120 * MB)
    assert new().add(120 * MB + 1)
    unmeasured = new(work=0)
    assert not unmeasured.add(150 * MB)
    assert unmeasured.add(150 * MB + 1)


def test_a_look_is_worth_its_time_when_the_work_does_not_explain_it() -> None:
    assert not new().suspect(105 * MB + WORK // 2)
    assert new().suspect(105 * MB + WORK // 2 + 1)
    assert not new(work=0).suspect(130 * MB)


def test_another_stream_raises_the_bar_and_a_new_process_sets_it() -> None:
    growth = new(10 * MB, work=1)
    growth.add(11 * MB)
    growth.begin(20 * MB)
    assert not growth.grown(23 * MB)
    growth.add(20 * MB)
    growth.begin(19 * MB)  # another stream, in a process that gave something back
    assert not growth.grown(23 * MB)
    growth.begin(10 * MB)
    assert growth.grown(14 * MB)


@given(st.lists(st.integers(-60_000, 60_000), min_size=60, max_size=60))
def test_what_only_goes_up_and_down_stays(noise: list[int]) -> None:
    growth = new()
    assert not any(growth.add(100 * MB + size) for size in noise)


@given(st.integers(70_000, 500_000), st.lists(st.integers(-500, 500), min_size=60, max_size=60))
def test_what_grows_steadily_is_replaced_before_it_is_large(step: int, noise: list[int]) -> None:
    growth = new(400 * MB)
    replaced = [growth.add(400 * MB + job * step + error) for job, error in enumerate(noise)]
    assert replaced.index(True) < 40


def test_a_slope_is_not_trusted_at_once() -> None:
    growth = new(400 * MB)
    assert not any(growth.add(400 * MB + job * 200_000) for job in range(23))
    assert growth.add(400 * MB + 23 * 200_000)
