"""`lowvox say`: text to a file, to standard output or to the loudspeaker."""

from __future__ import annotations

import sys
import time
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from lowvox.commands.common import Console, budget_option, common
from lowvox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextlib import AbstractContextManager

    from lowvox.audio.playing import Player
    from lowvox.audio.writing import Writer
    from lowvox.models import Installed
    from lowvox.speech import Speech
    from lowvox.text.reading import Source
    from lowvox.types import Audio

_AHEAD_S = 10.0  # of sound that waits for the loudspeaker: the next sentence


@dataclass(slots=True)
class Tally:
    """What was spoken, in seconds: its length, the work it took, and the wait for the first sound."""

    duration: float = 0.0
    work: float = 0.0
    first: float = 0.0


@click.command(
    epilog="\b\nExamples:\n"
    '  lowvox say "Hello there."\n'
    "  lowvox say -f book.txt -l de -o book.ogg\n"
    "  fortune | lowvox say - -o - | aplay\n"
)
@click.argument("text", nargs=-1)
@click.option("-f", "--file", metavar="FILE", help="A text file (UTF-8) of any size, or - for standard input.")
@click.option("-v", "--voice", metavar="VOICE", help="Who speaks, such as en-us or de+f3; see --list-voices.")
@click.option("-l", "--language", metavar="LANG", help="Language of the text, such as en or de.")
@click.option("--rate", type=float, metavar="FACTOR", help="Speed from 0.5 to 4; 1 is normal.")
@click.option("--pitch", type=float, metavar="FACTOR", help="Height of the voice from 0 to 2; 1 is normal.")
@click.option("--volume", type=float, metavar="FACTOR", help="Loudness from 0 to 2; 1 is normal.")
@click.option("-o", "--output", metavar="OUT", help="A .wav, .flac, .ogg or .raw file, or - for standard output.")
@click.option("--format", "form", type=click.Choice(["wav", "flac", "ogg", "raw"]), help="Whatever OUT is called.")
@click.option("--lexicon", metavar="FILE", help="Words and how they are said, one on a line: GIF = jiff.")
@click.option("--set", "more", multiple=True, metavar="NAME=VALUE", help="An option of the engine alone, as seed=1.")
@click.option("--list-voices", is_flag=True, help="List the voices, of --language if it is given, and end.")
@budget_option
@common
def command(
    text: tuple[str, ...],
    file: str | None,
    voice: str | None,
    language: str | None,
    rate: float | None,
    pitch: float | None,
    volume: float | None,
    output: str | None,
    form: str | None,
    lexicon: str | None,
    more: tuple[str, ...],
    list_voices: bool,
    budget: str | None,
    console: Console,
) -> int:
    """Speak text aloud or into a file.

    TEXT may be -, which is standard input. Text of any length takes the same memory. Without --output it is played.
    Text that begins with <speak> is SSML: break, prosody rate, lang, p, s and sub are carried out.
    Ctrl-C ends it at once; what was spoken so far is kept.
    """
    if list_voices:
        return _list(language, console)
    options = {"rate": rate, "pitch": pitch, "volume": volume, "lexicon": lexicon, **dict(map(_option, more))}
    with _source(" ".join(text), file) as source:
        sink = _sink(output, form, console)

        from lowvox.speech import Speech

        bar = console.progress("Speaking") if source.size else nullcontext(_ignore)
        with Speech(budget=budget, language=language, on_note=console.note) as speech:
            with sink, bar as reach:
                blocks = speech.say(source.pieces(reach), voice=voice, **options)
                try:
                    tally = _played(blocks, sink) if output is None else _written(blocks, sink)
                except KeyboardInterrupt:
                    sink.keep()
                    if output not in (None, "-"):
                        console.note(f"Stopped; what was spoken so far is in {output}.")
                    raise
                if not tally.duration:
                    raise UsageError(f"{source.name} holds nothing to speak; give it some words.")
            if console.json:
                used = voice or speech.voice or _usual(speech)
                console.emit(_result(tally, used) | {"memory": speech.memory()})
            elif output not in (None, "-"):
                console.note(f"Wrote {output}: {tally.duration:.1f} s of speech.")
    return 0


def _source(text: str, file: str | None) -> AbstractContextManager[Source]:
    """Find the text: exactly one of the argument and the file."""
    from lowvox.text import reading

    if bool(text) == bool(file):
        raise click.UsageError("Say what to speak: lowvox say TEXT, or -f FILE, or - for standard input; only one.")
    return reading.opened(file or text) if file or text == "-" else nullcontext(reading.given(text))


def _sink(output: str | None, form: str | None, console: Console) -> Writer | Player:
    """Return where the sound goes; refuse what cannot be before anything loads."""
    if output is None:
        if form:
            raise click.UsageError("--format is for --output; what is played has none.")
        from lowvox.audio.playing import Player

        return Player()
    if output == "-" and console.json:
        raise click.UsageError("Sound and JSON cannot both go to standard output; give --output a file.")
    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("Sound on a terminal is noise: pipe it (`-o - | aplay`), or give --output a file.")
    from lowvox.audio.writing import Writer

    return Writer(output, form)


def _played(blocks: Generator[Audio, None, None], sink: Writer | Player) -> Tally:
    """Pass sound on to a loudspeaker, and make what comes next while it is heard: between sentences is no gap."""
    from lowvox.audio.ahead import Ahead

    with closing(Ahead(blocks, most=_AHEAD_S, weigh=lambda audio: audio.seconds)) as ahead:
        return _deliver(iter(ahead), sink)


def _written(blocks: Generator[Audio, None, None], sink: Writer | Player) -> Tally:
    with closing(blocks):
        return _deliver(blocks, sink)


def _deliver(blocks: Iterator[Audio], sink: Writer | Player) -> Tally:
    """Pass sound on; the time that a loudspeaker or a pipe takes is not counted as work."""
    tally = Tally()
    asked = time.perf_counter()
    for audio in blocks:
        tally.work += time.perf_counter() - asked
        tally.first = tally.first or tally.work
        tally.duration += audio.seconds
        sink.write(audio)
        asked = time.perf_counter()
    return tally


def _result(tally: Tally, voice: str) -> dict[str, object]:
    """Return the keys that scripts may rely on."""
    return {
        "voice": voice,
        "duration_s": round(tally.duration, 3),
        "rtf": round(tally.work / tally.duration, 4),
        "first_audio_s": round(tally.first, 3),
    }


def _usual(speech: Speech) -> str:
    """Name the voice that speaks where none is asked for."""
    model = speech.speaker().model
    return speech.language if model.engine == "espeak" else model.name


def _option(stated: str) -> tuple[str, Any]:
    """Read `name=value`; a value that is a number is one."""
    name, sign, value = stated.partition("=")
    if not (sign and name.isidentifier()):
        raise click.UsageError(f"--set takes NAME=VALUE, such as seed=1, not {stated!r}.")
    for number in (int, float):
        with suppress(ValueError):
            return name, number(value)
    return name, value


def _list(language: str | None, console: Console) -> int:
    """Print the voices, one on a line: those that are here, then espeak's."""
    from lowvox import engines

    base = (language or "").lower().partition("-")[0]
    found = _installed(base)
    if engines.available("espeak") or not found:
        engines.require("espeak")  # says how to install it
        from lowvox.engines.espeak.voices import languages

        found += [
            (code, each.name) for code, each in sorted(languages().items()) if base in ("", code.partition("-")[0])
        ]
    if not found:
        raise UsageError(f"There is no voice for {language!r}; `lowvox say --list-voices` lists them all.")
    if console.json:
        console.emit({"voices": [{"voice": code, "name": name} for code, name in found]})
        return 0
    for code, name in found:
        click.echo(f"{code:18} {name}")
    if engines.available("espeak"):
        from lowvox.engines.espeak.voices import variants

        console.note(f"Behind a voice of espeak, as in en+f3, may stand a variant: {', '.join(sorted(variants()))}.")
    return 0


def _installed(base: str) -> list[tuple[str, str]]:
    """Return the voices that were pulled or came with lowvox, all but espeak's, with what they are."""
    from lowvox import engines, models

    here = [(found.name, found.engine, found.languages) for found in models.installed()]
    here += [
        (f"{found.name}+{who}", found.engine, found.languages) for found in models.installed() for who in _own(found)
    ]
    here += [(record.name, record.engine, record.languages) for record in models.records().values() if record.embedded]
    return [
        (name, f"{engine}, {' '.join(languages)}")
        for name, engine, languages in here
        if engines.entry(engine).role == "synthesizer"
        and engine != "espeak"
        and (not base or base in {code.partition("-")[0] for code in languages})
    ]


def _own(found: Installed) -> list[str]:
    """Return the voices inside a model, where it has some that were made of recordings."""
    if found.engine != "pocket" or found.problem:
        return []
    from lowvox.engines.pocket import layout as pocket_layout

    return [*pocket_layout.known(pocket_layout.layout(found.path))]


def _ignore(position: float, length: float) -> None:
    """Show no progress."""
