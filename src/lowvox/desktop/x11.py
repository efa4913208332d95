"""Typing on an X11 desktop as a keyboard does: real key events through the XTEST extension, in any alphabet.

A character that the user's layout has is typed with its own key. For any other, a key code that the layout leaves
unused is borrowed, bound to the character, and given back at the end. Knows nothing of speech or other systems.

pynput is not used for this. It sends synthetic events, which xterm ignores, and when it binds a small letter X binds
the capital as well, which it does not note: "ÄÖÜ" arrived as "öÖÜ" and "niño" as "niéo", without any error.
"""

from __future__ import annotations

import time
import unicodedata
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from Xlib import X, error
from Xlib.display import Display

from lowvox.desktop.keysyms import Key, layout, symbol
from lowvox.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A window looks a key up when it reads the event, so a key keeps its meaning until slow windows have read theirs.
_SETTLE_S = 0.25
# libX11 forgets a change of the keyboard that comes while it fetches the one before: 1 text in 8 lost characters. So
# nothing is pressed until windows have heard of all changes.
_DIGEST_S = 0.15
# Held down, these would turn text into shortcuts: Shift, Control, Alt, Super, AltGr. Typing waits this long for them.
_HELD = X.ShiftMask | X.ControlMask | X.Mod1Mask | X.Mod4Mask | X.Mod5Mask
_PATIENCE_S = 2.0
_SHIFT = 0xFFE1


class X11Keyboard:
    """A keyboard that is opened once for a session and closed at its end; every failure is a DeviceError."""

    def __init__(self) -> None:
        with _translated():
            self._display = Display()
        self._rows: dict[int, list[int]] = {}
        self._loans: dict[str, Key] = {}  # the least recently used first
        self._spare: list[Key] = []
        self._pressed = 0.0
        self._news = False
        self._refusals: list[object] = []
        self._display.set_error_handler(lambda refusal, _: self._refusals.append(refusal))
        if not self._display.has_extension("XTEST"):
            self._display.close()
            raise DeviceError("This X server takes no key presses from programs (no XTEST); use `--clipboard`.")
        self._shift = self._display.keysym_to_keycode(_SHIFT)

    def type(self, text: str) -> None:
        """Type into the window that has the focus; returns when the server has all of it."""
        with _translated():
            self._await_free_hands()
            keys = self._read_layout()
            run: list[Key] = []
            for character in unicodedata.normalize("NFC", text):
                if character in keys:
                    run.append(keys[character])
                elif unicodedata.category(character) != "Cc":
                    run.append(self._borrowed(character, run))
            self._press(run)
        if self._refusals:
            refusal = self._refusals.pop()
            self._refusals.clear()
            raise DeviceError(f"The X server refused to type ({refusal}); use `--clipboard`.")

    def close(self) -> None:
        """Give the borrowed keys back when windows have read what was typed; may be called twice."""
        loans, self._loans = self._loans, {}
        with suppress(error.ConnectionClosedError, OSError):
            self._settle()
            for code in {code for code, _ in loans.values()}:
                self._display.change_keyboard_mapping(code, [(X.NoSymbol, X.NoSymbol)])
            # A server drops the requests of a client that hangs up before it has read its own events.
            self._display.sync()
            self._display.close()

    def _await_free_hands(self) -> None:
        """Wait until no modifier is held, and make sure that a window listens."""
        patience = time.monotonic() + _PATIENCE_S
        while self._state() & _HELD:
            if time.monotonic() > patience:
                raise DeviceError("Nothing was typed because a key such as Ctrl or Shift is held down; let go of it.")
            time.sleep(0.02)
        if self._display.get_input_focus().focus == X.NONE:
            raise DeviceError("Nothing was typed because no window has the focus; click where the text should go.")

    def _state(self) -> int:
        """Return the modifiers that are held, and the group of the layout in bits 13 and 14."""
        mask: int = self._display.screen().root.query_pointer().mask
        return mask

    def _read_layout(self) -> dict[str, Key]:
        """Read the keyboard anew: whoever changes the layout meanwhile ends the loans."""
        info = self._display.display.info
        rows = self._display.get_keyboard_mapping(info.min_keycode, info.max_keycode - info.min_keycode + 1)
        self._rows = {code: list(row) for code, row in enumerate(rows, start=info.min_keycode)}
        self._loans = {
            character: (code, level)
            for character, (code, level) in self._loans.items()
            if self._rows[code][level] == symbol(character)
        }
        lent = set(self._loans.values())
        ours = {code for code, _ in lent}
        free = {code for code, row in self._rows.items() if not any(row)} | ours
        self._spare = [(code, level) for code in sorted(free) for level in (0, 1) if (code, level) not in lent]
        return layout({code: row for code, row in self._rows.items() if code not in ours}, self._state() >> 13 & 3)

    def _borrowed(self, character: str, run: list[Key]) -> Key:
        """Return the key lent to a character; when all are lent, the one that was needed longest ago moves on."""
        key = self._loans.pop(character, None)
        if key is None:
            if not (self._spare or self._loans):
                raise DeviceError(f"This keyboard layout has no key to spare for {character!r}; use `--clipboard`.")
            key = self._spare.pop(0) if self._spare else self._take_back(run)
            self._bind(key, character)
        self._loans[character] = key
        return key

    def _take_back(self, run: list[Key]) -> Key:
        """End the oldest loan, and first press what was to be pressed with it."""
        key = self._loans.pop(next(iter(self._loans)))
        if key in run:
            self._press(run)
            run.clear()
        self._settle()
        return key

    def _bind(self, key: Key, character: str) -> None:
        """Give a key its character."""
        code, level = key
        row = self._rows[code][:2]
        row[level] = symbol(character)
        # X makes a lone letter a pair of small and capital; two symbols it leaves alone.
        row[1 - level] = row[1 - level] or row[level]
        self._rows[code] = row
        self._display.change_keyboard_mapping(code, [row])
        self._news = True

    def _press(self, run: list[Key]) -> None:
        """Press and release keys one after the other, with Shift where one needs it."""
        if self._news:
            self._display.sync()
            time.sleep(_DIGEST_S)
            self._news = False
        for code, shifted in run:
            if shifted:
                self._display.xtest_fake_input(X.KeyPress, self._shift)
            self._display.xtest_fake_input(X.KeyPress, code)
            self._display.xtest_fake_input(X.KeyRelease, code)
            if shifted:
                self._display.xtest_fake_input(X.KeyRelease, self._shift)
        self._display.sync()
        self._pressed = time.monotonic()

    def _settle(self) -> None:
        """Wait until windows have had time to read what was pressed last."""
        time.sleep(max(0.0, self._pressed + _SETTLE_S - time.monotonic()))


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what python-xlib raises into a DeviceError."""
    try:
        yield
    except (error.DisplayError, error.XauthError, error.ConnectionClosedError) as failure:
        raise DeviceError(
            f"No X11 desktop can be reached ({failure}); run lowvox in a desktop session, or without `--type`."
        ) from failure
