"""Text reaches a real clipboard, stays there, and every way it can fail is one sentence."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lowvox.desktop import clipboard
from lowvox.errors import DeviceError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "Grüße, niño! Привет, Ёж № 5.\nChào các bạn. 日本語 😀 <&>\n"

needs_xclip = pytest.mark.skipif(not shutil.which("xclip"), reason="needs xclip")
linux = pytest.mark.skipif(sys.platform != "linux", reason="about the clipboard programs of Linux desktops")


def is_pasted(desktop: str, text: str) -> bool:
    """Whether a paste gives `text`, now or soon: xclip goes into the background before it owns the clipboard."""
    command = ["xclip", "-display", desktop, "-selection", "clipboard", "-out"]
    return any(subprocess.run(command, capture_output=True, check=False).stdout.decode() == text for _ in range(300))


@needs_xclip
@pytest.mark.parametrize("text", [TEXT, "", " ", "x" * 1_000_000])
def test_what_is_copied_is_what_is_pasted(desktop: str, text: str) -> None:
    clipboard.check()
    clipboard.copy(text)
    assert is_pasted(desktop, text)


@needs_xclip
def test_whoever_reads_our_output_does_not_wait_for_the_clipboard_to_change(desktop: str) -> None:
    program = "from lowvox.desktop.clipboard import copy; copy('text'); print('done')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert done.stdout.split() == [b"done"]
    assert is_pasted(desktop, "text")


@needs_xclip
@linux
def test_ctrl_c_leaves_the_text_on_the_clipboard(desktop: str) -> None:
    program = "from lowvox.desktop.clipboard import copy; copy('kept'); print('copied', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as session:
        assert session.stdout
        assert session.stdout.readline().strip() == b"copied"
        # What a terminal does to everything in the foreground.
        os.killpg(session.pid, signal.SIGINT)
        assert session.wait() != 0
    assert is_pasted(desktop, "kept")


@linux
def test_no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for ask in (clipboard.check, lambda: clipboard.copy("text")):
        with pytest.raises(DeviceError, match="no desktop"):
            ask()


@linux
@pytest.mark.parametrize(("session", "program"), [("DISPLAY", "xclip"), ("WAYLAND_DISPLAY", "wl-clipboard")])
def test_a_desktop_without_a_clipboard_program_is_told_which(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, session: str, program: str
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv(session, ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match=f"apt install {program}"):
        clipboard.check()


@linux
def test_wayland_has_its_own_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not Wayland itself, which needs a compositor: only who is asked, and with what."""
    (tmp_path / "wl-copy").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n/bin/cat > {tmp_path}/text\n')
    (tmp_path / "wl-copy").chmod(0o755)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("PATH", str(tmp_path))
    clipboard.copy(TEXT)
    assert (tmp_path / "asked").read_text() == "--type text/plain\n"
    assert (tmp_path / "text").read_bytes() == TEXT.encode()


@needs_xclip
@linux
def test_a_display_that_does_not_answer_is_an_error_not_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":9876")
    with pytest.raises(DeviceError, match=r"xclip could not reach .* DISPLAY=:9876"):
        clipboard.copy("text")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_package_is_asked_for(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setitem(sys.modules, "pyperclip", None)
    with pytest.raises(NotFoundError, match=r"pip install 'lowvox\[clipboard\]'"):
        clipboard.check()
