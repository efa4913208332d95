"""The folder of running lowvox: one small file for each process tree of this user, believed while its process lives.

A file is named after the process and written beside and renamed. One whose process has ended, by whatever, is swept
by the next who comes. A number that another process has taken over is not believed: the file tells when its process
was started. Knows the form of the files, not what the bytes in them are promised for.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lowvox import folders
from lowvox.memory import processes
from lowvox.memory.lock import locked
from lowvox.types import Holding  # noqa: TC001  # the reader of the files needs it

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Claim:
    """What one manager holds, has reserved and asks the others for, in bytes; times in seconds since 1970.

    `shared` says that it takes part in a budget with other trees. `base` is what its process took before it.
    """

    when: float
    budget: int | None = None
    shared: bool = False
    reserved: int = 0
    wanted: int = 0
    asked: float = 0.0
    base: int = 0
    holdings: tuple[Holding, ...] = ()


@dataclass(frozen=True, slots=True)
class TreeState:
    """One running lowvox: its process, what the kernel tells of its start, and a claim for each of its managers."""

    pid: int
    started: str
    command: str
    claims: dict[str, Claim] = field(default_factory=dict)

    @property
    def budget(self) -> int | None:
        """The smallest budget of its managers, None where none has one."""
        return min((claim.budget for claim in self.claims.values() if claim.budget), default=None)

    @property
    def shared(self) -> bool:
        """Whether its budget is shared with other trees."""
        return any(claim.shared for claim in self.claims.values())

    @property
    def reserved(self) -> int:
        """Bytes that it may take of a shared budget."""
        return sum(claim.reserved for claim in self.claims.values())

    @property
    def base(self) -> int:
        """Bytes that its process took before anything was loaded."""
        return min((claim.base for claim in self.claims.values()), default=0)

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """What all its managers hold."""
        return tuple(holding for claim in self.claims.values() for holding in claim.holdings)


def folder() -> Path:
    """Return where the files are."""
    return folders.cache() / "running"


def history(pid: int | None = None) -> Path:
    """Return where a process keeps its history; by default this process."""
    return folder() / f"{pid or os.getpid()}.history"


@contextmanager
def exclusive() -> Iterator[None]:
    """Keep all other processes from reserving or sweeping while the block runs; OSError where that cannot be."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(folder() / "lock"):
        yield


def read() -> tuple[TreeState, ...]:
    """Return every lowvox that runs, by process number; what cannot be read is not there."""
    states = [state for path in folder().glob("*.json") if (state := _read(path))]
    return tuple(sorted((state for state in states if _lives(state)), key=lambda state: state.pid))


def sweep() -> None:
    """Remove what ended processes have left; only inside `exclusive`, since a number may be taken over meanwhile."""
    living = {state.pid for state in read()}
    for path in folder().iterdir():
        pid = path.name.partition(".")[0]
        if pid.isdecimal() and int(pid) not in living and int(pid) != os.getpid():
            with suppress(OSError):
                path.unlink()


def running() -> tuple[TreeState, ...]:
    """Sweep where that is possible, and return every lowvox that runs."""
    with suppress(OSError):
        if folder().is_dir():
            with exclusive():
                sweep()
    return read()


def fresh() -> TreeState:
    """Return the state of this process before any claim."""
    return TreeState(os.getpid(), processes.identity(os.getpid()) or "", _command())


def write(state: TreeState) -> None:
    """Write a tree's file, or remove it where it has no claim; only inside `exclusive`."""
    import msgspec

    path = folder() / f"{state.pid}.json"
    if not state.claims:
        path.unlink(missing_ok=True)
        return
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(state))
    part.replace(path)


def _read(path: Path) -> TreeState | None:
    import msgspec

    try:
        return msgspec.json.decode(path.read_bytes(), type=TreeState)
    except (OSError, ValueError):  # removed meanwhile, damaged, or written by another version
        return None


def _lives(state: TreeState) -> bool:
    return state.pid > 0 and processes.identity(state.pid) == state.started


def _command() -> str:
    """Return what this process is for: the name of the program, and of lowvox's command; never a file's name."""
    name = Path(sys.argv[0]).name if sys.argv else ""
    if name in ("lowvox", "lowvox.exe"):
        return " ".join(["lowvox", *[word for word in sys.argv[1:2] if not word.startswith("-")]])
    return name or "python"
