"""`lowvox top` on pipes and on a terminal of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lowvox.commands import main, top
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
        main(["top", *arguments])
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("tree")
def test_a_line_for_each_look_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-n", "2", "--interval", "0.1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(rf"..:..:..  .*\(pid {os.getpid()}\): .* MB unattributed", line) for line in lines)


@pytest.mark.usefixtures("tree")
def test_an_object_for_each_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-n", "2", "--interval", "0.1", "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["processes"][0]["pid"] for one in found] == [os.getpid()] * 2


def test_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-n", "1") == 0
    assert capsys.readouterr().out.endswith("  No lowvox is running.\n")


@pytest.mark.parametrize("arguments", [("--interval", "0"), ("-n", "0")])
def test_nonsense_is_refused(arguments: tuple[str, str]) -> None:
    assert run(*arguments) == 2


class Screen:
    """The other side of the terminal that `lowvox top` runs on."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self.handle = handle
        self.text = ""

    def until(self, pattern: str) -> str:
        while not re.search(pattern, self.text, re.DOTALL):
            self.text += os.read(self.handle, 65536).decode()
        return self.text


@contextmanager
def screen(*arguments: str) -> Iterator[Screen]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 100))
    command = [sys.executable, "-c", "from lowvox.commands import main; main()", "top", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)  # so that reading fails, rather than waits, when the command has ended
        try:
            yield Screen(process, ours)
        finally:
            process.kill()
            os.close(ours)


@pytest.mark.usefixtures("tree")
def test_drawn_in_place_until_q() -> None:
    with screen("--interval", "0.1") as shown:
        text = shown.until(r"q ends\r\n.*\x1b\[(\d+)A\r\x1b\[J.*q ends")
        assert text.startswith(top._HIDE)
        height = re.search(r"\x1b\[(\d+)A", text)
        assert height
        assert int(height[1]) == text.split("\x1b[J")[1].count("\n")
        os.write(shown.handle, b"xq")
        assert shown.process.wait() == 0


@pytest.mark.usefixtures("tree")
def test_ctrl_c() -> None:
    with screen("--interval", "60") as shown:
        shown.until("q ends")
        shown.process.send_signal(signal.SIGINT)
        shown.until(re.escape(top._SHOW))
        assert shown.process.wait() == 130


def test_the_last_ten_minutes_come_from_its_rings(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    from lowvox.memory.survey import survey

    view = top._View()
    (snapshot,) = survey()
    assert view._history(snapshot, 1e9) == []
    assert view._history(snapshot, 1e9 + 1) == [(1e9, snapshot.usage.pss)]  # what it has seen itself
    history = History(running.history())
    history.feed(1, Entry(1e9 + 700, 5, 5, 5, 0.0, 7))
    history.feed(2, Entry(1e9 + 701, 5, 5, 5, 0.0, 7))
    assert view._history(snapshot, 1e9 + 702) == [(1e9 + 700, 7), (1e9 + 701, 7)]
    history.close()
