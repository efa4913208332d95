"""What is typed arrives, letter for letter, in windows that look keys up in their own ways."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from lowvox.errors import DeviceError

pytest.importorskip("Xlib", reason="needs python-xlib, the extra `type`", exc_type=ImportError)

from Xlib import X
from Xlib.display import Display

from lowvox.desktop.keysyms import symbol
from lowvox.desktop.x11 import X11Keyboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop.conftest import Window

ENGLISH = "Hello, world! It's 5 o'clock (really) - 100% \"sure\" @ [x]{y} #1 & <z> ~ `^|\\"
GERMAN = "Grüße aus Köln, Straße; ÄÖÜ äöü – „gut“ für 5 €"
SPANISH = "¿Qué tal, niño? ¡Sí! ÁÉÍÓÚÑ áéíóúñ Ü"
RUSSIAN = "Съешь ещё этих мягких французских булок, да выпей чаю. ЁЖИК № 5 «да»"
VIETNAMESE = "Tiếng Việt: ằ ẳ ẵ ặ ở ỡ ự Đ đ Ơ Ư. Xin chào các bạn, hôm nay trời đẹp quá."
OTHERS = "日本語 ελληνικά 😀 → ½ \u200dx"
CAPS_LOCK = 66
CONTROL = 37
LANGUAGES = [ENGLISH, GERMAN, SPANISH, RUSSIAN, VIETNAMESE, OTHERS]


@pytest.fixture
def keyboard(desktop: str) -> Iterator[X11Keyboard]:
    keyboard = X11Keyboard()
    yield keyboard
    keyboard.close()


@pytest.fixture
def display(desktop: str) -> Iterator[Display]:
    display = Display(desktop)
    yield display
    display.close()


@pytest.fixture
def layout(desktop: str) -> Iterator[Callable[[str], None]]:
    """A function that sets the keyboard layouts of the display; afterwards it has the usual one again."""
    if not shutil.which("setxkbmap"):
        pytest.skip("needs setxkbmap")

    def choose(names: str) -> None:
        command = [
            "setxkbmap",
            "-rules",
            "evdev",
            "-model",
            "pc105",
            "-option",
            "",
            "-option",
            "grp:caps_toggle",
            names,
        ]
        subprocess.run(command, check=True)

    yield choose
    choose("us")


def tap(display: Display, code: int) -> None:
    """Press and release a key of the usual keyboard."""
    display.xtest_fake_input(X.KeyPress, code)
    display.xtest_fake_input(X.KeyRelease, code)
    display.sync()


def borrowed(display: Display, character: str) -> bool:
    """Whether some key is bound to a character by its Unicode symbol, as no layout binds it."""
    return any(symbol(character) in row for row in display.get_keyboard_mapping(8, 248))


@pytest.mark.parametrize("text", LANGUAGES)
def test_every_language_arrives_on_an_american_keyboard(window: Window, keyboard: X11Keyboard, text: str) -> None:
    keyboard.type(f"{text}\n")
    assert window.line() == text


@pytest.mark.parametrize("names", ["de", "es", "ru", "vn", "us,ru"])
def test_every_layout_takes_every_language(
    window: Window, layout: Callable[[str], None], keyboard: X11Keyboard, names: str
) -> None:
    layout(names)
    for text in LANGUAGES:
        keyboard.type(f"{text}\n")
        assert window.line() == text


def test_the_second_layout_is_used_while_it_is_on(
    window: Window, layout: Callable[[str], None], keyboard: X11Keyboard, display: Display
) -> None:
    layout("us,ru")
    tap(display, CAPS_LOCK)
    assert display.screen().root.query_pointer().mask >> 13 & 3 == 1
    keyboard.type("да\n")
    assert not borrowed(display, "д")
    keyboard.type(f"{RUSSIAN}\n{ENGLISH}\n")
    tap(display, CAPS_LOCK)
    assert [window.line() for _ in range(3)] == ["да", RUSSIAN, ENGLISH]


def test_a_session_with_more_characters_than_keys_to_borrow(window: Window, keyboard: X11Keyboard) -> None:
    alphabets = "".join(chr(code) for code in (*range(0x430, 0x450), *range(0x3B1, 0x3CA), *range(0x1EA0, 0x1EFA)))
    keyboard.type(f"{alphabets}\n{alphabets[::-1]}\n")
    assert [window.line(), window.line()] == [alphabets, alphabets[::-1]]


def test_accents_that_come_apart_are_typed_as_one(window: Window, keyboard: X11Keyboard) -> None:
    keyboard.type("Vie\u0323\u0302t\u0007 Nam\n")
    assert window.line() == "Việt Nam"


def test_a_layout_changed_in_mid_session(window: Window, layout: Callable[[str], None], keyboard: X11Keyboard) -> None:
    keyboard.type(f"{GERMAN}\n")
    layout("de")
    keyboard.type(f"{GERMAN}\n")
    assert [window.line(), window.line()] == [GERMAN, GERMAN]


def test_a_terminal_takes_it_too(desktop: str, keyboard: X11Keyboard, display: Display, tmp_path: Path) -> None:
    """xterm ignores synthetic events, so that only real ones arrive."""
    if not shutil.which("xterm"):
        pytest.skip("needs xterm")
    os.mkfifo(tmp_path / "ready")
    script = "stty -echo; echo > ready; head -n 6 > typed"
    terminal = subprocess.Popen(
        ["xterm", "-u8", "-geometry", "100x30+0+0", "-e", "sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    try:
        (tmp_path / "ready").read_text()
        shown = [w for w in display.screen().root.query_tree().children if w.get_attributes().map_state == X.IsViewable]
        shown[-1].set_input_focus(X.RevertToParent, X.CurrentTime)
        display.sync()
        for text in LANGUAGES:
            keyboard.type(f"{text}\n")
        terminal.wait()
    finally:
        terminal.kill()
        terminal.wait()
    assert (tmp_path / "typed").read_text().splitlines() == LANGUAGES


def test_borrowed_keys_are_given_back(window: Window, display: Display) -> None:
    before = display.get_keyboard_mapping(8, 248)
    keyboard = X11Keyboard()
    keyboard.type(f"{RUSSIAN}\n")
    assert display.get_keyboard_mapping(8, 248) != before
    keyboard.close()
    keyboard.close()
    assert display.get_keyboard_mapping(8, 248) == before
    assert window.line() == RUSSIAN


def test_nothing_is_typed_while_a_modifier_is_held(window: Window, keyboard: X11Keyboard, display: Display) -> None:
    display.xtest_fake_input(X.KeyPress, CONTROL)
    display.sync()
    try:
        with pytest.raises(DeviceError, match="held down"):
            keyboard.type("quit")
    finally:
        display.xtest_fake_input(X.KeyRelease, CONTROL)
        display.sync()
    keyboard.type("still here\n")
    assert window.line() == "still here"


def test_no_focus_is_an_error_not_a_loss(keyboard: X11Keyboard, display: Display) -> None:
    display.set_input_focus(X.NONE, X.RevertToParent, X.CurrentTime)
    display.sync()
    try:
        with pytest.raises(DeviceError, match="no window has the focus"):
            keyboard.type("lost")
    finally:
        display.set_input_focus(X.PointerRoot, X.RevertToParent, X.CurrentTime)
        display.sync()


@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")  # python-xlib leaves what could not connect
@pytest.mark.parametrize("name", [None, "", ":9876", "nonsense"])
def test_no_display_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    if name is not None:
        monkeypatch.setenv("DISPLAY", name)
    with pytest.raises(DeviceError, match="No X11 desktop can be reached"):
        X11Keyboard()


def test_a_server_that_goes_away_is_one_sentence() -> None:
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb, an X server without a screen")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as answer, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DISPLAY", f":{answer.readline().strip()}")
            keyboard = X11Keyboard()
    finally:
        server.kill()
        server.wait()
    with pytest.raises(DeviceError, match="No X11 desktop"):
        keyboard.type("text")
    keyboard.close()
