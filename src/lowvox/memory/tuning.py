"""Tuning: which ways to run a model are the best here, in memory and in speed.

One thing after the other: session profiles, then window sizes of what is left, then numbers of threads; what is left
then is timed again and again in turns, since other work on the machine falls on whoever is at work just then. What a
way takes and how fast it is, it asks `footprint` and `pace`. Knows no budget and stores nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from lowvox.errors import EngineError
from lowvox.memory.front import Way, by_threads, front
from lowvox.types import Choice, Footprint, Model, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lowvox.engines import Entry
    from lowvox.memory.stated import Session

WINDOWS = (16, 32, 64, 128)
# Of a first look, and of the finest that is ever believed.
_FIRST, _FINEST = 0.05, 0.02
# Times that a way is timed at first, and again where it is among the best; what the progress is told of.
_LOOKS, _ROUNDS, _STAGES = 2, 6, 4


@dataclass(frozen=True, slots=True)
class Row:
    """A way as it was measured; `rtfs` are times of its runs over that of the sound, none where it was not timed."""

    choice: Choice
    footprint: Footprint
    rtfs: tuple[float, ...] = ()

    @property
    def rtf(self) -> float | None:
        """The shortest: what else runs on the machine only ever makes work slower."""
        return min(self.rtfs, default=None)

    @property
    def spread(self) -> float:
        """By which share of it the third shortest is longer, as far as there are three."""
        shortest = sorted(self.rtfs)[:3]
        return (shortest[-1] - shortest[0]) / max(shortest[0], 1e-12) if shortest else 0.0

    @property
    def way(self) -> Way:
        """The same as a point of peak and speed, without what the user stated of its sessions."""
        return Way(replace(self.choice.profile, stated=()), self.footprint.peak(), self.rtf or 0.0)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was found: every way that was looked at, the one that is usual, and the best, the fastest first.

    `timed` were timed in turns; their times are equal where they differ by less than the share `tolerance`.
    `elsewhere` are the best in the engine's other placements, not timed. `failed` says what did not work.
    """

    model: Model
    rows: tuple[Row, ...]
    usual: Row
    timed: tuple[Row, ...]
    front: tuple[Row, ...]
    tolerance: float
    elsewhere: tuple[Row, ...] = ()
    failed: tuple[str, ...] = ()


def sessions(entry: Entry) -> bool:
    """Whether an engine runs its models in ONNX Runtime's sessions, so that profiles and threads mean something."""
    return entry.package == "onnxruntime"


def names(model: Model, entry: Entry) -> tuple[str, ...]:
    """Return the session profiles that could make a difference to a model, the usual one first."""
    mapped = model.path is not None and any(model.path.rglob("*.ort"))
    declared = (profile.name for profile in (*entry.profiles, *(entry.windows if model.split else ())))
    return tuple(dict.fromkeys(("default", "no-arena", "varied", *(("packed",) if mapped else ()), *declared)))


def tune(
    model: Model,
    entry: Entry,
    threads: Sequence[int],
    stated: Session,
    footprint: Callable[[Choice], Footprint],
    pace: Callable[[Choice], float],
    told: Callable[[float, float], object] = lambda *_: None,
) -> Tuning:
    """Find the best ways to run a model; seconds for a small one, minutes for a large voice.

    `threads` are the numbers of threads to try, the usual one first. `told` hears (position, length). Raises what
    measuring the usual way raises.
    """
    return _Tuner(model, entry, tuple(threads), stated, footprint, pace, told).run()


class _Tuner:
    """One tuning at work."""

    def __init__(
        self,
        model: Model,
        entry: Entry,
        threads: tuple[int, ...],
        stated: Session,
        footprint: Callable[[Choice], Footprint],
        pace: Callable[[Choice], float],
        told: Callable[[float, float], object],
    ) -> None:
        self._model, self._entry, self._threads, self._stated = model, entry, threads, stated
        self._footprint, self._pace, self._told = footprint, pace, told
        self._usual = replace(entry.ways(model)[0], threads=threads[0])
        self._rows: dict[Profile, Row] = {}
        self._failed: list[str] = []
        self._stage = -1

    def run(self) -> Tuning:
        """Go through the stages."""
        if not sessions(self._entry):
            return self._found(self._looked_at([self._usual]))
        left = self._best([replace(self._usual, name=name) for name in names(self._model, self._entry)])
        if self._usual.window:
            usual = (replace(way, threads=self._threads[0]) for way in self._entry.ways(self._model))
            left = self._best([*left, *usual, *(replace(way, window=size) for way in left for size in WINDOWS)])
        left = self._last([*left, *(replace(way, threads=count) for count in self._threads[1:] for way in left)])
        self._repeated(left)
        return self._found([self._rows[profile] for profile in left])

    def _best(self, profiles: list[Profile]) -> list[Profile]:
        """Look at these ways and return those worth another look, the usual one among them."""
        rows = self._looked_at(profiles)
        return self._kept(rows, front([row.way for row in rows], _FIRST))

    def _last(self, profiles: list[Profile]) -> list[Profile]:
        """Return the best of each number of threads, whether the looks at them are taken at their word or not."""
        rows = self._looked_at(profiles)
        ways = [row.way for row in rows]
        return self._kept(rows, (*by_threads(ways, _FIRST), *by_threads(ways, 0.0)))

    def _looked_at(self, profiles: list[Profile]) -> list[Row]:
        """Measure and time what was not yet; return what works."""
        new = [profile for profile in dict.fromkeys(profiles) if profile not in self._rows]
        self._stage += 1
        for number, profile in enumerate(new):
            self._measured(profile)
            self._reached((number + 1) / len(new) / 2)
        works = [profile for profile in new if profile in self._rows]
        for number, profile in enumerate(works):
            self._again(profile)
            self._reached(0.5 + (number + 1) / len(works) / 2)
        return [self._rows[profile] for profile in dict.fromkeys(profiles) if profile in self._rows]

    def _measured(self, profile: Profile) -> None:
        """Look at a way once; one that fails is left out, unless it is the usual one."""
        choice = Choice(self._model, replace(profile, stated=self._stated), self._entry.placements[0])
        try:
            self._rows[profile] = Row(choice, self._footprint(choice), (self._pace(choice),))
        except EngineError as error:
            if profile == self._usual:
                raise
            self._failed.append(str(error))

    def _kept(self, rows: Iterable[Row], best: Iterable[Way]) -> list[Profile]:
        kept = {self._usual, *(way.profile for way in best)}
        return [row.way.profile for row in rows if row.way.profile in kept]

    def _repeated(self, profiles: list[Profile]) -> None:
        """Time these ways in turns until the figures repeat."""
        self._stage += 1
        for number in range(_ROUNDS * len(profiles)):
            if number % len(profiles) == 0 and all(self._settled(profile) for profile in profiles):
                break
            self._again(profiles[number % len(profiles)])
            self._reached((number + 1) / (_ROUNDS * len(profiles)))

    def _settled(self, profile: Profile) -> bool:
        row = self._rows[profile]
        return len(row.rtfs) > _LOOKS and row.spread <= _FINEST

    def _again(self, profile: Profile) -> None:
        row = self._rows[profile]
        self._rows[profile] = replace(row, rtfs=(*row.rtfs, self._pace(row.choice)))

    def _found(self, timed: list[Row]) -> Tuning:
        """Put together what was found."""
        tolerance = max(_FINEST, median(row.spread for row in timed))
        best = [way.profile for way in front([row.way for row in timed], tolerance)]
        chosen = tuple(self._rows[profile] for profile in best)
        others = [replace(row.choice, placement=place) for place in self._entry.placements[1:] for row in chosen]
        return Tuning(
            model=self._model,
            rows=tuple(self._rows.values()),
            usual=self._rows[self._usual],
            timed=tuple(timed),
            front=chosen,
            tolerance=tolerance,
            elsewhere=tuple(Row(choice, self._footprint(choice)) for choice in others),
            failed=tuple(self._failed),
        )

    def _reached(self, share: float) -> None:
        """Tell how far it is, by the stages and how much of this one is done."""
        self._told(self._stage + share, _STAGES)
