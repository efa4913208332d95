"""Reference cycles: what only the collector would free, and who holds it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory import cycles
from lowvox.memory.cycles import Cycle, find


class Node:
    def __init__(self, other: object = None) -> None:
        self.other = other


class Loop:
    __slots__ = ("__weakref__", "me")

    def __init__(self) -> None:
        self.me = self


class Secretive:
    def __init__(self) -> None:
        self.me = self

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        raise RuntimeError("mine")


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    """What other tests left behind is gone, and the collector does not come round by itself."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def pair() -> tuple[Node, Node]:
    first = Node()
    second = Node(first)
    first.other = second
    return first, second


def mine(found: list[Cycle]) -> list[Cycle]:
    return [cycle for cycle in found if any(__name__ in name for name in cycle.types)]


def test_what_nobody_reaches_is_found_once_and_freed() -> None:
    pair()
    (cycle,) = mine(find())
    assert cycle.types.count(f"{__name__}.Node") == 2
    assert any(holder in (f"{__name__}.Node.other", "dict.other") for holder in cycle.holders)
    assert cycle.size > 0
    assert mine(find()) == []
    assert gc.garbage == []
    assert gc.get_debug() == 0


def test_what_hangs_on_a_cycle_is_no_part_of_it() -> None:
    first, _ = pair()
    first.more = Node(Node())  # type: ignore[attr-defined]
    del first, _
    (cycle,) = mine(find())
    assert cycle.types.count(f"{__name__}.Node") == 2


def test_what_is_still_in_use_is_not_taken() -> None:
    kept = pair()
    assert mine(find()) == []
    assert kept[0].other is kept[1]


def test_an_object_that_refers_to_itself() -> None:
    Loop()
    (cycle,) = mine(find())
    assert (cycle.types, cycle.holders) == ((f"{__name__}.Loop",), (f"{__name__}.Loop",))


def test_a_class_may_hide_its_attributes() -> None:
    Secretive()
    (cycle,) = mine(find())
    assert f"{__name__}.Secretive" in cycle.types


def test_of_given_objects() -> None:
    first, second = pair()
    alone = Node(first)  # leads to the cycle and is no part of it
    assert find([alone]) == []
    (cycle,) = find([first, alone])
    assert cycle.types.count(f"{__name__}.Node") == 2
    assert find([first]) == find([second])
    assert find([]) == []


def test_a_method_and_a_closure_are_followed() -> None:
    thing = Node()
    thing.other = lambda: thing
    (cycle,) = find([thing])
    assert {"function", "cell", "tuple"} <= set(cycle.types)


def test_what_everything_refers_to_is_no_cycle() -> None:
    """Types, modules and the variables of a module refer to all that they know; an instance refers to them all."""
    thing = Node(test_what_everything_refers_to_is_no_cycle)
    thing.module = cycles  # type: ignore[attr-defined]
    globals()["_kept"] = thing
    try:
        assert find([thing]) == []
    finally:
        del globals()["_kept"]


def test_a_search_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycles, "_FARTHEST", 2)
    chain = Node()
    chain.other = Node(Node(Node(chain)))
    assert find([chain]) == []


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4), max_size=13))
def test_circles_are_the_nodes_that_reach_themselves(drawn: dict[int, list[int]]) -> None:
    edges = {node: drawn.get(node, []) for node in range(13)}
    reach = {node: set(others) for node, others in edges.items()}
    for _ in edges:
        reach = {node: set().union(others, *(reach[other] for other in others)) for node, others in reach.items()}
    expected = {frozenset(b for b in edges if b in reach[a] and a in reach[b]) for a in edges if a in reach[a]}
    found = list(cycles._circles(edges))
    assert {frozenset(members) for members in found} == expected
    assert len(found) == len(expected)
