"""The ledger: what was measured on this machine, on disk, so that it is measured once: footprints, and tuned ways.

A row is believed only when everything that could change it is the same: the choice with its model's files, library
versions, machine; and when its seal says that no bit of it has. A ledger that is damaged, or from another version of
this file, is thrown away and made anew. Knows nothing of measuring or of budgets.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import zlib
from dataclasses import astuple, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowvox import __version__, extras, folders
from lowvox.types import Footprint

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from lowvox.memory.stated import Session
    from lowvox.types import Choice, Model

_VERSION = 3
_COLUMNS = {field.name: "REAL" if "float" in str(field.type) else "INTEGER" for field in fields(Footprint)}
_TYPED = "".join(f"{name} {kind} NOT NULL, " for name, kind in _COLUMNS.items())
_TABLE = f"CREATE TABLE footprints (key TEXT PRIMARY KEY, {_TYPED} seal INTEGER NOT NULL) STRICT"
_TUNED = "CREATE TABLE tuned (key TEXT PRIMARY KEY, ways TEXT NOT NULL, seal INTEGER NOT NULL) STRICT"
_SELECT = f"SELECT {', '.join(_COLUMNS)}, seal FROM footprints"  # noqa: S608  # our own names
_INSERT = f"INSERT OR REPLACE INTO footprints VALUES ({', '.join('?' * (len(_COLUMNS) + 2))})"  # noqa: S608
# Instruction sets for which libraries have kernels of their own: they lay weights out in their own ways.
_KERNELS = {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm", "sve"}


def key(what: Choice | str, package: str) -> str:
    """Return what a measurement of a choice, or of something else by its name, depends on.

    `package` is the module that runs it. The cap is no part: a footprint is a line in the input's length.
    """
    names = (what,) if isinstance(what, str) else _names(what)
    return _row(names, package)


def tuned_key(model: Model, stated: Session, package: str) -> str:
    """Return what the best ways to run a model depend on: as `key`, with the number of processors."""
    return _row(("tuned", *_model(model), *_pairs(stated), f"cores={os.cpu_count()}"), package)


def _row(names: tuple[object, ...], package: str) -> str:
    library = f"{package} {extras.version(package)}".strip()
    return ascii((*names, library, f"lowvox {__version__}", *_machine()))


def _names(choice: Choice) -> tuple[object, ...]:
    profile = choice.profile
    return (
        *_model(choice.model),
        *(profile.name, f"threads={profile.threads}", f"window={profile.window}"),
        *_pairs(profile.stated),
        *(choice.placement, f"runs={choice.runs}"),
    )


def _model(model: Model) -> tuple[str, ...]:
    return model.engine, model.name, model.digest, model.variant


def _pairs(stated: Session) -> tuple[str, ...]:
    return tuple(f"{name}={value!r}" for name, value in stated)


@cache
def _machine() -> tuple[str, ...]:
    """Return the class of machine and interpreter that measurements hold for."""
    system = f"{platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}".strip()
    return (system, _kernels(), f"pages={_sysconf('SC_PAGE_SIZE')}", f"python {platform.python_version()}")


def _kernels() -> str:
    """Return those of the processor's instruction sets that change what libraries take."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return " ".join(sorted(_KERNELS.intersection(named.split())))


def _sysconf(name: str) -> int:
    """Ask the system for a number; 0 where it does not tell."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf(name)
    return 0


class Ledger:
    """Footprints by key, and tuned ways as text, in a SQLite file that several processes and threads may share."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or folders.cache() / "ledger.sqlite"

    def get(self, row: str) -> Footprint | None:
        """Return the footprint recorded under a key, or None; a ledger that cannot be read knows nothing."""
        found = self._do(lambda database: database.execute(f"{_SELECT} WHERE key = ?", (row,)).fetchone())
        if not found or found[-1] != _seal(row, found[:-1]):
            return None
        footprint = Footprint(*found[:-1])
        return footprint if _believable(footprint) else None

    def put(self, row: str, footprint: Footprint) -> None:
        """Record a footprint under a key, where that is possible: without a record it is measured again next time."""
        values = astuple(footprint)
        if _believable(footprint):
            self._do(lambda database: database.execute(_INSERT, (row, *values, _seal(row, values))))

    def tuned(self, row: str) -> str | None:
        """Return the ways recorded under a key, or None."""
        select = "SELECT ways, seal FROM tuned WHERE key = ?"
        found = self._do(lambda database: database.execute(select, (row,)).fetchone())
        return found[0] if found and found[1] == _seal(row, found[:1]) else None

    def tune(self, row: str, ways: str) -> bool:
        """Record ways under a key; False where that is not possible."""
        insert = "INSERT OR REPLACE INTO tuned VALUES (?, ?, ?)"
        return self._do(lambda database: database.execute(insert, (row, ways, _seal(row, (ways,))))) is not None

    def forget(self, row: str) -> bool:
        """Remove the ways recorded under a key; False where there were none."""
        delete = "DELETE FROM tuned WHERE key = ?"
        return bool(self._do(lambda database: database.execute(delete, (row,)).rowcount))

    def _do(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Work on the file, and once more on a new one where it is damaged.

        A file that is busy, read-only or on a full disk is gone on without: it saves time and is no result.
        """
        import sqlite3

        with contextlib.suppress(sqlite3.Error, OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self._file()
            try:
                return self._attempt(work)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter in SQLite's own message
                if not _is_damage(error):
                    raise
            self._discard(file)
            return self._attempt(work)
        return None

    def _attempt(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Connect, see that the file is of this version, work, commit."""
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.path, timeout=10, isolation_level="IMMEDIATE")) as database:
            if _version(database) != _VERSION:
                _make(database)
            with database:
                return work(database)

    def _file(self) -> int | None:
        """Return which file stands at the path, None for no file."""
        with contextlib.suppress(FileNotFoundError):
            return self.path.stat().st_ino
        return None

    def _discard(self, file: int | None) -> None:
        """Remove the damaged file, unless another process has already put a new one in its place."""
        if self._file() != file:
            return
        self.path.unlink(missing_ok=True)
        for beside in ("-journal", "-wal", "-shm"):  # else it would be replayed into the new file
            self.path.with_name(self.path.name + beside).unlink(missing_ok=True)


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _make(database: sqlite3.Connection) -> None:
    """Make the tables, dropping what another version wrote."""
    database.execute("BEGIN IMMEDIATE")
    if _version(database) != _VERSION:  # no other was quicker
        for name, table in (("footprints", _TABLE), ("tuned", _TUNED)):
            database.execute(f"DROP TABLE IF EXISTS {name}")
            database.execute(table)
        database.execute(f"PRAGMA user_version = {_VERSION}")
    database.commit()


def _is_damage(error: Exception) -> bool:
    """Whether it is the file that is wrong; extended codes carry the plain one in their last byte."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


def _seal(row: str, values: tuple[Any, ...]) -> int:
    """Return a checksum of a row: SQLite has none, and a flipped bit must not become a footprint."""
    return zlib.crc32(ascii((row, *values)).encode())


def _believable(footprint: Footprint) -> bool:
    """Whether these can be bytes and seconds that were measured on this machine."""
    # What was measured here fitted into the machine; what a resource limit counts need not.
    ram = _sysconf("SC_PHYS_PAGES") * _sysconf("SC_PAGE_SIZE") or math.inf
    growth = footprint.slope * footprint.longest
    return (
        all(
            0 <= number < 2**63 for number in astuple(footprint)
        )  # no NaN, no infinity, nothing that SQLite cannot hold
        and max(footprint.peak(), footprint.shared, footprint.returned, growth) <= ram
    )
