from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import astuple, replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowvox.memory import ledger as ledgers
from lowvox.memory.ledger import Ledger, key
from lowvox.types import Choice, Footprint, Model, Profile

MEASURED = Footprint(1000, 200, 30, 4.5, slope=1.5, longest=15.0, rtf=0.25, shared=90, data=2000, returned=800)
MODEL = Model("m", "vosk", "recognizer", ("en",), digest="abc")
shares_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
sizes = st.integers(0, 2**28)
footprints = st.builds(
    Footprint,
    *(sizes, sizes, sizes, st.floats(0, 1e6)),
    slope=st.floats(0, 1e4),
    longest=st.floats(0, 1e3),
    rtf=st.floats(0, 1e3),
    shared=sizes,
    data=st.integers(0, 2**62),
    returned=sizes,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def run(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    head = "import sys, pathlib\nfrom lowvox.memory.ledger import Ledger\nfrom lowvox.types import Footprint\n"
    return subprocess.Popen([sys.executable, "-c", head + script, *arguments])


@shares_a_folder
@given(st.text(), footprints)
def test_what_is_put_is_got(tmp_path: Path, row: str, footprint: Footprint) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.put(row, footprint)
    assert ledger.get(row) == footprint
    assert ledger.get(row + "x") is None or row + "x" != row


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_a_damaged_ledger_is_made_anew(ledger: Ledger, content: bytes) -> None:
    ledger.path.write_bytes(content)
    assert ledger.get("a") is None
    ledger.put("a", MEASURED)
    assert ledger.get("a") == MEASURED


@cache
def filled() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        for number in range(40):
            ledger.put(f"row {number}", replace(MEASURED, resident=number))
        return ledger.path.read_bytes()


@shares_a_folder
@given(st.lists(st.tuples(st.integers(0, 2**14), st.integers(0, 255)), max_size=20), st.integers(1, 2**14))
def test_damage_anywhere_is_never_believed(changes: list[tuple[int, int]], length: int) -> None:
    content = bytearray(filled())
    for at, byte in changes:
        content[at % len(content)] = byte
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        ledger.path.write_bytes(content[:length])
        for number in range(40):
            assert ledger.get(f"row {number}") in (None, replace(MEASURED, resident=number))


def test_a_damaged_page_among_sound_ones_is_found_when_it_is_read(ledger: Ledger) -> None:
    ledger.path.write_bytes(filled()[:4096] + b"\xff" * (len(filled()) - 4096))
    assert ledger.get("row 7") is None
    ledger.put("row 7", MEASURED)
    assert ledger.get("row 7") == MEASURED


def test_the_journal_of_a_damaged_file_goes_with_it(ledger: Ledger) -> None:
    ledger.path.write_bytes(b"damaged" * 1000)
    journal = ledger.path.with_name("ledger.sqlite-wal")
    journal.write_bytes(b"old")
    ledger.put("a", MEASURED)
    assert not journal.exists()


def test_another_version_is_not_believed(ledger: Ledger) -> None:
    ledger.put("a", MEASURED)
    with closing(sqlite3.connect(ledger.path)) as database, database:
        database.execute("PRAGMA user_version = 99")
    assert ledger.get("a") is None
    ledger.put("a", MEASURED)
    assert ledger.get("a") == MEASURED


def test_ways_lie_beside_footprints_and_go_with_an_old_ledger(ledger: Ledger) -> None:
    ledger.put("a", MEASURED)
    assert ledger.tune("a", "some ways")
    assert (ledger.get("a"), ledger.tuned("a"), ledger.tuned("b")) == (MEASURED, "some ways", None)
    with closing(sqlite3.connect(ledger.path)) as database, database:
        database.execute("PRAGMA user_version = 2")
    assert (ledger.get("a"), ledger.tuned("a")) == (None, None)
    assert not ledger.forget("a")


@given(st.text(), st.text())
def test_ways_of_another_key_are_never_believed(row: str, other: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        ledger.tune(ascii(row), "ways")
        with closing(sqlite3.connect(ledger.path)) as database, database:
            database.execute("UPDATE tuned SET key = ?", (ascii(other),))
        assert ledger.tuned(ascii(other)) == ("ways" if row == other else None)


def test_another_shape_is_not_believed(ledger: Ledger) -> None:
    with closing(sqlite3.connect(ledger.path)) as database, database:
        database.execute("CREATE TABLE footprints (key TEXT)")
        database.execute(f"PRAGMA user_version = {ledgers._VERSION}")
    assert ledger.get("a") is None
    ledger.put("a", MEASURED)
    assert ledger.get("a") == MEASURED


@pytest.mark.parametrize(
    "absurd",
    [
        {"resident": -1},
        {"resident": 2**60},
        {"work": 10**400},
        {"load_s": float("nan")},
        {"load_s": -0.5},
        {"rtf": float("inf")},
        {"slope": -1.0},
        {"slope": 1e300},
        {"returned": 2**60},
        {"data": 2**63},
    ],
)
def test_an_absurd_footprint_is_neither_kept_nor_believed(
    ledger: Ledger, absurd: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    lie = replace(MEASURED, **absurd)  # type: ignore[arg-type]
    ledger.put("a", lie)
    assert ledger.get("a") is None
    # As if another lowvox, on a machine with more memory, had written it.
    with monkeypatch.context() as patch:
        patch.setattr(ledgers, "_believable", lambda _: all(-(2**63) <= n < 2**63 for n in astuple(lie)))
        ledger.put("a", lie)
    assert ledger.get("a") is None


def test_a_row_that_was_changed_is_not_believed(ledger: Ledger) -> None:
    ledger.put("a", MEASURED)
    with closing(sqlite3.connect(ledger.path)) as database, database:
        database.execute("UPDATE footprints SET resident = resident + 64")
    assert ledger.get("a") is None


def test_several_processes_write_at_once(ledger: Ledger) -> None:
    ledger.path.write_bytes(b"damaged, and all of them see it" * 200)
    script = (
        "ledger = Ledger(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    row = f'{sys.argv[2]}-{n}'\n"
        "    ledger.put(row, Footprint(n, 0, 0, 0.0))\n"
    )
    writers = [run(script, str(ledger.path), str(number)) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    # What was written before the last of them had found the damage may be lost; nothing may be wrong.
    found = [ledger.get(f"{number}-{n}") for number in range(4) for n in range(20)]
    assert {footprint.resident for footprint in found if footprint} == set(range(20))
    assert found[19::20] == [Footprint(19, 0, 0, 0.0)] * 4


def test_several_threads_write_at_once(ledger: Ledger) -> None:
    def write(name: str) -> None:
        for n in range(10):
            ledger.put(f"{name}-{n}", replace(MEASURED, resident=n))

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ledger.get(f"{number}-{n}") == replace(MEASURED, resident=n) for number in range(4) for n in range(10))


def test_a_new_file_in_the_place_of_a_damaged_one_is_left_alone(ledger: Ledger) -> None:
    ledger.put("a", MEASURED)
    before = ledger._file()
    ledger.path.rename(ledger.path.with_name("kept"))
    other = Ledger(ledger.path)
    other.put("b", MEASURED)
    ledger._discard(before)
    assert other.get("b") == MEASURED


def test_a_ledger_that_is_busy_is_not_thrown_away(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.put("a", MEASURED)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **options: connect(path, **(options | {"timeout": 0})))
    with closing(connect(ledger.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert ledger.get("a") is None
        ledger.put("b", MEASURED)
        other.rollback()
    assert ledger.get("a") == MEASURED


def test_a_ledger_that_cannot_be_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "ledger.sqlite", tmp_path):
        ledger = Ledger(path)
        ledger.put("a", MEASURED)
        assert ledger.get("a") is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs the permissions of POSIX")
def test_on_a_read_only_disk_it_is_read() -> None:
    # Not in tmp_path: the process that reads is nobody, who may not look into it.
    folder = Path(tempfile.mkdtemp())
    try:
        ledger = Ledger(folder / "ledger.sqlite")
        ledger.put("a", MEASURED)
        ledger.path.chmod(0o444)
        folder.chmod(0o555)
        script = (
            "import os, sqlite3\n"
            "if os.geteuid() == 0: os.setuid(65534)\n"
            "ledger = Ledger(pathlib.Path(sys.argv[1]))\n"
            "ledger.put('b', Footprint(1, 0, 0, 0.0))\n"
            "assert ledger.get('b') is None\n"
            "assert ledger.get('a').resident == 1000\n"
        )
        assert run(script, str(ledger.path)).wait() == 0
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_on_a_full_disk_it_keeps_what_it_has(ledger: Ledger) -> None:
    ledger.put("a", MEASURED)
    script = (
        "import os, resource\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(path).st_size,) * 2)\n"
        "Ledger(path).put('b' * 100_000, Footprint(1, 0, 0, 0.0))\n"
    )
    assert run(script, str(ledger.path)).wait() == 0
    assert ledger.get("b" * 100_000) is None
    assert ledger.get("a") == MEASURED


def test_a_row_depends_on_all_that_could_change_it() -> None:
    choice = Choice(MODEL)
    rows = [
        *(key(choice, "numpy"), key(choice, "click"), key(choice, "no_such_package"), key("m", "numpy")),
        *(key(replace(choice, placement="in-process"), "numpy"), key(replace(choice, runs=2), "numpy")),
        *(key(replace(choice, profile=Profile(**change)), "numpy") for change in ({"name": "lean"}, {"threads": 2})),
        key(replace(choice, profile=Profile(window=32)), "numpy"),
        *(key(replace(choice, profile=Profile(stated=(pair,))), "numpy") for pair in (("a", 1), ("a", "1"), ("b", 1))),
        *(
            key(Choice(replace(MODEL, **change)), "numpy")  # type: ignore[arg-type]
            for change in ({"name": "n"}, {"engine": "pocketsphinx"}, {"digest": "abd"}, {"variant": "int8"})
        ),
    ]
    assert len(set(rows)) == len(rows)


def test_a_row_does_not_depend_on_the_cap() -> None:
    assert key(Choice(MODEL, cap=5.0), "numpy") == key(Choice(MODEL), "numpy")


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_names_do_not_run_into_each_other(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = (key(Choice(replace(MODEL, name=name, digest=digest)), "numpy") for name, digest in (one, other))
    assert (first == second) == (one == other)


def test_a_name_that_is_no_text_can_be_looked_up(ledger: Ledger) -> None:
    row = key(Choice(replace(MODEL, name=os.fsdecode(b"caf\xe9"))), "numpy")
    ledger.put(row, MEASURED)
    assert ledger.get(row) == MEASURED


def test_the_machine_is_told_by_what_changes_memory() -> None:
    row = key("audio libraries", "soundfile")
    assert f"python {sys.version_info.major}.{sys.version_info.minor}" in row
    assert "pages=" in row
