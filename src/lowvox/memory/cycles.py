"""Reference cycles: objects that refer to each other in a circle, which only Python's collector can free.

Until it comes round they keep what they hold, a model's memory too. Knows no engine and no process.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    # Objects by identity, and what each of them refers to.
    Objects: TypeAlias = dict[int, object]
    Edges: TypeAlias = dict[int, list[int]]

# So many objects are followed from those given; whoever refers to more belongs to a framework.
_FARTHEST = 100_000


@dataclass(frozen=True, slots=True)
class Cycle:
    """Objects of one circle: their types, the bytes of the objects themselves, and which references hold them.

    `types` names each type as often as it occurs; a holder is "Type.attribute", or "Type" where it has no name for it.
    """

    types: tuple[str, ...]
    size: int
    holders: tuple[str, ...]


def find(objects: Iterable[object] | None = None) -> list[Cycle]:
    """Return the cycles that `objects` are part of, or, without them, those that nobody can reach any more.

    The latter are freed by it. It takes the collector's place for a moment, so it belongs into a process that is
    measured and not into a user's; with `objects` it may be called anywhere.
    """
    if objects is None:
        garbage = _unreachable()
        found = [cycle for _, cycle in _cycles({id(thing): thing for thing in garbage})]
        garbage.clear()
        gc.collect()
        return found
    given = {id(thing): thing for thing in objects}
    return [cycle for members, cycle in _cycles(_reachable(given)) if not members.isdisjoint(given)]


def _unreachable() -> list[object]:
    """Collect what nobody can reach, but keep it."""
    flags, known = gc.get_debug(), len(gc.garbage)
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
    finally:
        gc.set_debug(flags)
    garbage = gc.garbage[known:]
    del gc.garbage[known:]
    return garbage


def _reachable(given: Objects) -> Objects:
    """Follow references from objects, but not through what everything refers to: types, modules and running code."""
    found = dict(given)
    waiting = list(given.values())
    while waiting and len(found) < _FARTHEST:
        for thing in gc.get_referents(waiting.pop()):
            if gc.is_tracked(thing) and id(thing) not in found and not _common(thing):
                found[id(thing)] = thing
                waiting.append(thing)
    return found


def _common(thing: object) -> bool:
    if isinstance(thing, dict):
        return "__builtins__" in thing  # a module's variables, to which its functions refer
    return isinstance(thing, type | ModuleType | FrameType)


def _cycles(objects: Objects) -> Iterator[tuple[set[int], Cycle]]:
    """Yield each cycle among the objects, with the identities of its members."""
    edges = {one: [id(thing) for thing in gc.get_referents(objects[one]) if id(thing) in objects] for one in objects}
    for members in _circles(edges):
        holders = {
            _reference(objects[one], objects[other])
            for one, others in edges.items()
            for other in others
            if other in members
        }
        types = sorted(_name(type(objects[one])) for one in members)
        yield members, Cycle(tuple(types), sum(sys.getsizeof(objects[one]) for one in members), tuple(sorted(holders)))


def _circles(edges: Edges) -> Iterator[set[int]]:
    """Yield the groups of nodes that all reach each other (strongly connected: Kosaraju's algorithm)."""
    back: Edges = {one: [] for one in edges}
    for one, others in edges.items():
        for other in others:
            back[other].append(one)
    seen: set[int] = set()
    for root in reversed(_finished(edges)):
        members: set[int] = set()
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                members.add(node)
                waiting += back[node]
        if len(members) > 1 or (members and root in edges[root]):
            yield members


def _finished(edges: Edges) -> list[int]:
    """Return the nodes in the order in which a depth-first search leaves them."""
    order: list[int] = []
    seen: set[int] = set()
    for root in edges:
        waiting = [(root, False)]
        while waiting:
            node, left = waiting.pop()
            if left:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                waiting += [(node, True), *((other, False) for other in edges[node])]
    return order


def _reference(holder: object, thing: object) -> str:
    """Name what refers to a thing: "Type.attribute", or "Type" where the reference has no name."""
    attributes: dict[Any, object] = {}
    if isinstance(holder, dict):
        attributes = holder
    else:
        with suppress(Exception):  # whatever a class makes of its own attributes
            attributes = vars(holder)
    names = (f".{name}" for name, value in list(attributes.items()) if value is thing)
    return _name(type(holder)) + next(names, "")


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
