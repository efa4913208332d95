"""Text goes where it should, and is printed where that fails."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lowvox.desktop.outlet import outlet
from lowvox.errors import DeviceError, UsageError

if TYPE_CHECKING:
    from desktop.conftest import Window


class Person:
    """Who reads what is printed, and what is warned of."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.warned: list[str] = []


@pytest.fixture
def person() -> Person:
    return Person()


def test_text_is_written(person: Person) -> None:
    with outlet("text", person.read.append, person.warned.append) as deliver:
        deliver("One.")
        deliver("")
    assert (person.read, person.warned) == (["One."], [])


def test_the_keyboard_types_with_a_space_between(window: Window, person: Person) -> None:
    pytest.importorskip("Xlib", reason="needs python-xlib, the extra `type`", exc_type=ImportError)
    with outlet("keyboard", person.read.append, person.warned.append) as deliver:
        for text in ("One.", "", "  ", "Zwölf.", "\n"):
            deliver(text)
        deliver("Три.\n")
    assert window.line() == "One. Zwölf. Три."
    assert (person.read, person.warned) == ([], [])


def test_the_clipboard_holds_the_whole_session(desktop: str, person: Person) -> None:
    if not shutil.which("xclip"):
        pytest.skip("needs xclip")
    with outlet("clipboard", person.read.append, person.warned.append) as deliver:
        deliver("Раз.")
        deliver("")
        deliver("Hai.")
    # xclip goes into the background before it owns the clipboard.
    paste = ["xclip", "-selection", "clipboard", "-out"]
    pasted = (subprocess.run(paste, capture_output=True, check=False).stdout.decode() for _ in range(300))
    assert "Раз. Hai." in pasted
    assert (person.read, person.warned) == ([], [])


@pytest.mark.parametrize("mode", ["keyboard", "clipboard"])
def test_what_fails_later_is_printed_and_warned_of_once(
    desktop: str, monkeypatch: pytest.MonkeyPatch, person: Person, mode: str
) -> None:
    if mode == "clipboard" and not shutil.which("xclip"):
        pytest.skip("needs xclip")
    with outlet(mode, person.read.append, person.warned.append) as deliver:
        if mode == "keyboard":
            pytest.importorskip("Xlib", reason="needs python-xlib, the extra `type`", exc_type=ImportError)
            _take_the_focus_away(desktop)
        else:
            monkeypatch.setenv("DISPLAY", ":9876")
        deliver("One.")
        deliver("Two.")
    assert person.read == ["One.", "Two."]
    assert len(person.warned) == 1
    assert "printed" in person.warned[0]


def _take_the_focus_away(desktop: str) -> None:
    from Xlib import X
    from Xlib.display import Display

    display = Display(desktop)
    display.set_input_focus(X.NONE, X.RevertToParent, X.CurrentTime)
    display.sync()
    display.close()


@pytest.mark.parametrize("mode", ["keyboard", "clipboard"])
def test_what_cannot_work_is_refused_before_anybody_speaks(
    monkeypatch: pytest.MonkeyPatch, person: Person, mode: str
) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(DeviceError), outlet(mode, person.read.append, person.warned.append):
        pytest.fail("it was not refused")


def test_an_unknown_mode_is_refused(person: Person) -> None:
    with pytest.raises(UsageError, match="text, keyboard, clipboard"), outlet("fax", print, print):
        pytest.fail("it was not refused")
