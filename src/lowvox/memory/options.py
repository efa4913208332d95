"""What a part of a job can be: every way to run each of its models, the best first, and what each way takes.

Pure, and lazy where it counts: a footprint is asked for once, and only when somebody asks what an option takes, since
measuring a model takes seconds. Knows nothing of budgets.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lowvox.types import Choice, Footprint, Model, Profile, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lowvox.engines import Entry

# The longest input of each role that has one, seconds of sound or characters of text: the role's own, then shorter.
CAPS: dict[Role, tuple[float, ...]] = {"recognizer": (15.0, 10.0, 6.0), "synthesizer": (400.0, 200.0, 100.0)}


@dataclass(frozen=True, slots=True)
class Need:
    """What a part of a job wants: one of `models`, best first, with `streams` conversations at a time.

    Models of one name and error rate that follow each other are variants, as good as each other.
    """

    role: Role
    models: tuple[Model, ...]
    streams: int = 1


class Rank(NamedTuple):
    """How good an option is, what matters most first; less is better in each.

    `way` is the place among the ways that tuning found, the fastest first; the usual ones stand behind them.
    """

    model: int
    cap: int
    placement: int
    way: int
    threads: int
    runs: int


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One way to serve a need. `capacity` is how many of its streams one resident holds.

    `measured` is the choice whose footprint counts: it is a line in the length of the input, so that no cap needs a
    measurement of its own. `tuned` says that tuning found this way.
    """

    need: Need
    choice: Choice
    measured: Choice
    capacity: int
    rank: Rank
    tuned: bool = False

    @property
    def residents(self) -> int:
        """How many residents its streams take."""
        return -(-self.need.streams // self.capacity)

    def total(self, one: Callable[[int], int], shared: int) -> int:
        """Add up bytes over the residents, given those of one by its streams; the first alone pays what is shared."""
        full, rest = divmod(self.need.streams, self.capacity)
        return full * one(self.capacity) + (one(rest) if rest else 0) - (self.residents - 1) * shared


def options(need: Need, entry: Callable[[str], Entry], cores: int | None = None) -> list[Option]:
    """Return every option of a need, the best first as far as that is known without measuring."""
    found = [option for level, model in _levels(need.models) for option in _ways(need, model, level, entry, cores)]
    return sorted(found, key=lambda option: option.rank)


def _levels(models: tuple[Model, ...]) -> Iterator[tuple[int, Model]]:
    """Yield the models with their place among all; variants share one."""
    level = 0
    for before, model in zip((None, *models), models, strict=False):
        same = before and (before.name, before.error_rate) == (model.name, model.error_rate)
        level += 0 if before is None or same else 1
        yield level, model


def _ways(need: Need, model: Model, level: int, entry: Callable[[str], Entry], cores: int | None) -> Iterator[Option]:
    known = entry(model.engine)
    capacity = min(need.streams, known.capacity or need.streams)
    caps = CAPS.get(need.role, (0.0,))[: 1 if known.bounded else None]
    for (tuned, way, profile), (place, placement), (short, cap) in product(
        _profiles(known, model, capacity, cores), enumerate(known.placements), enumerate(caps)
    ):
        most = min(capacity, known.runs, capacity if cores is None else max(1, cores // profile.threads))
        for runs in range(1, most + 1):
            measured = Choice(model, profile, placement, runs)
            choice = replace(measured, cap=cap) if short else measured
            rank = Rank(level, short, place, way, 0 if tuned else -profile.threads, -runs)
            yield Option(need, choice, measured, capacity, rank, tuned)


def _profiles(known: Entry, model: Model, capacity: int, cores: int | None) -> list[tuple[bool, int, Profile]]:
    """Return (tuned, place, profile): what tuning found, the fastest first, and behind it the usual ones as equals."""
    # A way with several threads was found for somebody who works alone.
    most = sys.maxsize if cores is None else max(1, cores // min(capacity, known.runs))
    best = known.tuned(model, most)
    usual = [(False, len(best), profile) for profile in known.ways(model) if profile not in best]
    return [*((True, way, profile) for way, profile in enumerate(best)), *usual]


@dataclass(slots=True)
class Prices:
    """What options take in bytes: `footprint` measures or looks up, `floor` is what a model takes at the very least."""

    footprint: Callable[[Choice], Footprint]
    floor: Callable[[Model], int]
    _known: dict[Choice, Footprint] = field(default_factory=dict)
    _peaks: dict[Option, int] = field(default_factory=dict)

    def known(self, option: Option) -> bool:
        """Whether its footprint has been asked for."""
        return option in self._peaks or option.measured in self._known

    def of(self, option: Option) -> Footprint:
        """Return its footprint; the first time this may measure."""
        if option.measured not in self._known:
            self._known[option.measured] = self.footprint(option.measured)
        return self._known[option.measured]

    def peak(self, option: Option) -> int:
        """Return what it takes at its peak; the first time this may measure."""
        if option not in self._peaks:
            took, choice = self.of(option), option.choice
            self._peaks[option] = option.total(lambda streams: took.peak(streams, choice.runs, choice.cap), took.shared)
        return self._peaks[option]

    def resident(self, option: Option) -> int:
        """Return what it takes while its streams are open and none works; the first time this may measure."""
        took = self.of(option)
        return option.total(lambda streams: took.resident + streams * took.stream, took.shared)

    def pace(self, option: Option) -> float:
        """Return how long a run takes for its sound, to a hundredth: a measurement is no finer."""
        return round(self.of(option).rtf, 2)

    def least(self, option: Option) -> int:
        """Return its peak where that is known, else nothing; never measures."""
        return self.peak(option) if self.known(option) else 0

    def size(self, option: Option) -> int:
        """Return its peak where that is known, else what its model takes at the very least; never measures."""
        return self.peak(option) if self.known(option) else self.floor(option.choice.model)
