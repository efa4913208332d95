from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.alerts import Alarm
from lowvox.memory.meter import MB

BUDGET = 100 * MB


def kinds(alarm: Alarm, *figures: float) -> list[str]:
    return [alert.kind for size in figures for alert in alarm.check(0, int(size * MB), BUDGET, None)]


def test_near_then_over_each_once() -> None:
    assert kinds(Alarm(), 80, 90, 90.1, 95, 91, 100, 100.1, 120, 101) == ["near", "over"]


def test_a_leap_over_the_budget_is_one_alert() -> None:
    assert kinds(Alarm(), 10, 150, 95) == ["over"]


def test_again_only_after_it_came_down() -> None:
    assert kinds(Alarm(), 91, 86, 91, 84, 91, 101, 99, 101, 84, 101) == ["near", "near", "over", "over"]


def test_without_a_budget_there_is_nothing_to_pass() -> None:
    assert Alarm().check(0, 10**12, None, None) == []


def test_the_sentence_has_the_figures() -> None:
    alarm = Alarm()
    (near,) = alarm.check(3.5, 95 * MB, BUDGET, None)
    (over,) = alarm.check(4.0, 120 * MB, BUDGET, None)
    assert (near.at, near.bytes, near.text) == (3.5, 95 * MB, "lowvox takes 95 MB of its budget of 100 MB.")
    assert over.text == "lowvox takes 120 MB and its budget is 100 MB."


def grown(rests: list[int], attributed: int = 0) -> list[int]:
    """Feed the lowest unattributed MB of each minute, with work above it that comes and goes."""
    alarm = Alarm()
    return [
        alert.bytes // MB
        for minute, rest in enumerate(rests)
        for second, work in ((0, 90), (20, 0), (59, 40))
        for alert in alarm.check(minute * 60 + second, attributed + (rest + work) * MB, None, attributed)
        if alert.kind == "growth"
    ]


def test_growth_that_no_model_accounts_for() -> None:
    assert grown([10, 12, 20, 26, 26, 25, 26]) == []
    assert grown([10, 12, 20, 27, 28, 40, 44, 45]) == [17, 17]
    assert grown([30, 10, 25, 27, 27]) == [17]  # against the least there has been


def test_growth_is_seen_against_what_is_attributed() -> None:
    assert grown([0, 50, 50], attributed=1000 * MB) == []
    assert grown([0, 101, 101], attributed=1000 * MB) == [101]


@given(st.lists(st.tuples(st.floats(0, 1e5), st.integers(0, 2**40)), max_size=60), st.none() | st.integers(1, 2**40))
def test_no_sequence_says_the_same_twice_in_a_row(samples: list[tuple[float, int]], budget: int | None) -> None:
    alarm = Alarm()
    said = ""
    for at, pss in samples:
        if budget and pss < 0.85 * budget:
            said = ""
        for alert in alarm.check(at, pss, budget, None):
            assert alert.kind != said
            assert not (alert.kind == "near" and said == "over")
            said = alert.kind
