from __future__ import annotations

import os
import pty
import sys
import termios
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lowvox.commands.keys import _windows, pressed

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield ours, theirs
    os.close(ours)


def test_a_key_without_enter(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    with pressed() as key:
        os.write(ours, b"qx")
        assert key(600) == "q"
        assert key(600) == "x"
        assert key(0) == ""
        assert termios.tcgetattr(theirs) != before
    assert termios.tcgetattr(theirs) == before


def test_where_there_is_no_terminal_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", nothing)
        with pressed() as key:
            assert key(0) == ""


def test_windows_has_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter("q")
    console = SimpleNamespace(kbhit=lambda: True, getwch=lambda: next(keys))
    monkeypatch.setitem(sys.modules, "msvcrt", console)
    assert _windows(600) == "q"
    console.kbhit = lambda: False
    assert _windows(0) == ""
