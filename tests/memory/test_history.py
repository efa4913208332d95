"""What a running process writes can be read by another at any time."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from lowvox.memory import history
from lowvox.memory.history import History, read
from lowvox.memory.rings import SIZE, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "running" / "1.history"


@pytest.fixture(autouse=True)
def nobody_writes() -> Iterator[None]:
    assert history._writer.acquire(blocking=False)
    history._writer.release()
    yield
    assert history._writer.acquire(blocking=False)
    history._writer.release()


def sample(at: float) -> Entry:
    return Entry(at + 1, int(at), 0, 0, 0.0, int(at))


def test_a_day_by_the_minute_ten_minutes_by_the_second(place: Path) -> None:
    kept = History(place)
    for at in range(30 * 3600):
        kept.feed(at, sample(at))
    seconds, minutes = read(place)
    assert [entry.pss for entry in seconds] == list(range(30 * 3600 - 601, 30 * 3600 - 1))
    assert len(minutes) == 1440
    assert [entry.pss for entry in minutes][-2:] == [30 * 3600 - 121, 30 * 3600 - 61]
    assert place.stat().st_size == (600 + 1440) * SIZE
    kept.close()
    kept.close()
    assert not place.exists()
    kept.feed(1e6, sample(1e6))
    assert not place.exists()


def test_a_short_job_writes_nothing(place: Path) -> None:
    kept = History(place)
    kept.feed(0.1, sample(0.1))
    kept.feed(0.9, sample(0.9))
    assert not place.parent.exists()
    kept.close()
    assert read(place) == ([], [])


def test_without_a_path_the_rings_are_kept_all_the_same() -> None:
    kept = History()
    for at in range(70):
        kept.feed(at, sample(at))
    assert len(kept.seconds.entries()) == 70
    assert [entry.pss for entry in kept.minutes.entries()] == [59, 69]
    kept.close()


def test_two_monitors_of_a_process_write_one_file(place: Path) -> None:
    one, other = History(place), History(place)
    for at in range(5):
        one.feed(at, sample(at))
        other.feed(at, sample(at))
    assert len(read(place)[0]) == 4
    one.close()
    assert not place.exists()
    other.feed(5, sample(5))
    assert len(read(place)[0]) == 6  # with all that it has seen
    other.close()


def test_only_its_user_reads_it(place: Path) -> None:
    kept = History(place)
    kept.feed(0, sample(0))
    kept.feed(1, sample(1))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    kept.close()


def test_where_nothing_can_be_written_there_is_no_history_and_no_fuss(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = History(tmp_path / "file" / "1.history")
    for at in range(5):
        kept.feed(at, sample(at))
    assert len(kept.seconds.entries()) == 5
    kept.close()


def test_a_disk_that_fills_up_costs_only_the_history(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = History(place)
    kept.feed(0, sample(0))
    kept.feed(1, sample(1))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        kept.feed(2, sample(2))
    assert not place.exists()
    kept.feed(3, sample(3))
    assert not place.exists()


def test_a_forked_child_leaves_its_parents_file_alone(place: Path) -> None:
    kept = History(place)
    kept.feed(0, sample(0))
    kept.feed(1, sample(1))
    kept._pid += 1
    kept.close()
    assert place.exists()
    history._writer.release()
