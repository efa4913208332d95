"""Residency: which models are in memory and for whom; what can happen to them, and what can be done about it.

    absent -> loading -> idle -> leased -> unloading -> absent

A *held* model has *seats*, its open streams. A *ticket* asks for a seat of each model of a job, and gets all or none.
Only words: what follows from an event is decided in `transition`, and done by `manager`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lowvox.types import Choice, Footprint

LINE = 64  # tickets that may wait
FOR_EVER = -1.0

Options: TypeAlias = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class Want:
    """A model as a job wants it; `capacity` streams share one resident, None: any number."""

    choice: Choice
    footprint: Footprint
    options: Options = ()
    capacity: int | None = None
    keep_alive: float = FOR_EVER


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job in line. `holder` tells jobs apart that could wait for each other; `overhead` is what it needs besides.

    One that does not lend only loads, where that costs nobody anything: a preload.
    """

    id: int
    holder: int
    wants: tuple[Want, ...]
    overhead: int = 0
    lends: bool = True


@dataclass(frozen=True, slots=True)
class Seat:
    """A stream of a held model. `ticket` has it, or will have it once it is open; None: nobody has.

    One that is not open may have a stream all the same, with other options: it is closed before it is opened anew.
    """

    id: int
    options: Options
    ticket: int | None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A ticket that has its seats, as (held, seat) for each want; it is `granted` when all of them are open."""

    ticket: Ticket
    seats: tuple[tuple[int, int], ...]
    granted: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A model in memory. `excess` bytes are what it took beyond its footprint when it was last measured at rest.

    `kept` bytes are what its work left: an engine that does not give them back (PocketSphinx) works in them again.
    `idle_since` is when its last seat was given back. A `doomed` one goes as soon as nobody uses it.
    """

    id: int
    want: Want
    seats: tuple[Seat, ...]
    status: Literal["absent", "ready", "unloading"] = "absent"
    excess: int = 0
    kept: int = 0
    idle_since: float = 0.0
    doomed: bool = False

    @property
    def busy(self) -> bool:
        """Whether a ticket has one of its seats."""
        return any(seat.ticket is not None for seat in self.seats)

    @property
    def at_rest(self) -> int:
        """Bytes while nobody works."""
        return self.planned + self.excess + self.kept

    @property
    def planned(self) -> int:
        """Bytes while nobody works, by its footprint."""
        size = self.want.footprint
        return size.resident + len(self.seats) * size.stream

    @property
    def charge(self) -> int:
        """Bytes that it may take now: at rest, and the work of the seats that are in use, which begins with `kept`."""
        return (
            self.planned + self.excess + max(self.kept, self.work(sum(seat.ticket is not None for seat in self.seats)))
        )

    def work(self, seats: int) -> int:
        """Bytes that so many seats take while they work."""
        return min(seats, self.want.choice.runs) * self.want.footprint.work_for(self.want.choice.cap)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is decided on. `room` is the budget in bytes; `base` what lowvox takes with nothing loaded.

    `overhead` is what the jobs so far have loaded besides models, `residue` what unloading did not give back,
    `loading` the seat that is being opened.
    """

    room: int | None = None
    base: int = 0
    overhead: int = 0
    residue: int = 0
    helds: tuple[Held, ...] = ()
    line: tuple[Ticket, ...] = ()
    jobs: tuple[Job, ...] = ()
    pinned: frozenset[str] = frozenset()
    loading: int | None = None
    closed: bool = False
    made: int = 0  # numbers given out

    @property
    def charge(self) -> int:
        """Bytes that all of it may take now."""
        return self.base + self.overhead + self.residue + _charge(self.helds)

    @property
    def full(self) -> bool:
        """Whether more is taken than there is room for."""
        return self.room is not None and self.charge > self.room

    def find(self, number: int) -> Held | None:
        """Return a held model by its number."""
        return next((held for held in self.helds if held.id == number), None)


def _charge(helds: Iterable[Held]) -> int:
    """Bytes of several held models: file pages that processes share are counted once."""
    total, seen = 0, set()
    for held in helds:
        total += held.charge - (held.want.footprint.shared if held.want.choice in seen else 0)
        seen.add(held.want.choice)
    return total


# What has happened ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A job wants its models."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job with this ticket no longer waits."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The seat that was being opened is open; `measured` bytes are what the model takes with it, 0: not known."""

    measured: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The seat that was being opened could not be."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Released:
    """A job gives its seats back. `spoiled` are the numbers of held models that must not be used again.

    `measured` has (number, bytes) of those that were measured at rest.
    """

    ticket: int
    spoiled: frozenset[int] = frozenset()
    measured: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A held model has gone; `kept` bytes of it did not come back. Less than 0: with some that others had kept."""

    held: int
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Models with one of these names, or serving one of these roles, shall go: now if idle, else after their job."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pinned:
    """These models, and no others, are never evicted."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pressed:
    """Somebody outside needs this many bytes back."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Roomed:
    """The budget is another one."""

    room: int | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What lowvox takes without models was measured anew: base, overhead, and what unloading has left behind."""

    base: int


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The end: everything goes, at once."""


Event: TypeAlias = (
    Asked | Cancelled | Loaded | Failed | Released | Unloaded | Unwanted | Pinned | Pressed | Roomed | Settled | Ticked
    | Closed
)  # fmt: skip


# What has to be done -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """Open a seat, after loading its model where that is absent, and closing the stream that the seat had."""

    held: int
    seat: int
    want: Want


@dataclass(frozen=True, slots=True)
class Unload:
    """Unload a held model."""

    held: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close an idle seat of a model that stays."""

    held: int
    seat: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A ticket has its seats: (held, seat) for each want, in order."""

    ticket: int
    seats: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """A ticket gets nothing. "budget": `needed` bytes can never be had; "line": too many wait; "deadlock"; "closed"."""

    ticket: int
    why: Literal["budget", "line", "deadlock", "closed", "failed", "full"]
    needed: int = 0
    error: Exception | None = None


Action: TypeAlias = Open | Unload | Close | Grant | Refuse
