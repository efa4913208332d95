"""The ledger: measured footprints on disk, so that each model is measured once on a machine.

A row is believed only when everything that could change it is the same: engine, model files, threads, library versions,
machine. A ledger that is damaged, or from another version of this file, is thrown away and made anew.
"""

from __future__ import annotations

import contextlib
import platform
from importlib import metadata
from typing import TYPE_CHECKING

from lowvox import __version__, folders
from lowvox.types import Footprint

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from lowvox.types import Model

_VERSION = 1
_TABLE = """CREATE TABLE IF NOT EXISTS footprints (
    key TEXT PRIMARY KEY, resident INTEGER, stream INTEGER, work INTEGER, load_s REAL) STRICT"""


def key(what: Model | str, package: str, threads: int) -> str:
    """Return what a measurement of a model, or of something else by its name, depends on.

    `package` is the module that runs it.
    """
    library = package.replace("_", "-")
    with contextlib.suppress(metadata.PackageNotFoundError):
        library += " " + metadata.version(library)
    machine = f"{platform.system()} {platform.machine()} python{platform.python_version()}"
    names = (what, "", "") if isinstance(what, str) else (what.engine, what.name, what.digest)
    return "|".join((*names, f"threads={threads}", library, __version__, machine))


class Ledger:
    """Footprints by key, in a SQLite file that several processes may share."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or folders.cache() / "ledger.sqlite"

    def get(self, row: str) -> Footprint | None:
        """Return the footprint recorded under a key, or None; a ledger that cannot be read knows nothing."""
        with self._forgiving(), self._opened() as database:
            query = "SELECT resident, stream, work, load_s FROM footprints WHERE key = ?"
            if found := database.execute(query, (row,)).fetchone():
                return Footprint(*found)
        return None

    def put(self, row: str, footprint: Footprint) -> None:
        """Record a footprint under a key, where that is possible: without a record it is measured again next time."""
        values = (row, footprint.resident, footprint.stream, footprint.work, footprint.load_s)
        with self._forgiving(), self._opened() as database:
            database.execute("INSERT OR REPLACE INTO footprints VALUES (?, ?, ?, ?, ?)", values)

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Go on without a ledger that is busy, read-only or on a full disk: it saves time and is no result."""
        import sqlite3

        with contextlib.suppress(sqlite3.Error, OSError):
            yield

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open, check and make the file; commit at the end."""
        import sqlite3

        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            database = self._connect()
        except sqlite3.DatabaseError as error:
            # A file that is busy, or on a full disk, is sound. Extended codes carry the plain one in their last byte.
            damaged = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
            if error.sqlite_errorcode & 0xFF not in damaged:
                raise
            self.path.unlink(missing_ok=True)
            database = self._connect()
        with contextlib.closing(database), database:
            yield database

    def _connect(self) -> sqlite3.Connection:
        """Connect to a file of this version, dropping what another version wrote."""
        import sqlite3

        database = sqlite3.connect(self.path, timeout=10, isolation_level="IMMEDIATE")
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                database.execute("BEGIN IMMEDIATE")
                if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:  # no other was quicker
                    database.execute("DROP TABLE IF EXISTS footprints")
                    database.execute(_TABLE)
                    database.execute(f"PRAGMA user_version = {_VERSION}")
                database.commit()
            database.execute("SELECT key, resident, stream, work, load_s FROM footprints LIMIT 1")
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database
