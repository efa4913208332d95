from __future__ import annotations

import json
import sys
from itertools import count
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from lowvox.errors import UsageError
from lowvox.memory.monitor import Monitor
from lowvox.report import timeline
from lowvox.types import MemoryReport

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = MemoryReport(300, 142.6, 161.2, 138.9)


@pytest.fixture
def run() -> Monitor:
    """A run that loaded, ran and evicted."""
    ticks = count()
    monitor = Monitor(clock=lambda: float(next(ticks)))
    monitor.budget = 1
    for kind in ("load", "run", "evict", "cap"):
        monitor.mark(kind, "pocketsphinx <$x$>")
        monitor.look()
    return monitor


def kept(home: Path) -> list[Path]:
    return sorted((home / "cache" / "timelines").iterdir())


def test_a_run_as_json(home: Path, run: Monitor) -> None:
    note = timeline.keep(run, MEMORY)
    file = next(path for path in kept(home) if path.suffix == ".json")
    assert str(file) in note
    found = json.loads(file.read_text())
    assert [mark["kind"] for mark in found["marks"]] == ["load", "run", "evict", "cap"]
    assert found["marks"][0] == {"at_s": 1, "kind": "load", "name": "pocketsphinx <$x$>"}
    assert [at for at, _ in found["samples"]] == [2, 4, 6, 8]
    assert found["memory"]["peak_rss_mb"] == 161.2
    assert [alert["kind"] for alert in found["alerts"]] == ["over"]


def test_drawn_by_matplotlib_where_it_is(home: Path, run: Monitor) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    assert timeline.keep(run, MEMORY).endswith(".png.")
    picture = next(path for path in kept(home) if path.suffix == ".png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_drawn_as_svg_where_it_is_not(home: Path, run: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert timeline.keep(run, MEMORY).endswith(".svg.")
    picture = ET.parse(next(path for path in kept(home) if path.suffix == ".svg"))
    titles = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[1:] == [f"{kind} pocketsphinx <$x$>" for kind in ("load", "run", "evict", "cap")]


def test_the_latest_twenty_are_kept(home: Path, run: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    folder = home / "cache" / "timelines"
    folder.mkdir(parents=True)
    for day in range(25):
        (folder / f"20200101-{day:06}-1.json").write_text("")
        (folder / f"20200101-{day:06}-1.svg").write_text("")
    timeline.keep(run, MEMORY)
    timeline.keep(run, MEMORY)  # in the same second
    stems = {path.stem for path in kept(home)}
    assert len(stems) == 20
    assert len(kept(home)) == 40
    assert "20200101-000006-1" not in stems
    assert sum(not stem.startswith("2020") for stem in stems) == 2


def test_a_run_does_not_fail_because_it_cannot_be_kept(home: Path, run: Monitor) -> None:
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "timelines").write_text("")
    assert timeline.keep(run, MEMORY).startswith("The time line of this run could not be kept: ")


@pytest.mark.parametrize(("value", "on"), [("1", True), (" TRUE", True), ("0", False), ("", False), ("off", False)])
def test_the_switch(value: str, on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(timeline.SWITCH, value)
    assert timeline.wanted() is on


def test_a_switch_that_is_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(timeline.SWITCH, raising=False)
    assert not timeline.wanted()
    monkeypatch.setenv(timeline.SWITCH, "perhaps")
    with pytest.raises(UsageError, match="'perhaps': it must be 1 or 0"):
        timeline.wanted()
