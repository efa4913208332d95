from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowvox.memory.ledger import Ledger, key
from lowvox.types import Footprint, Model

sizes = st.integers(0, 2**40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.text(), sizes, sizes, sizes, st.floats(0, 1e6))
def test_what_is_put_is_got(tmp_path: Path, row: str, resident: int, stream: int, work: int, load_s: float) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.put(row, Footprint(resident, stream, work, load_s))
    assert ledger.get(row) == Footprint(resident, stream, work, load_s)
    assert ledger.get(row + "x") is None or row + "x" != row


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_a_damaged_ledger_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    ledger = Ledger(path)
    assert ledger.get("a") is None
    ledger.put("a", Footprint(1, 2, 3, 4.0))
    assert ledger.get("a") == Footprint(1, 2, 3, 4.0)


def test_another_version_is_not_believed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.put("a", Footprint(1, 2, 3, 4.0))
    with sqlite3.connect(ledger.path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    assert ledger.get("a") is None


def test_another_shape_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE footprints (key TEXT)")
        database.execute("PRAGMA user_version = 1")
    database.close()
    assert Ledger(path).get("a") is None


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\nfrom lowvox.memory.ledger import Ledger\nfrom lowvox.types import Footprint\n"
        "ledger = Ledger(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20): ledger.put(f'{sys.argv[2]}-{n}', Footprint(n, 0, 0, 0.0))"
    )
    path = tmp_path / "ledger.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(number)]) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    ledger = Ledger(path)
    assert all(ledger.get(f"{number}-{n}") == Footprint(n, 0, 0, 0.0) for number in range(3) for n in range(20))


def test_a_row_depends_on_all_that_could_change_it() -> None:
    model = Model("m", "vosk", "recognizer", ("en",), digest="abc")
    rows = {
        key(model, "numpy", 1),
        key(model, "numpy", 2),
        key(model, "click", 1),
        key(model, "no_such_package", 1),
        key(Model("m", "vosk", "recognizer", ("en",), digest="abd"), "numpy", 1),
    }
    assert len(rows) == 5


def test_a_ledger_that_is_busy_is_not_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.put("a", Footprint(1, 2, 3, 4.0))
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **_: connect(path, timeout=0))
    other = connect(ledger.path)
    other.execute("BEGIN EXCLUSIVE")
    assert ledger.get("a") is None
    ledger.put("b", Footprint(1, 2, 3, 4.0))
    other.rollback()
    other.close()
    assert ledger.get("a") == Footprint(1, 2, 3, 4.0)


def test_a_ledger_that_cannot_be_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "ledger.sqlite", tmp_path):
        ledger = Ledger(path)
        ledger.put("a", Footprint(1, 2, 3, 4.0))
        assert ledger.get("a") is None
