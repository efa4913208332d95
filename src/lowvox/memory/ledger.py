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


def key(model: Model, package: str, threads: int) -> str:
    """Return what a measurement of `model` depends on, as text; `package` is the module that runs it."""
    library = package.replace("_", "-")
    with contextlib.suppress(metadata.PackageNotFoundError):
        library += " " + metadata.version(library)
    machine = f"{platform.system()} {platform.machine()} python{platform.python_version()}"
    return "|".join((model.engine, model.name, model.digest, f"threads={threads}", library, __version__, machine))


class Ledger:
    """Footprints by key, in a SQLite file that several processes may share."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or folders.cache() / "ledger.sqlite"

    def get(self, row: str) -> Footprint | None:
        """Return the footprint recorded under a key, or None."""
        with self._opened() as database:
            found = database.execute(
                "SELECT resident, stream, work, load_s FROM footprints WHERE key = ?", (row,)
            ).fetchone()
        return Footprint(*found) if found else None

    def put(self, row: str, footprint: Footprint) -> None:
        """Record a footprint under a key."""
        values = (row, footprint.resident, footprint.stream, footprint.work, footprint.load_s)
        with self._opened() as database:
            database.execute("INSERT OR REPLACE INTO footprints VALUES (?, ?, ?, ?, ?)", values)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open, check and make the file; commit at the end."""
        import sqlite3

        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            database = self._connect()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise  # another process is writing: nothing is damaged
            self.path.unlink()
            database = self._connect()
        with contextlib.closing(database), database:
            yield database

    def _connect(self) -> sqlite3.Connection:
        """Connect to a file of this version, dropping what another version wrote."""
        import sqlite3

        database = sqlite3.connect(self.path, timeout=10)
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                database.execute("DROP TABLE IF EXISTS footprints")
                database.execute(_TABLE)
                database.execute(f"PRAGMA user_version = {_VERSION}")
                database.commit()
            database.execute("SELECT key, resident, stream, work, load_s FROM footprints LIMIT 1")
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database
