from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING

import pytest

from lowvox.errors import NotFoundError, OutputError, UsageError
from lowvox.memory.meter import MB
from lowvox.memory.rings import Entry
from lowvox.report.history import Row, Story, check, rows, save

if TYPE_CHECKING:
    from pathlib import Path


def entry(time: float, pss: int) -> Entry:
    return Entry(time, pss * MB, (pss + 2) * MB, (pss - 2) * MB, 1.234, (pss + 10) * MB)


STORY = Story(
    4711,
    "lowvox $dictate$",
    300 * MB,
    minutes=[entry(1.7e9 + 60 * minute, 50 + minute) for minute in range(30)],
    seconds=[entry(1.7e9 + second, 50) for second in range(1200, 1755)],
)


def test_minutes_then_the_seconds_that_no_minute_holds() -> None:
    samples = STORY.samples()
    assert [interval for interval, _ in samples] == [60] * 30 + [1] * 14
    assert rows(STORY)[0] == Row("2023-11-14T22:13:20+00:00", 60, 50, 52, 48, 1.23, 60)
    assert [row.interval_s for row in rows(Story(1, "a", None, (), STORY.seconds[:3]))] == [1, 1, 1]


def test_csv(tmp_path: Path) -> None:
    save(tmp_path / "a.csv", [STORY, Story(5, "b", None, STORY.minutes, ())])
    with (tmp_path / "a.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 44 + 30
    assert found[1] == {
        "pid": "4711",
        "time": "2023-11-14T22:14:20+00:00",
        "interval_s": "60",
        "pss_mb": "51.0",
        "rss_mb": "53.0",
        "uss_mb": "49.0",
        "cpu_s": "1.23",
        "peak_mb": "61.0",
    }


def test_json(tmp_path: Path) -> None:
    save(tmp_path / "a.json", [STORY])
    (found,) = json.loads((tmp_path / "a.json").read_text())["processes"]
    assert (found["pid"], found["command"], found["budget_mb"]) == (4711, "lowvox $dictate$", 300)
    assert len(found["entries"]) == 44
    assert found["entries"][0]["peak_mb"] == 60
    save(tmp_path / "a.json", [Story(5, "b", None, (), STORY.seconds)])
    assert json.loads((tmp_path / "a.json").read_text())["processes"][0]["budget_mb"] is None


@pytest.mark.usefixtures("home")
def test_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    save(tmp_path / "a.PNG", [STORY, Story(5, "b", None, (), STORY.seconds)])
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.json or \.png"):
        check("a.pdf")
    with pytest.raises(OutputError):
        (tmp_path / "a.csv").mkdir()
        save(tmp_path / "a.csv", [STORY])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NotFoundError, match=r"pip install 'lowvox\[plot\]'"):
        check("a.png")
