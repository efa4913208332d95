"""A real X server without a screen, and a real window on it that takes what is typed."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Reads lines typed into it, and prints each as soon as Return is pressed.
WINDOW = """
import sys, tkinter
window = tkinter.Tk()
field = tkinter.Entry(window, width=80)
field.pack()

def give(_):
    sys.stdout.buffer.write((field.get() + "\\n").encode())
    sys.stdout.buffer.flush()
    field.delete(0, "end")

def ready(_):
    print("ready", flush=True)
    field.unbind("<FocusIn>")

field.bind("<Return>", give)
field.bind("<FocusIn>", ready)
window.wait_visibility()
field.focus_force()
window.mainloop()
"""


class Window:
    """A window in a process of its own that has the focus."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        assert self.line() == "ready"

    def line(self) -> str:
        """Wait for the next line that was typed into it."""
        assert self._process.stdout
        return self._process.stdout.readline().decode().removesuffix("\n")


@pytest.fixture(scope="module")  # no longer: tests of memory/ count this process's children
def x_server() -> Iterator[str]:
    """The name of a display of our own."""
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb, an X server without a screen")
    display = pytest.importorskip("Xlib.display", reason="needs python-xlib, the extra `type`", exc_type=ImportError)
    reading, writing = os.pipe()
    # With -terminate it ends with its last client, which is this process, however that dies.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-terminate"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            name = f":{answer.readline().strip()}"
        held = display.Display(name)
        yield name
        held.close()
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def desktop(x_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An X11 session on that display."""
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "XAUTHORITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", x_server)
    return x_server


@pytest.fixture
def window(desktop: str) -> Iterator[Window]:
    """A text field that has the focus."""
    pytest.importorskip("tkinter", reason="needs Python's tkinter", exc_type=ImportError)
    process = subprocess.Popen([sys.executable, "-c", WINDOW], stdout=subprocess.PIPE)
    try:
        yield Window(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Close what python-xlib leaves open when a server does not answer, before a later test is blamed for it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
