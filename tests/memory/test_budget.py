from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.errors import UsageError
from lowvox.memory import meter
from lowvox.memory.budget import Budget


@pytest.mark.parametrize(
    ("text", "mb"),
    [("300 MB", 300), ("300", 300), (300, 300), ("0.5GB", 512), ("1 GiB", 1024), ("2048k", 2), (" 64 mib ", 64)],
)
def test_sizes(text: str | float, mb: float) -> None:
    assert Budget.parse(text).bytes == mb * 2**20


@given(st.integers(1, 10**6), st.sampled_from(["MB", "mb", " MiB", "M", ""]))
def test_megabytes_however_they_are_written(number: int, unit: str) -> None:
    assert Budget.parse(f"{number}{unit}") == Budget(number * 2**20)
    assert Budget.parse(str(Budget(number * 2**20))) == Budget(number * 2**20)


@given(st.text())
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    try:
        assert Budget.parse(text).bytes > 0
    except UsageError as error:
        assert "300MB" in str(error)


@pytest.mark.parametrize("text", ["", "MB", "-3MB", "0", "3 TB", "many", "1e3", "300b", "9" * 400])
def test_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a memory size"):
        Budget.parse(text)


def test_auto_leaves_a_reserve() -> None:
    assert 0 < Budget.parse("auto").bytes < meter.available()


def test_a_budget_is_a_budget() -> None:
    assert Budget.parse(Budget(5)) == Budget(5)
