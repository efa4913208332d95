"""Which desktop can be typed into, and what is said of those that cannot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lowvox.desktop import keyboard
from lowvox.errors import DeviceError, NotFoundError

if TYPE_CHECKING:
    from desktop.conftest import Window

linux = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="about Linux desktops")


@linux
def test_typing_once(window: Window) -> None:
    keyboard.type_text("Größe: 5 м²\n")
    assert window.line() == "Größe: 5 м²"


@linux
@pytest.mark.parametrize(
    "session",
    [
        {"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"},
        {"WAYLAND_DISPLAY": "wayland-0"},
    ],
)
def test_wayland_says_no_and_what_to_do(monkeypatch: pytest.MonkeyPatch, session: dict[str, str]) -> None:
    for name in ("XDG_SESSION_TYPE", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in session.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeviceError, match=r"Wayland .* `--clipboard`"):
        keyboard.connect()


@linux
def test_an_x11_session_may_hold_a_wayland_display(desktop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-nested")
    keyboard.connect().close()


@pytest.mark.parametrize(
    ("platform", "module"), [("linux", "Xlib"), ("darwin", "pynput.keyboard"), ("win32", "pynput.keyboard")]
)
def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, platform: str, module: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "lowvox.desktop.x11", raising=False)
    for name in ("XDG_SESSION_TYPE", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotFoundError, match=r"pip install 'lowvox\[type\]'"):
        keyboard.connect()
