"""Stand-in models for managers: the naughty engines in the registry, and footprints in the ledger without measuring."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lowvox.engines import ENGINES, Entry
from lowvox.memory import meter
from lowvox.memory.budget import Budget
from lowvox.memory.ledger import Ledger, key
from lowvox.memory.manager import Manager
from lowvox.types import Choice, Footprint, Model, Profile
from replicas import naughty

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from lowvox.memory.residency import State

MB = meter.MB
VAD = Model("silero-vad", "silero-vad", "vad", ())
FRAME = bytes(1024)
_ENTRY = Entry(
    role="recognizer",
    at="naughty:Engine",
    placements=("worker",),
    package="ctypes",
    extra=None,
    licence="",
    brings="a stand-in",
    capacity=1,
)


def enlist(engine: str, **changes: Any) -> None:
    """Put an engine of `naughty` into the registry, under its name in small letters, for good."""
    os.environ["PYTHONPATH"] = str(Path(naughty.__file__).parent)
    ENGINES[engine.lower()] = replace(_ENTRY, **{"at": f"naughty:{engine}", **changes})


def register(patch: pytest.MonkeyPatch, engine: str, **changes: Any) -> None:
    """Put an engine of `naughty` into the registry for a test."""
    patch.setenv("PYTHONPATH", "")
    # Deleting what is not there would leave nothing to put back.
    patch.setitem(ENGINES, engine.lower(), _ENTRY)
    enlist(engine, **changes)


def standin(engine: str = "Engine", name: str = "") -> Model:
    """Return a model of a registered engine."""
    return Model(name or engine.lower(), engine.lower(), "recognizer", ("en",))


def know(model: Model, size: Footprint, **changes: Any) -> Choice:
    """Write into the ledger what a model takes; return how it is run."""
    entry = ENGINES[model.engine]
    choice = replace(Choice(model, entry.profiles[0], entry.placements[0]), **changes)
    Ledger().put(key(choice, entry.package), size)
    return choice


def children() -> set[int]:
    """Return the processes below this one."""
    return set(meter.tree()) - {os.getpid()}


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Staff:
    """The managers of one test, all of which are closed at its end."""

    def __init__(self) -> None:
        self.made: list[Manager] = []

    def __call__(self, room_mb: float | None = None, **changes: Any) -> Manager:
        """Make a manager whose budget leaves so many MB beside this process."""
        manager = Manager(**changes)
        self.made.append(manager)
        if room_mb is not None:
            manager.budget = Budget(manager.footprints.base + int(room_mb * MB))
        return manager

    def close(self) -> None:
        """Close them; nothing of them is left then."""
        for manager in self.made:
            manager.close()
        assert ended(*(thread for thread in threading.enumerate() if thread.name.startswith("lowvox-")))
        assert children() == set()


def until(manager: Manager, come_about: Callable[[State], object]) -> None:
    """Wait until a manager's state is as described."""
    keeper = manager._keeper
    with keeper._changed:
        assert keeper._changed.wait_for(lambda: come_about(keeper.state), 60), keeper.state


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Begin work in a thread that must come to its end."""
    thread = threading.Thread(target=work, name="test")
    thread.start()
    return thread


def ended(*threads: threading.Thread) -> bool:
    """Wait for threads."""
    for thread in threads:
        thread.join(60)
    return not any(thread.is_alive() for thread in threads)


class Unready(naughty.Engine):
    """Loads and opens, and is then of no use."""

    class stream(naughty.Stream):  # noqa: N801
        """Fails at the first call."""

        def reset(self) -> None:
            """Fail as no error of lowvox."""
            raise ZeroDivisionError


class Waiting(naughty.Engine):
    """Loads when it may."""

    begun, may = threading.Event(), threading.Event()

    def load(self, model: Model, profile: Profile) -> naughty.Engine:
        """Wait."""
        self.begun.set()
        assert self.may.wait(60)
        return super().load(model, profile)


class Library(naughty.Engine):
    """Loads what no unloading brings back, once."""

    loaded: ClassVar[list[bytearray]] = []

    def load(self, model: Model, profile: Profile) -> naughty.Engine:
        """Load."""
        engine = super().load(model, profile)
        if not self.loaded:
            self.loaded.append(naughty.filled(engine.mb))
        return engine
