"""The gate: what passes, what fails, and what is within the spread of the measurement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.shrink.trials.gate import judge
from lowvox.shrink.trials.variant import Quality, Row, Verdict

FIRST = Row(
    variant="fp32",
    batch=1,
    provider="cpu",
    threads=1,
    size_mb=40.0,
    load_s=0.1,
    first_output_s=0.1,
    run_s=0.1,
    spread_s=(0.09, 0.11),
    rtf=None,
    peak_rss_mb=200.0,
    peak_uss_mb=180.0,
    runs=100,
)
BETTER = replace(
    FIRST, variant="int8", size_mb=10.4, run_s=0.04, spread_s=(0.035, 0.045), peak_rss_mb=120.0, distance_db=31.0
)


def outcome(verdict: Verdict) -> dict[str, bool | None]:
    return {check.name: check.passed for check in verdict.checks}


def sentence(verdict: Verdict, name: str) -> str:
    return next(check.sentence for check in verdict.checks if check.name == name)


def rated(low: float, high: float, count: int = 200) -> Row:
    return replace(BETTER, quality=Quality("wer", 9.0, 7.0, 11.0, count, "ears", (low, high)))


def test_what_is_smaller_faster_and_as_good_passes() -> None:
    verdict = judge([FIRST], [BETTER])
    assert verdict.passed
    assert outcome(verdict) == {"disk": True, "peak": True, "speed": True, "quality": True}
    assert sentence(verdict, "disk") == "Smaller on disk: 10.40 MB instead of 40.00 (0.26 x)."
    assert sentence(verdict, "speed") == "Faster: 40 ms instead of 100 (0.40 x)."


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"size_mb": 41.0}, "disk", "Larger on disk"),
        ({"peak_rss_mb": 260.0}, "peak", "Larger at the peak: 260 MB instead of 200 (1.30 x)."),
        ({"run_s": 0.2, "spread_s": (0.19, 0.21)}, "speed", "Slower: 200 ms instead of 100 (2.00 x)."),
        ({"distance_db": 12.0}, "quality", "Too far: its output is 12.0 dB"),
    ],
)
def test_each_failure_fails_alone(change: dict[str, float], name: str, said: str) -> None:
    verdict = judge([FIRST], [replace(BETTER, **change)])  # type: ignore[arg-type]
    assert not verdict.passed
    assert [check for check, passed in outcome(verdict).items() if passed is False] == [name]
    assert said in sentence(verdict, name)


def test_the_same_again_is_neither_a_success_nor_a_failure() -> None:
    again = replace(FIRST, variant="again", peak_rss_mb=202.0, run_s=0.105, spread_s=(0.1, 0.12))
    verdict = judge([FIRST], [again])
    assert set(outcome(verdict).values()) == {None}
    assert verdict.passed
    assert sentence(verdict, "speed").startswith("As fast: 105 ms")
    assert "it was not measured" in sentence(verdict, "quality")


def test_one_batch_that_is_worse_fails_and_is_named() -> None:
    eight = [replace(row, batch=8) for row in (FIRST, BETTER)]
    verdict = judge([FIRST, eight[0]], [BETTER, replace(eight[1], peak_rss_mb=300.0)])
    assert outcome(verdict)["peak"] is False
    assert sentence(verdict, "peak").startswith("Larger at the peak at batch 8: 300 MB")
    assert sentence(verdict, "speed").startswith("Faster at batch 1:")
    with pytest.raises(ValueError, match="no batch"):
        judge([FIRST], [eight[1]])


def test_processor_time_goes_before_the_clock_where_one_thread_works() -> None:
    first = replace(FIRST, cpu_s=0.1, cpu_spread_s=(0.09, 0.11))
    slower = replace(BETTER, cpu_s=0.2, cpu_spread_s=(0.19, 0.21))
    assert outcome(judge([first], [slower]))["speed"] is False
    with_threads = [replace(row, threads=2) for row in (first, slower)]
    assert outcome(judge(with_threads[:1], with_threads[1:]))["speed"] is True


def test_words_go_before_decibels() -> None:
    assert outcome(judge([FIRST], [replace(rated(-0.4, 0.5), distance_db=3.0)]))["quality"] is True
    assert outcome(judge([FIRST], [rated(0.51, 2.0)]))["quality"] is False
    assert outcome(judge([FIRST], [rated(0.51, 2.0)], margin=2.0))["quality"] is True


def test_a_few_inputs_prove_nothing_but_may_disprove() -> None:
    few = judge([FIRST], [rated(0.0, 0.0, count=29)])
    assert outcome(few)["quality"] is None
    assert "too few to tell, give it at least 30" in sentence(few, "quality")
    assert outcome(judge([FIRST], [rated(0.0, 0.0, count=30)]))["quality"] is True
    assert outcome(judge([FIRST], [rated(5.0, 9.0, count=3)]))["quality"] is False


def test_undecided_says_how_much_more_it_takes() -> None:
    verdict = judge([FIRST], [rated(-1.0, 1.0)])
    assert outcome(verdict)["quality"] is None
    assert verdict.passed
    # Half of the interval's width has to fit: four times as many.
    assert "about 600 more inputs would tell" in sentence(verdict, "quality")
    assert "no number of inputs" in sentence(judge([FIRST], [rated(-0.5, 1.5)]), "quality")


@given(st.floats(-50, 50), st.floats(0, 50))
def test_an_interval_is_on_one_side_or_undecided(low: float, width: float) -> None:
    passed = outcome(judge([FIRST], [rated(low, low + width)]))["quality"]
    assert passed is (True if low + width <= 0.5 else False if low > 0.5 else None)
