from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from lowvox.commands import main
from lowvox.memory import running
from lowvox.memory.history import History
from lowvox.memory.rings import Entry
from lowvox.memory.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def tree(home: Path) -> Iterator[Tree]:
    found = Tree()
    found.publish(budget=2**40, base=2**20)
    yield found
    found.close()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["ps", *arguments])
    return int(ended.value.code or 0)


def test_nothing_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run() == 0
    assert capsys.readouterr().out == "No lowvox is running.\n"
    assert run("--json") == 0
    assert json.loads(capsys.readouterr().out)["parts"] == []
    assert run("--export", str(tmp_path / "a.csv")) == 4
    assert "has a history yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tree")
def test_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert f"(pid {os.getpid()}): " in capsys.readouterr().out
    assert run("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parts"] == [{"pid": os.getpid(), "name": "lowvox itself", "resident_mb": 1, "peak_mb": None}]
    assert found["unattributed_mb"] > 1


@pytest.mark.usefixtures("tree")
def test_the_last_day_as_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = History(running.history())
    for at in range(5):
        history.feed(at, Entry(at + 1, 2**20, 0, 0, 0.0, 2**20))
    assert run("--export", str(tmp_path / "a.csv"), "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 5
    assert run("--export", str(tmp_path / "a.json"), "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["parts"]
    assert "Written: " in shown.err
    assert json.loads((tmp_path / "a.json").read_text())["processes"][0]["pid"] == os.getpid()
    history.close()


def test_a_form_that_is_not_there_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--export", "a.pdf") == 2
    assert ".csv, .json or .png" in capsys.readouterr().err
