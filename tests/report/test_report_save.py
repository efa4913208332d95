"""A report is saved whole or not at all, in the form that its ending says."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lowvox.errors import NotFoundError, OutputError, UsageError
from lowvox.report import check, save
from lowvox.types import MemoryReport, Part

if TYPE_CHECKING:
    from pathlib import Path

REPORT = MemoryReport(300, 142.63, 161.2, 138.9, (Part("pocketsphinx $x$ 日本", 61, 89.4), Part("espeak", 4, None)))
FACTS = {"command": "lowvox demo " + "--option " * 40, "machine": "2 cores"}
TIMELINE = [(0.0, 28.0), (2.5, 142.6), (4.0, 110.0)]


@pytest.mark.parametrize(("name", "begins"), [("a.html", b"<!DOCTYPE html>"), ("A.PNG", b"\x89PNG")])
@pytest.mark.usefixtures("home")
def test_the_ending_says_the_form(tmp_path: Path, name: str, begins: bytes) -> None:
    if name == "A.PNG":
        pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    save(tmp_path / name, REPORT, FACTS, TIMELINE)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["plot", "plot.pdf", ".png"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.html or \.png"):
        save(tmp_path / name, REPORT, FACTS)
    with pytest.raises(UsageError):
        check(name)


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    with pytest.raises(OutputError, match=r"a\.html could not be written"):
        save(tmp_path / "a.html", REPORT, FACTS)
    with pytest.raises(NotFoundError, match="There is no folder"):
        save(tmp_path / "missing" / "a.html", REPORT, FACTS)
    assert os.listdir(tmp_path) == ["a.html"]  # noqa: PTH208


def test_a_picture_without_parts_budget_or_timeline(tmp_path: Path, home: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    save(tmp_path / "a.png", MemoryReport(None, 10, 11, 9), {})
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_a_picture_without_matplotlib_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NotFoundError, match=r"pip install 'lowvox\[plot\]'"):
        save(tmp_path / "a.png", REPORT, FACTS)
    assert list(tmp_path.iterdir()) == []


def test_drawing_writes_nothing_into_the_home_folder(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    program = (
        "from lowvox.report import save; from lowvox.types import MemoryReport;"
        "save('out.png', MemoryReport(None, 10, 11, 9), {})"
    )
    place = {name: str(tmp_path / "home") for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}
    (tmp_path / "home").mkdir()
    kept = {key: value for key, value in os.environ.items() if key != "MPLCONFIGDIR" and not key.startswith("XDG_")}
    environment = kept | place | {"LOWVOX_HOME": str(tmp_path / "lowvox")}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert list((tmp_path / "home").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "lowvox", "out.png"}
