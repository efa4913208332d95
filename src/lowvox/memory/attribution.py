"""Who holds which bytes: a process tree's PSS as lines that add up to it, what nobody accounts for among them.

Models in workers are measured, for the process is theirs. What lies in lowvox's own process cannot be told apart by
measuring: there, lowvox itself and each model are counted by their footprints, and the rest is unattributed. Where the
process holds less than its footprints say (pages shared with other programs count in part, others lie in swap), all of
them are cut in proportion, so that no line is below zero. Reads no process itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lowvox.types import Holding, Usage

BASE = "lowvox itself"
UNATTRIBUTED = "unattributed"
# Whoever looks shares pages with what it looks at: so little is not worth a word.
_NOTICED = 1.05


@dataclass(frozen=True, slots=True)
class Line:
    """So many bytes of PSS belong to this; `cut` where footprints are clearly larger than what is there."""

    name: str
    bytes: int
    holding: Holding | None = None
    cut: bool = False


def attribute(
    usages: Mapping[int, Usage], holdings: Sequence[Holding], base: int, root: int | None = None
) -> tuple[Line, ...]:
    """Return lowvox itself, a line for each holding in their order, and the rest, which is always the last line.

    `usages` are those of a whole tree; `root` is lowvox's own process, by default the first; `base` is its footprint
    before anything was loaded. The bytes add up to the tree's PSS.
    """
    root = next(iter(usages)) if root is None else root
    weights = [base, *(holding.bytes for holding in holdings)]
    homes = [root, *(root if holding.pid is None else holding.pid for holding in holdings)]
    found = [0] * len(weights)
    cut = False
    for home in dict.fromkeys(homes):
        tenants = [i for i, where in enumerate(homes) if where == home]
        room = max(0, usages[home].pss) if home in usages else 0
        shares = [weights[i] for i in tenants]
        if home == root:
            cut = sum(shares) > _NOTICED * room
        if home != root or sum(shares) > room:
            shares = apportion(room, shares)
        for i, share in zip(tenants, shares, strict=True):
            found[i] = share
    rest = sum(max(0, usage.pss) for usage in usages.values()) - sum(found)
    lines = [
        Line(holding.model, size, holding, cut and home == root)
        for holding, size, home in zip(holdings, found[1:], homes[1:], strict=True)
    ]
    return (Line(BASE, found[0], cut=cut), *lines, Line(UNATTRIBUTED, rest))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` in whole numbers by weight, so that the shares add up to it; without any weight, evenly."""
    weights = weights if sum(weights) else [1] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    most_cut = sorted(range(len(weights)), key=lambda i: total * weights[i] % whole, reverse=True)
    for i in most_cut[: total - sum(shares)]:
        shares[i] += 1
    return shares
