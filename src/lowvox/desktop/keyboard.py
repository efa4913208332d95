"""Types text into the window that has the focus: through X11 itself, or through pynput on macOS and Windows.

Says plainly where that is impossible. Knows nothing of speech or of what happens to text that could not be typed.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import Protocol

from lowvox import extras
from lowvox.errors import DeviceError, NotFoundError

_MISSING = f"Typing into a window needs a package that is not installed: run `{extras.command('type')}`."


class Keyboard(Protocol):
    """A keyboard for one session."""

    def type(self, text: str) -> None:
        """Type into the focused window; DeviceError where that fails, with some of the text perhaps typed."""

    def close(self) -> None:
        """Give back what was borrowed; may be called twice."""


def connect() -> Keyboard:
    """Return a keyboard; NotFoundError without the package, DeviceError where this desktop cannot be typed into."""
    if sys.platform in ("darwin", "win32"):
        return _PynputKeyboard()
    if os.environ.get("XDG_SESSION_TYPE") == "wayland" or (
        os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY")
    ):
        raise DeviceError(
            "Wayland lets no program type into another's window this way; use `--clipboard` and paste, or log in to an "
            "X11 session (docs/desktop.md names other ways)."
        )
    try:
        from lowvox.desktop.x11 import X11Keyboard
    except ImportError as error:
        raise NotFoundError(_MISSING) from error
    return X11Keyboard()


def type_text(text: str) -> None:
    """Type once; a session keeps what `connect` returns, since each closing waits a quarter of a second."""
    with closing(connect()) as keyboard:
        keyboard.type(text)


class _PynputKeyboard:
    """pynput hands macOS and Windows whole Unicode characters, so that layouts do not matter."""

    def __init__(self) -> None:
        try:
            from pynput.keyboard import Controller
        except ImportError as error:
            raise NotFoundError(_MISSING) from error
        if sys.platform == "darwin":
            _require_permission()
        self._controller = Controller()

    def type(self, text: str) -> None:
        """Type character by character."""
        try:
            self._controller.type(text)
        except (self._controller.InvalidCharacterException, OSError) as error:
            raise DeviceError(f"The desktop refused a key ({error}); use `--clipboard`.") from error

    def close(self) -> None:
        """Nothing is borrowed here."""


def _require_permission() -> None:
    """Without the permission macOS drops every key and says nothing."""
    import HIServices

    if not HIServices.AXIsProcessTrusted():
        raise DeviceError(
            "macOS lets lowvox type only with a permission: allow your terminal in System Settings > Privacy & Security"
            " > Accessibility, then start again."
        )
