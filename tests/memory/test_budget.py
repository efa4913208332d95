from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lowvox.errors import BudgetError, UsageError
from lowvox.memory import pressure
from lowvox.memory.budget import Budget, _check, automatic
from lowvox.memory.meter import MB
from lowvox.memory.pressure import Pressure

SIZES = st.integers(0, 64 * 2**30)


@pytest.mark.parametrize(
    ("text", "mb"),
    [("300 MB", 300), ("300", 300), (300, 300), ("0.5GB", 512), ("1 GiB", 1024), ("2048k", 2), (" 64 mib ", 64)],
)
def test_sizes(text: str | float, mb: float) -> None:
    assert Budget.parse(text).bytes == mb * MB


@given(st.integers(1, 2000), st.sampled_from(["MB", "mb", " MiB", "M", ""]))
def test_megabytes_however_they_are_written(number: int, unit: str) -> None:
    assert Budget.parse(f"{number}{unit}") == Budget(number * MB)
    assert Budget.parse(str(Budget(number * MB))) == Budget(number * MB)


@given(st.text())
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    try:
        assert Budget.parse(text).bytes > 0
    except UsageError as error:
        assert "300MB" in str(error) or "is more than" in str(error)


WRONG = ["", "MB", "-3MB", "0", "0.0 GB", "0.0000001k", "12 parsecs", "3 TB", "many", "1e3", "1e999", "300b", "9" * 400]
NO_NUMBERS: list[str | float] = ["300 MB 5", "٣٠٠", -1, 0, float("nan"), float("inf"), 1e20, 1e-20, True]


@pytest.mark.parametrize("text", [*WRONG, *NO_NUMBERS])
def test_refused(text: str | float) -> None:
    with pytest.raises(UsageError, match=r"not a memory size: write it as 300MB, 1\.5GB or auto") as caught:
        Budget.parse(text)
    assert len(str(caught.value)) < 120


def test_larger_than_the_machine() -> None:
    with pytest.raises(UsageError, match=r"A budget of 9999 GB is more than .* MB\): state less, or `--budget auto`"):
        Budget.parse("9999 GB")
    most = pressure.read().most
    assert Budget.parse(most // MB).bytes <= most
    assert Budget.parse(Budget(2**60)) == Budget(2**60)  # only what a person writes is checked


def test_larger_than_the_container() -> None:
    with pytest.raises(UsageError, match=r"the limit of this container or cgroup allows \(512 MB\)"):
        _check(513 * MB, "513MB", Pressure(4096 * MB, 8192 * MB, 400 * MB, 512 * MB))
    _check(512 * MB, "512MB", Pressure(4096 * MB, 8192 * MB, 400 * MB, 512 * MB))


def test_a_sandbox_that_hides_its_memory_refuses_nothing() -> None:
    _check(2**40, "1024GB", Pressure(0, 0))


def test_auto_leaves_a_reserve() -> None:
    assert 0 < Budget.parse(" AUTO ").bytes < pressure.read().room
    assert automatic(Pressure(2000 * MB, 4096 * MB)) == 1600 * MB
    assert automatic(Pressure(2000 * MB, 4096 * MB, 500 * MB, 512 * MB)) == 400 * MB
    assert automatic(Pressure(300 * MB, 2048 * MB)) == 300 * MB - 2048 * MB // 20


@given(SIZES, SIZES, st.one_of(st.none(), SIZES))
def test_auto_never_asks_for_what_it_would_give_back(available: int, total: int, headroom: int | None) -> None:
    assume(total > 0)
    now = Pressure(available, total, headroom, None if headroom is None else total // 2)
    try:
        taken = automatic(now)
    except BudgetError as error:
        assert "nothing for `--budget auto` to take" in str(error)
        assert error.needed >= error.budget == now.room
        return
    assert 0 < taken <= 0.8 * now.room + 1
    left = None if headroom is None else headroom - taken
    assert pressure.wanted(Pressure(available - taken, total, left, now.limit)) == 0


def test_a_budget_is_a_budget() -> None:
    assert Budget.parse(Budget(5)) == Budget(5)
    assert Budget.parse("5", shared=True).shared
    assert not Budget.parse("5").shared
    assert Budget.parse("5", shared=True) == Budget.parse("5")


def test_as_text() -> None:
    assert [str(Budget(size)) for size in (300 * MB, MB // 2, 1000)] == ["300 MB", "0.5 MB", "0 MB"]
