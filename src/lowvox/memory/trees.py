"""What this process tree holds beside the other lowvox of this user, and the budget that they share.

Trees that share a budget (the settings state it) reserve before they load. Under one lock, what all of them have
reserved is never more than the smallest of their budgets; a process that dies gives its part back at that moment. Who
does not get enough leaves a wish, so that the others may evict what is idle. A tree with a private budget, or with a
cache folder that cannot be written, is seen by `lowvox ps` at most: it promises nothing to others, nor they to it.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from lowvox.memory import running
from lowvox.memory.running import Claim, TreeState

if TYPE_CHECKING:
    from collections.abc import Callable

    from lowvox.types import Holding

# A wish that is not repeated is forgotten: who had it may have given up.
WISH_S = 10.0
_IDS = count(1)


class Tree:
    """One manager's claim in the file of this process. Safe to use from several threads.

    `clock` gives seconds since 1970; `on_note` is told, once, in a sentence when nothing can be shared.
    """

    def __init__(self, clock: Callable[[], float] = time.time, on_note: Callable[[str], None] = lambda _: None) -> None:
        self._clock = clock
        self._note = on_note
        self._said = False
        self._pid = os.getpid()
        self._id = str(next(_IDS))
        self._claim = Claim(when=0)  # of which nobody has been told

    def reserve(self, bytes: int, budget_bytes: int) -> int:  # noqa: A002  # the word of the whole package
        """Reserve so many bytes in all for this manager, what it has already among them; fewer gives the rest back.

        Returns 0, or how many bytes are missing: then the others are asked to make room, until `WISH_S` seconds after
        the last try. Where nothing can be shared it returns 0 and says so once.
        """
        missing = 0

        def claim(now: Claim, others: int, budget: int | None) -> Claim:
            nonlocal missing
            limit = min(budget_bytes, budget or budget_bytes)
            missing = max(0, others + bytes - limit)
            if not missing:
                return replace(now, reserved=bytes, wanted=0, budget=budget_bytes, shared=True)
            # No eviction by others helps a wish beyond the whole budget.
            wanted = missing if bytes <= limit else 0
            return replace(now, reserved=min(bytes, now.reserved), wanted=wanted, asked=self._clock())

        return missing if self._change(claim) else 0

    def wanted(self) -> int:
        """Return how many bytes others would like to have, all wishes together."""
        recent = self._clock() - WISH_S
        return sum(
            claim.wanted
            for state in running.read()
            for name, claim in state.claims.items()
            if claim.asked > recent and (state.pid, name) != (self._pid, self._id)
        )

    def publish(self, *, budget: int | None = None, base: int = 0, holdings: tuple[Holding, ...] = ()) -> None:
        """Tell everybody what this manager holds; writes nothing where only time has passed."""

        def claim(now: Claim, *_: object) -> Claim:
            limit = now.budget if now.shared else budget
            return replace(now, when=self._clock(), budget=limit, base=base, holdings=holdings)

        if _timeless(claim(self._claim)) != _timeless(self._claim):
            self._change(claim)

    def others(self) -> tuple[TreeState, ...]:
        """Return what the other trees that run have told."""
        return tuple(state for state in running.read() if state.pid != self._pid)

    def close(self) -> None:
        """Give everything back and remove the claim; may be called twice."""
        if self._claim.when:
            self._change(lambda *_: None)

    def _change(self, change: Callable[[Claim, int, int | None], Claim | None]) -> bool:
        """Replace the claim by what `change` makes of it, the others' reserved bytes and their smallest budget."""
        if os.getpid() != self._pid:  # a forked child: the claim stays its parent's
            return True
        try:
            with running.exclusive():
                running.sweep()
                own, others = self._split(running.read())
                sharing = [claim for state in others for claim in state.claims.values() if claim.shared]
                budget = min((claim.budget for claim in sharing if claim.budget), default=None)
                now = replace(self._claim, when=self._claim.when or self._clock())
                claim = change(now, sum(claim.reserved for claim in sharing), budget)
                running.write(replace(own, claims=own.claims | ({self._id: claim} if claim else {})))
                self._claim = claim or Claim(when=0)
        except OSError as error:
            self._say(error)
            return False
        return True

    def _split(self, states: tuple[TreeState, ...]) -> tuple[TreeState, list[TreeState]]:
        """Return this process without this manager's claim, and all that counts as others, managers here too."""
        here = next((state for state in states if state.pid == self._pid), None) or running.fresh()
        own = replace(here, claims={name: claim for name, claim in here.claims.items() if name != self._id})
        return own, [own, *(state for state in states if state.pid != self._pid)]

    def _say(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            self._note(
                f"Other lowvox processes cannot see what this one holds, so no budget is shared with them: "
                f"{running.folder()} cannot be used ({error.strerror or error}). Free some space there or set "
                "LOWVOX_HOME to another folder."
            )


def _timeless(claim: Claim) -> Claim:
    """Return a claim without what changes while nothing happens."""
    return replace(claim, when=0, holdings=tuple(replace(holding, idle_s=0) for holding in claim.holdings))
