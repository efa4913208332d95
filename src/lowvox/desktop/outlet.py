"""Where finished text goes: printed, typed or copied. Text that cannot be typed or copied is printed instead.

Knows nothing of keys or clipboards, and nothing of what printing looks like: that is the caller's `write`.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from lowvox.errors import DeviceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Deliver = Callable[[str], None]

MODES = ("text", "keyboard", "clipboard")


@contextmanager
def outlet(mode: str, write: Deliver, warn: Deliver) -> Iterator[Deliver]:
    """Give the function that takes each finished utterance, for as long as the block runs.

    "text" writes it; "keyboard" types it and a space into the focused window; "clipboard" keeps the whole session's
    text on the clipboard. Raises at once what makes that impossible: UsageError, NotFoundError, DeviceError. What
    fails later loses nothing: the text goes to `write`, and `warn` is told once. Empty text goes nowhere.
    """
    if mode not in MODES:
        raise UsageError(f"There is no output mode {mode!r}; there are {', '.join(MODES)}.")
    if mode == "text":
        yield _guarded(write, write, warn)
    elif mode == "clipboard":
        yield _guarded(_collector(), write, warn)
    else:
        from lowvox.desktop import keyboard

        with closing(keyboard.connect()) as keys:
            # The space keeps the next utterance apart from this one.
            yield _guarded(lambda text: keys.type(f"{text} "), write, warn)


def _collector() -> Deliver:
    """Return a function that adds each text to those before and copies all of them."""
    from lowvox.desktop import clipboard

    clipboard.check()
    said: list[str] = []

    def add(text: str) -> None:
        said.append(text)
        clipboard.copy(" ".join(said))

    return add


def _guarded(send: Deliver, write: Deliver, warn: Deliver) -> Deliver:
    """Return a function that sends a text, and writes it where sending fails."""
    warned = False

    def deliver(text: str) -> None:
        nonlocal warned
        if not text.strip():
            return
        try:
            send(text)
        except DeviceError as error:
            write(text)
            if not warned:
                warn(f"{error} Text that cannot be delivered is printed here.")
            warned = True

    return deliver
