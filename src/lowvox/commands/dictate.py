"""`lowvox dictate`: live speech to text. Shows partials and the level on a terminal, delivers what is settled."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, common, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lowvox.dictation import Dictation, Source


@click.command(
    epilog="\b\nExamples:\n"
    "  lowvox dictate\n"
    "  lowvox dictate --type --device headset\n"
    "  lowvox dictate --from talk.wav --json\n"
)
@listening
@click.option("--from", "source", metavar="FILE", help="A recording, played at the speed of life, for a microphone.")
@click.option("--type", "mode", flag_value="keyboard", help="Type the text into the focused window.")
@click.option("--clipboard", "mode", flag_value="clipboard", help="Put the text on the clipboard.")
@click.option("--device", metavar="ID", help="Microphone: a number or a part of its name.")
@click.option("--list-devices", is_flag=True, help="List the microphones and end.")
@click.option("--level", "level_only", is_flag=True, help="Only show how loud the microphone hears you.")
@common
def command(
    hearing: dict[str, Any],
    source: str | None,
    mode: str | None,
    device: str | None,
    list_devices: bool,
    level_only: bool,
    console: Console,
) -> int:
    """Turn live speech into text as you speak.

    Words appear while you speak and are settled at each pause. Ctrl-C ends it and keeps the last words; a second
    Ctrl-C ends it at once.
    """
    if list_devices:
        return _list(console)

    from lowvox.desktop.outlet import outlet
    from lowvox.speech import Speech

    line = StatusLine(console)
    with ExitStack() as stack:
        speech = stack.enter_context(Speech(**hearing, on_note=line.note))
        device = device or speech.settings.audio.microphone_id
        if level_only:
            return _show_level(_microphone(device, line)(threading.Event()), line)
        speech.listeners()  # what does not fit is said before anybody speaks
        # What makes typing or copying impossible is said before anybody speaks.
        mode = mode or speech.settings.output.mode
        deliver = stack.enter_context(outlet(mode, line.write, line.note))
        # Ctrl-C is pressed in this terminal: what is typed then would be typed here.
        last = line.write if mode == "keyboard" else deliver
        sound = _recording(source, stack) if source else _microphone(device, line)
        return _dictate(speech.dictate(lambda stopped: line.listening(sound(stopped))), deliver, last, line, console)


class StatusLine:
    """One line on the terminal that is written over: the level, and the words that may still change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = console.interactive and not console.json
        self._level = self._text = ""

    def listening(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass sound on and show how loud it is."""
        from lowvox.audio.level import bar, decibels

        self.note("Listening; Ctrl-C ends.")  # only now: the microphone is open
        for block in blocks:
            if self._shown:
                self._level = bar(decibels(block))
                self._draw()
            yield block

    def say(self, text: str) -> None:
        """Show words."""
        self._text = text
        self._draw()

    def write(self, text: str) -> None:
        """Print settled text; with `--json` the event has already said it."""
        self.clear()
        if not self._console.json:
            click.echo(text)

    def note(self, text: str) -> None:
        """Tell the person something."""
        self.clear()
        self._console.note(text)

    def clear(self) -> None:
        """Leave the line empty for what is printed next."""
        self._text = ""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)

    def _draw(self) -> None:
        if self._shown:
            from shutil import get_terminal_size

            room = get_terminal_size().columns - len(self._level) - 4
            click.echo(f"\r\x1b[K|{self._level}| {self._text[-room:]}", err=True, nl=False)


def _dictate(
    dictation: Dictation,
    deliver: Callable[[str], None],
    last: Callable[[str], None],
    line: StatusLine,
    console: Console,
) -> int:
    """Show and deliver events until the sound or the speaker ends it; 130 when it was Ctrl-C.

    After Ctrl-C what is still to come goes to `last`.
    """
    interrupted = False

    def stop(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        dictation.stop()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        for event in dictation:
            if console.json:
                console.emit(event)
            if event.kind == "partial":
                line.say(event.text)
            elif event.text:
                (last if interrupted else deliver)(event.text)
            else:
                line.clear()
    finally:
        line.clear()
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, before)
        dictation.close()
    return 130 if interrupted else 0


def _recording(source: str, stack: ExitStack) -> Source:
    """Play a file at the speed of life."""
    from lowvox.audio import pacing, reading

    return partial(pacing.paced, stack.enter_context(reading.opened(source)).blocks())


def _microphone(device: str, line: StatusLine) -> Source:
    """Listen to a microphone; lost sound is said once."""
    from lowvox.audio.microphone import listen

    told = False

    def lost(_: float) -> None:
        nonlocal told
        if not told:
            told = True
            line.note("This machine is too slow to follow: sound was lost. Pause now and then, or use another model.")

    return partial(listen, device, on_lost=lost)


def _list(console: Console) -> int:
    from lowvox.audio.microphone import devices

    found = devices()
    if console.json:
        console.emit({"devices": found})
    elif not found:
        console.note("There is no microphone.")
    for device in [] if console.json else found:
        click.echo(f"{device.id:3}  {device.name}{'  (default)' if device.default else ''}")
    return 0


def _show_level(blocks: Iterable[bytes], line: StatusLine) -> int:
    """Show the level until Ctrl-C."""
    if not sys.stderr.isatty():
        raise click.UsageError("--level draws on a terminal and there is none here.")
    for _ in line.listening(blocks):
        pass
    return 0
