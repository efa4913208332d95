"""Whatever is held and measured, the lines add up to the tree's PSS."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory.attribution import BASE, UNATTRIBUTED, apportion, attribute
from lowvox.types import Holding, Usage

sizes = st.integers(0, 2**40)
pids = st.integers(1, 6)


def usage(pss: int) -> Usage:
    return Usage(pss, pss, pss, pss)


def holding(model: str, pid: int | None, size: int) -> Holding:
    placement = "in-process" if pid is None else "worker"
    return Holding(model, "vad", placement, pid, "idle", size, size, 1, 0, 0.0, 3600.0, False)  # type: ignore[arg-type]


holdings = st.lists(st.builds(holding, st.sampled_from("abc"), st.none() | pids, sizes), max_size=8)


@given(st.dictionaries(pids, st.builds(usage, sizes), min_size=1), holdings, sizes)
def test_the_lines_add_up_exactly(usages: dict[int, Usage], held: list[Holding], base: int) -> None:
    lines = attribute(usages, held, base)
    assert sum(line.bytes for line in lines) == sum(one.pss for one in usages.values())
    assert all(line.bytes >= 0 for line in lines)
    assert [line.name for line in lines] == [BASE, *(one.model for one in held), UNATTRIBUTED]
    assert [line.holding for line in lines[1:-1]] == held


@given(st.integers(0, 2**50), st.lists(sizes, min_size=1, max_size=9))
def test_shares_add_up_and_are_fair(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == total
    if sum(weights):
        whole = sum(weights)
        assert all(abs(share * whole - total * one) < whole for share, one in zip(shares, weights, strict=True))


def test_workers_are_measured_models_inside_are_estimated() -> None:
    usages = {10: usage(50), 11: usage(90), 12: usage(7)}
    lines = attribute(usages, [holding("a", None, 15), holding("b", 11, 130)], 30)
    assert [(line.name, line.bytes) for line in lines] == [(BASE, 30), ("a", 15), ("b", 90), (UNATTRIBUTED, 5 + 7)]
    assert not any(line.cut for line in lines)


def test_footprints_larger_than_the_process_are_cut() -> None:
    lines = attribute({10: usage(20), 11: usage(5)}, [holding("a", None, 30), holding("b", 11, 5)], 10)
    assert [(line.bytes, line.cut) for line in lines] == [(5, True), (15, True), (5, False), (0, False)]


def test_a_sliver_is_cut_without_a_word() -> None:
    assert [(line.bytes, line.cut) for line in attribute({10: usage(100)}, [], 104)] == [(100, False), (0, False)]


def test_two_in_one_worker_divide_it_by_footprint() -> None:
    lines = attribute({10: usage(1), 11: usage(90)}, [holding("a", 11, 20), holding("b", 11, 40)], 0)
    assert [line.bytes for line in lines] == [0, 30, 60, 1]


def test_a_worker_that_has_died_holds_nothing() -> None:
    assert [line.bytes for line in attribute({10: usage(8)}, [holding("a", 99, 20)], 3)] == [3, 0, 5]


def test_an_app_with_lowvox_inside_names_its_own_process() -> None:
    assert [line.bytes for line in attribute({1: usage(8), 10: usage(5)}, [], 4, root=10)] == [4, 9]
