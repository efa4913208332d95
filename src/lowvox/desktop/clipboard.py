"""Puts text on the clipboard: a program of the desktop does it on Linux, pyperclip on macOS and Windows.

pyperclip is not used on Linux. It lets xclip inherit standard output, so that whoever reads lowvox through a pipe waits
until the clipboard changes; it says nothing when no display answers; and Ctrl-C takes the clipboard's text with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

from lowvox import extras
from lowvox.errors import DeviceError, NotFoundError

_WAYLAND = (("wl-copy", "--type", "text/plain"),)
_X11 = (("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))
_TIMEOUT_S = 5


def check() -> None:
    """Find out before a session whether text can be copied.

    Raises DeviceError where there is no desktop or no program for its clipboard, NotFoundError without pyperclip.
    """
    if _by_package():
        _pyperclip()
    else:
        _command()


def copy(text: str) -> None:
    """Replace what is on the clipboard; raises what `check` raises, and DeviceError where the desktop refuses."""
    if _by_package():
        package = _pyperclip()
        try:
            package.copy(text)
        except package.PyperclipException as error:
            raise DeviceError(f"The clipboard took nothing ({error}); try again.") from error
    else:
        _run(_command(), text)


def _by_package() -> bool:
    return sys.platform in ("darwin", "win32")


def _pyperclip() -> Any:
    try:
        import pyperclip
    except ImportError as error:
        raise NotFoundError(f"Copying needs pyperclip: run `{extras.command('clipboard')}`.") from error
    return pyperclip


def _command() -> tuple[str, ...]:
    """Return the command that takes the clipboard's text on its standard input."""
    wayland, x11 = bool(os.environ.get("WAYLAND_DISPLAY")), bool(os.environ.get("DISPLAY"))
    if not (wayland or x11):
        raise DeviceError("There is no desktop here (neither WAYLAND_DISPLAY nor DISPLAY is set), so no clipboard.")
    for command in (*(_WAYLAND * wayland), *(_X11 * x11)):
        if shutil.which(command[0]):
            return command
    program = "wl-clipboard" if wayland else "xclip"
    raise DeviceError(
        f"The clipboard needs {program}: install it, on Debian or Ubuntu by `sudo apt install {program}`."
    )


def _run(command: tuple[str, ...], text: str) -> None:
    """Hand the text over to a program that stays behind to serve it."""
    try:
        subprocess.run(
            command,
            input=text.encode(),
            # What stays behind must not hold our streams open, nor end with Ctrl-C in our terminal.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        where = " and ".join(
            f"{name}={os.environ[name]}" for name in ("WAYLAND_DISPLAY", "DISPLAY") if name in os.environ
        )
        raise DeviceError(f"{command[0]} could not reach the clipboard of the desktop at {where}.") from error
